#!/usr/bin/env python3
"""Measures a doppio binary against OpenSSH's client, side by side in one run.

    measure.py DOPPIO [steps] [wan] [cat] [plan]

Every comparison is interleaved: each round runs each case once, and what is printed are medians
over the rounds. benches/README.md says what the cases are."""

import json
import os
import platform
import pwd
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


class Bench:
    """A scratch folder with an sshd's keys, a home and a doppio home."""

    def __init__(self, doppio, scratch):
        self.doppio = str(Path(doppio).resolve())
        self.dir = Path(scratch)
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.servers = []
        for name in ("home", "doppio", "recipes"):
            (self.dir / name).mkdir(mode=0o700)
        for name in ("host", "id"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.dir / name], check=True)
        shutil.copy(self.dir / "id.pub", self.dir / "authorized_keys")
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.dir / "home"),
            "DOPPIO_HOME": str(self.dir / "doppio"),
            "LC_ALL": "C",
        }

    def sshd(self, address, inside=()):
        """Starts an sshd with Debian's settings; returns its port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = self.dir / f"sshd_config.{port}"
        config.write_text(
            f"ListenAddress {address}:{port}\n"
            f"HostKey {self.dir}/host\nAuthorizedKeysFile {self.dir}/authorized_keys\n"
            "StrictModes no\nPermitRootLogin yes\nPrintMotd no\nAcceptEnv LANG LC_*\n"
            f"UsePAM {'yes' if os.getuid() == 0 else 'no'}\nPidFile none\n"
            f"SetEnv HOME={self.dir}/home\n"
        )
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        log = open(self.dir / f"sshd.{port}.log", "ab")
        server = subprocess.Popen([*inside, "/usr/sbin/sshd", "-D", "-e", "-f", config], stderr=log)
        self.servers.append(server)
        while f"listening on {address}" not in Path(log.name).read_text():
            if server.poll() is not None:
                sys.exit(Path(log.name).read_text())
            time.sleep(0.02)
        return port

    def close(self):
        for server in self.servers:
            server.terminate()
            server.wait()

    def host(self, name, address, port):
        """Adds a host to hosts.toml."""
        with open(self.dir / "doppio" / "hosts.toml", "a") as hosts:
            hosts.write(
                f'[hosts.{name}]\nhostname = "{address}"\nport = {port}\nuser = "{self.user}"\n'
                f'identity_file = "{self.dir}/id"\n'
            )

    def ssh(self, address, port, *options):
        """The start of an ssh command line."""
        return [
            "ssh", "-F", "none", "-p", str(port), "-i", str(self.dir / "id"), *options,
            "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=accept-new",
            "-o", "LogLevel=ERROR", "-o", f"UserKnownHostsFile={self.dir}/known_hosts",
            f"{self.user}@{address}",
        ]  # fmt: skip

    def recipe(self, name, steps):
        """Writes a recipe from (id, needs, operation) and returns its path."""
        text = [f'[recipe]\nname = "{name}"\n']
        for step, needs, operation in steps:
            text.append(f'[[step]]\nid = "{step}"\ndepends_on = {json.dumps(needs)}\n{operation}\n')
        path = self.dir / "recipes" / f"{name}.toml"
        path.write_text("\n".join(text))
        return str(path)

    def chain(self, host, count, command="true"):
        """A recipe of `count` steps, one after the other."""
        operation = f'ssh_command = {{ host_id = "{host}", command = "{command}" }}'
        steps = [(f"s{i}", [f"s{i - 1}"] if i else [], operation) for i in range(count)]
        return self.recipe(f"{host}-{count}", steps)

    def run(self, recipe, *inside):
        return [*inside, self.doppio, "run", "--output", "json", recipe]

    def seconds(self, command, **streams):
        """Runs a command to its end; its wall time."""
        start = time.monotonic()
        subprocess.run(command, env=self.env, check=True, **{**QUIET, "stderr": subprocess.DEVNULL, **streams})
        return time.monotonic() - start

    def first(self, command, is_first):
        """Seconds from the start of a command to the first line that `is_first` takes."""
        start = time.monotonic()
        with subprocess.Popen(
            command, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            found = next((time.monotonic() for line in process.stdout if is_first(line)), None)
            process.stdout.read()
        if process.returncode or found is None:
            sys.exit(f"{command} ended with {process.returncode}")
        return found - start

    def usage(self, command):
        """Wall seconds and peak memory in MiB of a command."""
        start = time.monotonic()
        process = subprocess.Popen(command, env=self.env, **QUIET)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{command} ended with {process.returncode}")
        return seconds, usage.ru_maxrss / 1024


def rounds(cases, count=ROUNDS):
    """Runs the cases in random order, `count` rounds after one to warm up; medians by name."""
    taken = {name: [] for name in cases}
    for turn in range(count + 1):
        for name in random.sample(sorted(cases), len(cases)):
            value = cases[name]()
            if turn:
                taken[name].append(value)
    return {name: statistics.median(values) for name, values in taken.items()}


def table(title, head, lines):
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for line in lines:
        print("| " + " | ".join(line) + " |", flush=True)


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms"


def is_output(line):
    return b'"step_output"' in line


def master(bench, address, port, *inside):
    """Opens a ControlMaster; returns what `ssh` needs to use it, and the master."""
    path = f"/tmp/doppio-bench.{os.getpid()}.{port}"
    options = ["-o", f"ControlPath={path}"]
    command = [*inside, *bench.ssh(address, port, *options, "-o", "ControlMaster=yes", "-N")]
    process = subprocess.Popen(command, env=bench.env, **QUIET)
    while not os.path.exists(path):
        time.sleep(0.02)
    return options, process


def steps(bench):
    """200 sequential steps on one warm connection over loopback."""
    count, cold = 200, 20
    port = bench.sshd("127.0.0.1")
    bench.host("loop", "127.0.0.1", port)
    many, one = bench.chain("loop", count), bench.chain("loop", 1)
    options, process = master(bench, "127.0.0.1", port)
    warm_ssh = [*bench.ssh("127.0.0.1", port, *options), "true"]
    cold_ssh = [*bench.ssh("127.0.0.1", port), "true"]
    cases = {
        "many": lambda: bench.seconds(bench.run(many)),
        "one": lambda: bench.seconds(bench.run(one)),
        "mux": lambda: sum(bench.seconds(warm_ssh) for _ in range(count)) / count,
        "cold": lambda: sum(bench.seconds(cold_ssh) for _ in range(cold)) / cold,
    }
    taken = rounds(cases)
    process.terminate()
    process.wait()
    step = (taken["many"] - taken["one"]) / (count - 1)
    table(
        f"{count} sequential `true` on loopback, a step",
        ["", "time", "doppio takes"],
        [
            ["doppio, warm", milliseconds(step), ""],
            ["`ssh`, ControlMaster", milliseconds(taken["mux"]), f"{step / taken['mux']:.2f} of it"],
            ["`ssh`, a connection each", milliseconds(taken["cold"]), f"{step / taken['cold']:.3f} of it"],
            ["doppio, a run of one step", milliseconds(taken["one"]), f"{taken['one'] / taken['cold']:.2f} of it"],
        ],
    )


def wan(bench):
    """Round trips, as the slope between two delays."""
    if os.getuid():
        print("\nround trips: NOT measured, network namespaces need root")
        return
    a, b = f"doppio-a-{os.getpid()}", f"doppio-b-{os.getpid()}"
    here, there, count = "192.0.2.1", "192.0.2.2", 20
    for namespace in (a, b):
        subprocess.run(["ip", "netns", "add", namespace], check=True)
    link = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("wan.py")), a, here, b, there],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    def delay(round_trip_ms):
        link.stdin.write(f"{round_trip_ms / 2}\n")
        link.stdin.flush()
        link.stdout.readline()

    try:
        delay(0)
        inside = ("ip", "netns", "exec", a)
        port = bench.sshd(there, ("ip", "netns", "exec", b))
        bench.host("far", there, port)
        many, one = bench.chain("far", count, "echo hi"), bench.chain("far", 1, "echo hi")
        options, process = master(bench, there, port, *inside)
        cold_ssh = [*inside, *bench.ssh(there, port), "echo", "hi"]
        warm_ssh = [*inside, *bench.ssh(there, port, *options), "echo", "hi"]
        cases = {
            "ssh cold": lambda: bench.first(cold_ssh, bool),
            "ssh mux": lambda: bench.first(warm_ssh, bool),
            "doppio cold": lambda: bench.first(bench.run(one, *inside), is_output),
            "doppio many": lambda: bench.seconds(bench.run(many, *inside)),
            "doppio one": lambda: bench.seconds(bench.run(one, *inside)),
        }
        taken = {}
        for round_trip in (50, 200):
            delay(round_trip)
            taken[round_trip] = rounds(cases)
            found = taken[round_trip]
            found["doppio warm"] = (found["doppio many"] - found["doppio one"]) / (count - 1)
        process.terminate()
        process.wait()
    finally:
        link.stdin.close()
        link.wait()
        for namespace in (a, b):
            subprocess.run(["ip", "netns", "del", namespace], check=False)
    lines = []
    for name in ("ssh cold", "doppio cold", "ssh mux", "doppio warm"):
        near, far = taken[50][name], taken[200][name]
        lines.append([name, milliseconds(near), milliseconds(far), f"{(far - near) / 0.150:.1f}"])
    table("Behind a delay: to the first output", ["", "at 50 ms", "at 200 ms", "round trips"], lines)


def cat(bench):
    """200 MB of text through the mask, against plain ssh."""
    size = 200_000_000
    source = bench.dir / "log"
    line = b"epoch %d step %d loss 0.%d lr 3e-4 tokens/s 18342 mem 61.2GiB eta 00:12:31 grad_norm 0.8731\n"
    with open(source, "wb") as log:
        block = b"".join(line % (i, i * 7, i * 31) for i in range(10_000))
        for _ in range(size // len(block) + 1):
            log.write(block)
        log.truncate(size)
    port = bench.sshd("127.0.0.1")
    bench.host("source", "127.0.0.1", port)
    operation = f'ssh_command = {{ host_id = "source", command = "cat {source}", env = {{ TOKEN = "${{secret:env:BENCH_TOKEN}}" }} }}'
    recipe = bench.recipe("cat", [("cat", [], operation)])
    bench.env["BENCH_TOKEN"] = "hf_" + "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=34))
    gcm = ["-o", "Ciphers=aes128-gcm@openssh.com"]

    def to_file(command):
        # Both write what they get to a file, as a user with a log would.
        with open(bench.dir / "out", "wb") as out:
            return bench.seconds(command, stdout=out)

    cases = {
        "`ssh`, its default cipher": lambda: to_file([*bench.ssh("127.0.0.1", port), "cat", str(source)]),
        "`ssh`, aes128-gcm": lambda: to_file([*bench.ssh("127.0.0.1", port, *gcm), "cat", str(source)]),
        "`doppio run --output json`": lambda: to_file(bench.run(recipe)),
        "`doppio run --output plain`": lambda: to_file([bench.doppio, "run", "--output", "plain", recipe]),
    }
    taken = rounds(cases, 3)
    base = taken["`ssh`, its default cipher"]
    lines = [[n, f"{t:.2f} s", f"{size / t / 1e6:.0f} MB/s", f"{t / base:.2f}"] for n, t in taken.items()]
    table("`cat` of 200 MB over loopback", ["", "time", "rate", "of `ssh`"], lines)


def plan(bench):
    """What doppio itself costs, without a host."""
    commands = {"`version`": [bench.doppio, "version"]}
    for count in (1_000, 10_000):
        operation = 'ssh_command = { host_id = "sandbox", command = "echo ${secret:demo/token?}" }'
        deps = [[f"s{random.randrange(max(0, i - 50), i)}" for _ in range(min(i, 2))] for i in range(count)]
        wide = [(f"s{i}", sorted(set(needs)), operation) for i, needs in enumerate(deps)]
        recipe = bench.recipe(f"plan-{count}", wide)
        commands[f"`check` of {count:,} steps"] = [bench.doppio, "check", recipe]
        commands[f"`plan` of {count:,} steps"] = [bench.doppio, "plan", recipe]
    peaks = {}

    def once(name):
        seconds, peaks[name] = bench.usage(commands[name])
        return seconds

    taken = rounds({name: (lambda name=name: once(name)) for name in commands}, 9)
    lines = [[name, milliseconds(taken[name]), f"{peaks[name]:.1f} MiB"] for name in commands]
    table("Without a host", ["", "time", "peak memory"], lines)


def main():
    cases = {"steps": steps, "wan": wan, "cat": cat, "plan": plan}
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(cases):
        sys.exit(__doc__)
    version = subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.strip()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, Linux {platform.release()}, {version}")
    if load > 1:
        print("WARNING: the machine is busy; absolute figures mean little")
    with tempfile.TemporaryDirectory(prefix="doppio-bench.") as scratch:
        bench = Bench(sys.argv[1], scratch)
        try:
            for name in sys.argv[2:] or cases:
                cases[name](bench)
        finally:
            bench.close()


if __name__ == "__main__":
    main()
