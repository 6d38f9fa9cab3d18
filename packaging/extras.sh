#!/usr/bin/env bash
# extras.sh [--out FOLDER]
#
# Makes the man pages and the completions for five shells in target/extras, where tarball.sh and
# deb.sh take them, and a tarball of them in FOLDER (target/packages), whose path it prints.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

out=target/packages
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=${2:?a folder} && shift 2 ;;
    *) echo "usage: extras.sh [--out FOLDER]" >&2 && exit 2 ;;
  esac
done

id=$("$cargo" pkgid --offline)
rm -rf target/extras
# No `dist` build: the texts are the same, and this one is at hand after the tests, unless a variable
# that the C code of dependencies is compiled anew for comes and goes.
env -u SOURCE_DATE_EPOCH "$cargo" run --quiet --locked --example extras -- target/extras

work=$(mktemp -d "${TMPDIR:-/tmp}/doppio-extras.XXXXXX")
trap 'rm -rf "$work"' EXIT
folder=$work/doppio-${id##*[#@]}-extras
mkdir "$folder"
cp -R target/extras/man target/extras/completions LICENSE-APACHE LICENSE-MIT "$folder"
packaging/tar.sh "$folder" "$out"
