#!/usr/bin/env python3
"""How fast `doppio secret scan` is, and what it misses: benches/scan.py DOPPIO [MEGABYTES]

A tree of source-like text and logs, 200 stored values that are not in it; then a corpus with each
value planted in every encoding. Beside it `rg -F -f` with the 200 values as literals, which looks
for the plain form alone.
"""

import base64
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROUNDS = 5
VALUES = 200
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
PREFIXES = ["hf_", "ghp_", "sk-proj-", "lsv2_pt_", "", "", "", ""]


def values(dice):
    for index in range(VALUES):
        prefix = dice.choice(PREFIXES)
        extra = "" if prefix else dice.choice(["", "+", "/x", "$", "%"])
        yield prefix + "".join(dice.choices(LETTERS, k=dice.randint(24, 48))) + extra


def words(dice):
    known = [os.path.basename(path) for path in os.listdir("/usr/lib/python3")] + dir(str) + dir(os) + dir(dict)
    return known + ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(2, 11))) for _ in range(4000)]


def block(dice, vocabulary):
    """A megabyte of source and log."""
    lines = []
    size = 0
    while size < 1 << 20:
        kind = dice.random()
        if kind < 0.75:
            text = "    " * dice.randint(0, 4) + " ".join(dice.choices(vocabulary, k=dice.randint(1, 12)))
        elif kind < 0.9:
            text = f'{{"step": {dice.randint(0, 10**6)}, "loss": {dice.random():.6f}, "id": "{dice.randbytes(16).hex()}"}}'
        else:
            text = base64.b64encode(dice.randbytes(57)).decode()
        lines.append(text)
        size += len(text) + 1
    return ("\n".join(lines) + "\n").encode()


def grow(folder, megabytes, dice):
    vocabulary = words(dice)
    blocks = [block(dice, vocabulary) for _ in range(16)]
    made = 0
    index = 0
    while made < megabytes << 20:
        at = os.path.join(folder, f"d{index % 97}")
        os.makedirs(at, exist_ok=True)
        size = dice.choice([2_000, 8_000, 20_000, 60_000, 400_000, 4_000_000])
        text = dice.choice(blocks)
        start = dice.randrange(len(text))
        body = (text[start:] + text * (size // len(text) + 1))[:size]
        with open(os.path.join(at, f"f{index}.txt"), "wb") as file:
            file.write(body)
        made += size
        index += 1
    return made, index


def run(command, cwd, env):
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True)
    return time.perf_counter() - begin, done


def encodings(value):
    raw = value.encode()
    yield "plain", raw
    for offset in range(3):
        yield f"base64+{offset}", base64.b64encode(b"u:x"[:offset] + raw + b" tail")
    yield "base64url", base64.urlsafe_b64encode(b"\xff\xfe" + raw).rstrip(b"=")
    yield "base64 twice", base64.b64encode(base64.b64encode(raw))
    yield "base64 wrapped", base64.encodebytes(b"padding before it, " * 4 + raw + b" after" * 9)
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "hex spaced", raw.hex(" ").encode()
    yield "percent", urllib.parse.quote(value, safe="").encode()
    yield "percent all", "".join(f"%{byte:02x}" for byte in raw).encode()
    yield "json", json.dumps(value).encode()
    yield "json in json", json.dumps(json.dumps(value)).encode()
    yield "python", repr(value).encode()
    yield "utf-16-le", value.encode("utf-16-le")
    yield "utf-16-be", value.encode("utf-16-be")
    yield "broken line", raw[: len(raw) // 2] + b"\n        " + raw[len(raw) // 2 :]
    yield "notebook", raw[: len(raw) // 2] + b"\\n" + raw[len(raw) // 2 :]
    yield "coloured", raw[:9] + b"\x1b[32m" + raw[9:]


def plant(folder, stored, dice):
    """A file for each value and encoding; returns what is in which."""
    planted = {}
    for number, (name, value) in enumerate(stored.items()):
        for index, (form, body) in enumerate(encodings(value)):
            path = f"p{number}-{index}"
            noise = dice.randbytes(dice.randint(0, 90)).hex().encode()
            with open(os.path.join(folder, path), "wb") as file:
                file.write(noise + b"\n<" + body + b">\n" + noise)
            planted[path] = (name, form)
    return planted


def main():
    doppio = os.path.abspath(sys.argv[1])
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 1024
    dice = random.Random(7)
    scratch = tempfile.mkdtemp(prefix="doppio-bench-")
    try:
        home = os.path.join(scratch, "home")
        tree = os.path.join(scratch, "tree")
        corpus = os.path.join(scratch, "corpus")
        for folder in (home, tree, corpus):
            os.makedirs(folder)
        stored = {f"S{index:03}_TOKEN": value for index, value in enumerate(values(dice))}
        project = os.path.join(scratch, "project")
        os.makedirs(project)
        with open(os.path.join(project, "doppio.toml"), "w") as file:
            file.write("dotenv = true\n")
        with open(os.path.join(project, ".env"), "w") as file:
            file.writelines(f"{name}='{value}'\n" for name, value in stored.items())
        os.chmod(os.path.join(project, ".env"), 0o600)
        literals = os.path.join(scratch, "literals")
        with open(literals, "w") as file:
            file.write("\n".join(stored.values()) + "\n")
        env = {"PATH": os.environ["PATH"], "HOME": home, "DOPPIO_HOME": home, "DOPPIO_KEYRING": "off"}

        made, files = grow(tree, megabytes, dice)
        print(f"{made / 1e6:.0f} MB in {files} files, {VALUES} stored values, warm cache, {os.cpu_count()} cores")
        cases = {
            "doppio, values": [doppio, "secret", "scan", "--no-ignore", "--no-shapes", tree],
            "doppio, values and shapes": [doppio, "secret", "scan", "--no-ignore", tree],
        }
        rg = shutil.which("rg")
        if rg:
            cases["rg -F -f, plain form only"] = [rg, "-uu", "-a", "-c", "-F", "-f", literals, tree]
        else:
            print("ripgrep is not installed: nothing to compare with")
        times = {name: [] for name in cases}
        for turn in range(ROUNDS + 1):
            order = list(cases)
            dice.shuffle(order)
            for name in order:
                took, done = run(cases[name], project, env)
                clean = 1 if name.startswith("rg") else 0
                assert done.returncode == clean, f"{name}: {done.returncode} {done.stderr.decode()[-500:]}"
                if turn > 0:
                    times[name].append(took)
        for name, taken in times.items():
            middle = statistics.median(taken)
            print(f"{name:28} {middle:6.2f} s  {made / 1e6 / middle:7.0f} MB/s")

        planted = plant(corpus, stored, dice)
        _, done = run([doppio, "secret", "scan", "--no-ignore", "--no-shapes", "--json", corpus], project, env)
        found = {}
        for line in done.stdout.splitlines():
            hit = json.loads(line)
            found.setdefault(os.path.basename(hit["path"]), []).append(hit)
        missed = {}
        for path, (name, form) in planted.items():
            if not any(hit["secret"] == f"dotenv:{name}" for hit in found.get(path, [])):
                missed.setdefault(form, []).append(name)
        wrong = sum(
            hit["secret"] != f"dotenv:{planted[path][0]}" for path, hits in found.items() for hit in hits
        )
        print(f"planted {len(planted)}: missed {sum(map(len, missed.values()))}, wrongly named {wrong}")
        for form, names in missed.items():
            print(f"  missed {form}: {len(names)} of {VALUES}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
