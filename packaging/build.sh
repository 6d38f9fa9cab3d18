#!/usr/bin/env bash
# build.sh [--target TRIPLE[.GLIBC]]
#
# Builds the binary that is handed out (profile `dist`) and prints its path. With a target it is built
# for that: `x86_64-unknown-linux-musl` is static, `x86_64-unknown-linux-gnu.2.28` runs from glibc 2.28
# on. `cargo-zigbuild` does both where it is installed; without it, the triple must be one that the
# system's own compiler can link for (`musl-tools` for musl), and a glibc can't be chosen.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

target=
while [ $# -gt 0 ]; do
  case $1 in
    --target) target=${2:?a triple} && shift 2 ;;
    *) echo "usage: build.sh [--target TRIPLE[.GLIBC]]" >&2 && exit 2 ;;
  esac
done

build=(build)
if [ -n "$target" ]; then
  triple=${target%%.*}
  if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$triple/lib" ]; then
    echo "no standard library for $triple: run \`rustup target add $triple\`" >&2
    exit 1
  fi
  if command -v cargo-zigbuild >/dev/null; then
    build=(zigbuild)
  elif [ "$target" != "$triple" ]; then
    echo "choosing a glibc takes cargo-zigbuild: run \`pip install cargo-zigbuild ziglang\`" >&2
    exit 1
  elif [[ $triple == *-musl ]] && ! command -v musl-gcc >/dev/null; then
    echo "a static build takes a C compiler for musl: run \`apt-get install musl-tools\`," \
      "or \`pip install cargo-zigbuild ziglang\`" >&2
    exit 1
  fi
  build+=(--target "$target")
fi

"$cargo" "${build[@]}" --profile dist --locked --bin doppio --message-format json-render-diagnostics |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p'
