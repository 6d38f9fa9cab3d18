#!/usr/bin/env bash
# deb.sh [--target TRIPLE[.GLIBC]] [--out FOLDER]
#
# Makes a Debian package in FOLDER (target/packages) and prints its path; what is in it is said in
# Cargo.toml. cargo-deb comes from PATH, else it is compiled into target/tools, once.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

target='' out=target/packages
while [ $# -gt 0 ]; do
  case $1 in
    --target) target=${2:?a triple} && shift 2 ;;
    --out) out=${2:?a folder} && shift 2 ;;
    *) echo "usage: deb.sh [--target TRIPLE[.GLIBC]] [--out FOLDER]" >&2 && exit 2 ;;
  esac
done

PATH=$PATH:$PWD/target/tools/bin
if ! command -v cargo-deb >/dev/null; then
  "$cargo" install --quiet cargo-deb --version 3.8.0 --locked --root target/tools >&2
fi
if ! command -v dpkg-shlibdeps >/dev/null; then
  echo "the libraries that it depends on are found by dpkg-shlibdeps: run \`apt-get install dpkg-dev\`" >&2
  exit 1
fi

packaging/build.sh ${target:+--target "$target"} >/dev/null
[ -d target/extras ] || packaging/extras.sh >/dev/null
mkdir -p "$out"
"$cargo" deb --quiet --locked --no-build ${target:+--target "${target%%.*}"} --output "$out"
