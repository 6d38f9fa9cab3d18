#!/usr/bin/env bash
# try.sh FOLDER
#
# Installs each wheel in FOLDER with pip into a fresh environment, unpacks each tarball of a binary and
# each Debian package, and runs recipes/quickstart.toml with what comes out, in a home of its own.
set -euo pipefail
folder=$(cd "${1:?a folder}" && pwd)
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

id=$("$cargo" pkgid --offline)
version=${id##*[#@]}
work=$(mktemp -d "${TMPDIR:-/tmp}/doppio-try.XXXXXX")
trap 'rm -rf "$work"' EXIT
tried=0

# alone COMMAND...: without anything of whoever runs this.
alone() {
  env -i PATH="$PATH" HOME="$work/home" DOPPIO_HOME="$work/home/doppio" LANG=C.UTF-8 \
    DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent/bus "$@"
}

# try PACKAGE PROGRAM: the program of this package is the version of this checkout, and works.
try() {
  local says
  says=$(alone "$2" version)
  if [ "$says" != "doppio $version" ]; then
    echo "$1: says \`$says\`, expected \`doppio $version\`" >&2
    exit 1
  fi
  alone "$2" run recipes/quickstart.toml
  echo "$(basename "$1"): ok"
  tried=$((tried + 1))
}

for package in "$folder"/*; do
  place=$work/$(basename "$package")
  mkdir -p "$place" "$work/home"
  case $package in
    *.whl)
      python3 -m venv "$place"
      alone "$place/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps "$package"
      try "$package" "$place/bin/doppio"
      ;;
    *-extras.tar.gz) ;;
    *.tar.gz)
      tar -xzf "$package" -C "$place"
      try "$package" "$place/$(basename "$package" .tar.gz)/doppio"
      ;;
    *.deb)
      dpkg-deb --extract "$package" "$place"
      try "$package" "$place/usr/bin/doppio"
      ;;
  esac
  rm -rf "$place"
done

if [ "$tried" -eq 0 ]; then
  echo "$folder holds no wheel, no tarball and no Debian package" >&2
  exit 1
fi
