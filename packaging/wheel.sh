#!/usr/bin/env bash
# wheel.sh [--binary FILE | --target TRIPLE[.GLIBC]] [--out FOLDER]
#
# Makes a wheel in FOLDER (target/packages) and prints its path: for `pip install`, `pipx install`
# and `uv tool install`. Builds the binary with build.sh unless one is given.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

binary='' target='' out=$here/../target/packages
while [ $# -gt 0 ]; do
  case $1 in
    --binary) binary=${2:?a file} && shift 2 ;;
    --out) out=${2:?a folder} && shift 2 ;;
    --target) target=${2:?a triple} && shift 2 ;;
    *) echo "usage: wheel.sh [--binary FILE | --target TRIPLE[.GLIBC]] [--out FOLDER]" >&2 && exit 2 ;;
  esac
done

[ -n "$binary" ] || binary=$("$here/build.sh" ${target:+--target "$target"})
"${CARGO:-cargo}" metadata --no-deps --offline --format-version 1 --manifest-path "$here/../Cargo.toml" |
  python3 "$here/wheel.py" "$binary" "$out"
