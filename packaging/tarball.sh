#!/usr/bin/env bash
# tarball.sh [--binary FILE] [--extras FOLDER] [--target TRIPLE[.GLIBC]] [--out FOLDER]
#
# Makes doppio-VERSION-TRIPLE.tar.gz in FOLDER (target/packages) and prints its path: the binary, its
# man pages and completions, README and licences, under the name that `cargo binstall` looks for. What
# is not given is built.
set -euo pipefail
cd "$(dirname "$0")/.."

binary='' extras='' target='' out=target/packages
while [ $# -gt 0 ]; do
  case $1 in
    --binary) binary=${2:?a file} && shift 2 ;;
    --extras) extras=${2:?a folder} && shift 2 ;;
    --target) target=${2:?a triple} && shift 2 ;;
    --out) out=${2:?a folder} && shift 2 ;;
    *) echo "usage: tarball.sh [--binary FILE] [--extras FOLDER] [--target TRIPLE[.GLIBC]] [--out FOLDER]" >&2 && exit 2 ;;
  esac
done

[ -n "$binary" ] || binary=$(packaging/build.sh ${target:+--target "$target"})
if [ -z "$extras" ]; then
  extras=target/extras
  [ -d "$extras" ] || packaging/extras.sh >/dev/null
fi
id=$("${CARGO:-cargo}" pkgid --offline)
triple=${target%%.*}
[ -n "$triple" ] || triple=$(rustc -vV | sed -n 's/^host: //p')

work=$(mktemp -d "${TMPDIR:-/tmp}/doppio-tarball.XXXXXX")
trap 'rm -rf "$work"' EXIT
folder=$work/doppio-${id##*[#@]}-$triple
mkdir "$folder"
cp "$binary" "$folder/doppio"
cp -R "$extras/man" "$extras/completions" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$folder"
packaging/tar.sh "$folder" "$out"
