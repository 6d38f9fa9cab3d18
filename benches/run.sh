#!/usr/bin/env bash
# Builds Doppio for release and prints the tables of benches/README.md.
#
#   benches/run.sh [mask] [steps] [wan] [cat] [plan]      all without arguments
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
[ $# -gt 0 ] || set -- mask steps wan cat plan
cases=()
for name in "$@"; do
  if [ "$name" = mask ]; then cargo bench --locked --bench mask; else cases+=("$name"); fi
done
[ "${#cases[@]}" -eq 0 ] || python3 benches/measure.py "${CARGO_TARGET_DIR:-target}/release/doppio" "${cases[@]}"
