#!/usr/bin/env bash
# Builds Doppio for release and prints the tables of benches/README.md.
#
#   benches/run.sh [mask] [steps] [wan] [cat] [plan] [scan] [sources] [vault]      all without arguments
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
[ $# -gt 0 ] || set -- mask steps wan cat plan scan sources vault
cases=()
for name in "$@"; do
  case $name in
    mask) cargo bench --locked --bench mask ;;
    scan) python3 benches/scan.py "${CARGO_TARGET_DIR:-target}/release/doppio" ;;
    sources) python3 benches/sources.py "${CARGO_TARGET_DIR:-target}/release/doppio" ;;
    vault) python3 benches/vault.py "${CARGO_TARGET_DIR:-target}/release/doppio" ;;
    *) cases+=("$name") ;;
  esac
done
[ "${#cases[@]}" -eq 0 ] || python3 benches/measure.py "${CARGO_TARGET_DIR:-target}/release/doppio" "${cases[@]}"
