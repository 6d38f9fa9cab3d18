#!/usr/bin/env bash
# start.sh BAO FOLDER ADDRESS PORT [tls]
#
# Runs one OpenBao server in memory until it is killed: unsealed, root token `root`. With `tls`,
# FOLDER/vault-ca.pem is the authority of its certificate. BAO is the program.
set -euo pipefail

bao=$1 folder=$2 address=$3 port=$4 tls=${5:-}
# Nothing of whoever runs this: no address, no token, no settings.
set -- env -i PATH="$PATH" HOME="$folder" "$bao" server -dev -dev-root-token-id=root \
  -dev-no-store-token -dev-listen-address="$address:$port"
[ -z "$tls" ] || set -- "$@" -dev-tls -dev-tls-cert-dir="$folder"
exec "$@" >"$folder/log" 2>&1
