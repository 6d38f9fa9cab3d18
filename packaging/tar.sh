#!/usr/bin/env bash
# tar.sh FOLDER OUT
#
# Packs FOLDER as OUT/NAME.tar.gz, with its checksum beside it, and prints its path. The same files
# make the same bytes: SOURCE_DATE_EPOCH, else the last commit, is the time of them all.
set -euo pipefail
folder=${1:?a folder} out=${2:?a folder}

epoch=${SOURCE_DATE_EPOCH:-$(git -C "$(dirname "$0")" -c safe.directory='*' log -1 --format=%ct 2>/dev/null || echo 0)}
# macOS calls GNU's one gtar.
tar=$(command -v gtar || command -v tar)
name=$(basename "$folder").tar.gz
mkdir -p "$out"
"$tar" --create --sort=name --format=ustar --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
  --mode=u=rwX,go=rX --directory "$(dirname "$folder")" "$(basename "$folder")" | gzip -9n >"$out/$name"
cd "$out"
if command -v sha256sum >/dev/null; then sha256sum "$name"; else shasum -a 256 "$name"; fi >"$name.sha256"
echo "$PWD/$name"
