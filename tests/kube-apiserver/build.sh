#!/usr/bin/env bash
# build.sh [OUT]
#
# Makes a real kube-apiserver (1.20.2) for the test that tests/run.sh runs where it finds one at
# OUT, target/tools/kube-apiserver unless given. No package has one, but Debian 12 has its source
# with all that it needs, which is compiled by Debian 12's Go: root, 15 minutes of two cores and
# 3 GB of disk, which is why tests/run.sh does not do it by itself.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${1:-$here/../../target/tools/kube-apiserver}")
[ ! -x "$out" ] || { echo "$out is there"; exit 0; }

mirror=$(grep -ohsE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* | head -n 1 | tr -d ' ' || true)
if ! grep -qs bookworm /etc/os-release || [ -z "$mirror" ]; then
  echo "this needs Debian 12 (bookworm), whose source is compiled" >&2
  exit 1
fi

apt-get install -y --no-install-recommends golang-go dpkg-dev rsync patch make >/dev/null

work=$(mktemp -d "${TMPDIR:-/tmp}/doppio-kube.XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"

# Lists of its own: the machine's stay as they are.
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main" >src.list
mkdir -p lists/partial
apt=(apt-get -q -o "Dir::Etc::sourcelist=$work/src.list" -o Dir::Etc::sourceparts=-
  -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root)
"${apt[@]}" update >/dev/null
"${apt[@]}" source kubernetes >/dev/null

cd kubernetes-*/
patch --strip=1 --input="$here/reflect2.patch"
export GOPATH=$work/gopath GOCACHE=$work/gocache GOFLAGS=-mod=vendor GOPROXY=off
export KUBE_GIT_VERSION=v1.20.2 KUBE_GIT_TREE_STATE=archive KUBE_GIT_COMMIT=debian
make WHAT=cmd/kube-apiserver >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
install -D _output/local/bin/linux/*/kube-apiserver "$out"
echo "$out"
