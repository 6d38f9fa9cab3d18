#!/usr/bin/env python3
"""Measures the vault with 5,000 records against one with a single record.

    vault.py DOPPIO

Both are locked with an age identity, so that no key is derived from a passphrase."""

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECORDS = 5000
ROUNDS = 20


def world(folder, records):
    home = Path(folder)
    state = home / "doppio"
    state.mkdir(mode=0o700)
    key = home / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (state / "config.toml").write_text(f'keyring = false\n[vault]\nidentity = "{key}"\n')
    values = {}
    for number in range(records):
        values.setdefault(f"app{number // 50}", {})[f"key{number}"] = secrets.token_urlsafe(30)
    (home / "values.json").write_text(json.dumps(values))
    return {"PATH": os.environ["PATH"], "HOME": str(home), "DOPPIO_HOME": str(state)}


def seconds(doppio, arguments, env):
    start = time.perf_counter()
    subprocess.run([doppio, *arguments], env=env, cwd=env["HOME"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    doppio = os.path.abspath(sys.argv[1])
    print(f"{'':24}{'1 record':>12}{RECORDS:>8} records   median of {ROUNDS}")
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        worlds = [world(small, 1), world(large, RECORDS)]
        put = ["secret", "import", "values.json", "--in", "file", "--yes"]
        row("import, once", [seconds(doppio, put, env) for env in worlds])
        for name, arguments in [
            ("list", ["secret", "list", "--in", "file"]),
            ("get", ["secret", "get", "file:app0/key0"]),
            ("get --reveal", ["secret", "get", "file:app0/key0", "--reveal", "--force"]),
        ]:
            times = [[], []]
            for _ in range(ROUNDS):
                for of, env in zip(times, worlds):
                    of.append(seconds(doppio, arguments, env))
            row(name, [statistics.median(of) for of in times])


def row(name, times):
    print(f"{name:24}{times[0] * 1000:9.1f} ms{times[1] * 1000:13.1f} ms")


main()
