#!/usr/bin/env python3
"""Measures 50 secrets of one remote source: one run of doppio against fetching one by one.

    sources.py DOPPIO

Needs the virtual environment of tests/run.sh (target/tools/venv, or DOPPIO_TEST_VENV), for moto
and OpenBao. Each case goes through a relay on loopback that counts requests."""

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("DOPPIO_TEST_VENV", ROOT / "target/tools/venv")) / "bin"
SECRETS = 50
ROUNDS = 5


class Relay:
    """Hands bytes on to a server, and counts the requests in them."""

    def __init__(self, port):
        self.target = port
        self.count = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                # It is not up yet.
                client.close()
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.copy, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, False), daemon=True).start()

    def copy(self, source, target, counted):
        try:
            while data := source.recv(65536):
                if counted:
                    self.count += len(re.findall(rb" HTTP/1\.1\r\n", data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def moto(stack):
    program = ROOT / "tests/servers/support/aws_server.py"
    server = subprocess.Popen(
        [VENV / "python3", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    stack.append(server)
    relay = Relay(int(server.stdout.readline()))
    env = {
        "AWS_ENDPOINT_URL": relay.url,
        "AWS_ACCESS_KEY_ID": "AKIDBENCH",
        "AWS_SECRET_ACCESS_KEY": "not-checked",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    fill = (
        "import boto3\nc = boto3.client('secretsmanager')\n"
        f"for n in range({SECRETS}): c.create_secret(Name=f'bench/s{{n}}', SecretString=f'value number {{n:02}}')"
    )
    subprocess.run([VENV / "python3", "-c", fill], env={**os.environ, **env}, check=True)
    one = [VENV / "aws", "secretsmanager", "get-secret-value", "--secret-id"]
    return relay, env, "aws:bench/s{n}", lambda n: [*one, f"bench/s{n}"]


def openbao(stack):
    port = free_port()
    server = subprocess.Popen(
        [VENV / "bao", "server", "-dev", f"-dev-listen-address=127.0.0.1:{port}",
         "-dev-root-token-id=root", "-dev-no-store-token"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    stack.append(server)
    relay = Relay(port)
    env = {"VAULT_ADDR": relay.url, "VAULT_TOKEN": "root", "BAO_ADDR": relay.url, "BAO_TOKEN": "root"}
    put = lambda n: subprocess.run(
        [VENV / "bao", "kv", "put", "-mount=secret", f"bench/s{n}", f"value=value number {n:02}"],
        env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ).returncode
    deadline = time.monotonic() + 30
    while put(0):
        if time.monotonic() > deadline:
            sys.exit("OpenBao did not come up")
        time.sleep(0.2)
    for n in range(1, SECRETS):
        assert put(n) == 0
    one = [VENV / "bao", "kv", "get", "-mount=secret", "-field=value"]
    return relay, env, "vault:secret/bench/s{n}", lambda n: [*one, f"bench/s{n}"]


def measure(doppio, name, server, stack, scratch):
    relay, more, reference, peer = server(stack)
    home = Path(scratch) / name
    (home / "doppio").mkdir(parents=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "DOPPIO_HOME": str(home / "doppio"),
           "DOPPIO_KEYRING": "off", "LC_ALL": "C", **more}
    variables = ", ".join(f'V{n} = "${{secret:{reference.format(n=n)}}}"' for n in range(SECRETS))
    check = f"test \\\"$V{SECRETS - 1}\\\" = 'value number {SECRETS - 1:02}'"
    recipe = home / "recipe.toml"
    recipe.write_text(
        '[recipe]\nname = "bench"\n[[step]]\nid = "use"\n'
        f'local_command = {{ command = "{check}", env = {{ {variables} }} }}\n'
    )
    empty = home / "empty.toml"
    empty.write_text('[recipe]\nname = "bench"\n[[step]]\nid = "use"\nlocal_command = { command = "true" }\n')
    one_by_one = lambda command: [command(n) for n in range(SECRETS)]
    get = lambda n: [doppio, "secret", "get", reference.format(n=n), "--reveal", "--force"]
    cases = {
        "`doppio run` without secrets": ([[doppio, "run", empty]], ROUNDS),
        f"`doppio run`, {SECRETS} references": ([[doppio, "run", recipe]], ROUNDS),
        f"{SECRETS} times `doppio secret get`": (one_by_one(get), 1),
        f"{SECRETS} times the vendor's own command line": (one_by_one(peer), 1),
    }
    for case, (commands, times) in cases.items():
        taken, before = [], relay.count
        for _ in range(times):
            start = time.perf_counter()
            for command in commands:
                subprocess.run(command, env=env, cwd=home, check=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            taken.append(time.perf_counter() - start)
        requests = (relay.count - before) / times
        print(f"| {name} | {case} | {requests:.0f} | {statistics.median(taken) * 1000:,.0f} ms |", flush=True)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    doppio = str(Path(sys.argv[1]).resolve())
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| source | | requests | time |\n|---|---|---|---|")
    stack = []
    with tempfile.TemporaryDirectory(prefix="doppio-bench.") as scratch:
        try:
            measure(doppio, "aws", moto, stack, scratch)
            measure(doppio, "vault", openbao, stack, scratch)
        finally:
            for server in stack:
                server.kill()
                server.wait()


if __name__ == "__main__":
    main()
