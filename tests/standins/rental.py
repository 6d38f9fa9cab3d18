"""One machine that somebody rents: its states, its keys, and what it costs."""

import os
import shutil
import time

import machine

RENTALS = {}
ENDED = []


class Rental:
    """One machine that somebody pays for."""

    to_start = False
    stopped_status = "stopped"
    last_log = ""

    def __init__(self, id, label, folder, gpus, per_hour, storage_per_hour, user="root"):
        self.id, self.label, self.gpus = id, label, gpus
        self.machine = machine.Machine(os.path.join(folder, "machines", str(id)), f"c-{id}", user)
        self.per_hour, self.storage_per_hour = per_hour, storage_per_hour
        self.keys = {}
        self.status, self.message = None, ""
        self.target, self.end, self.phases = "stopped", None, []
        self.entered = self.counted = time.monotonic()
        self.created = time.time()
        self.running_since = None
        self.paid_seconds = self.cost = 0.0
        self.onstart, self.environment, self.of_container = "", [], []
        self.starts = 0
        self.gone = False
        self.extra = {}

    def begin(self, settings, phases, end, stopped="stopped"):
        """On its way to running, by these phases."""
        self.halt()
        self.target, self.end, self.stopped_status = "running", settings.get("end", end), stopped
        self.phases = [list(phase) for phase in settings.get("phases", phases)]
        self.running_status = end
        self.entered = time.monotonic()
        self.message = ""
        self.status = self.phases[0][0] if self.phases else self.status
        self.to_start = self.end == end
        if not self.to_start:
            self.message = settings.get("message", "")

    def halt(self, status="stopped"):
        self.machine.stop()
        for port in self.machine.ports.values():
            port.become("closed")
        self.to_start = False
        self.phases, self.end, self.target, self.status = [], None, "stopped", status
        self.running_since = None

    def tick(self, settings, factor):
        now = time.monotonic()
        elapsed, self.counted = (now - self.counted) * factor, now
        if self.running_since is not None:
            self.paid_seconds += elapsed
            self.cost += elapsed * self.per_hour / 3600
        self.cost += elapsed * self.storage_per_hour / 3600
        self.write_keys(settings)
        if self.to_start:
            self.to_start = False
            self.starts += 1
            self.machine.start(settings, settings.get("gpus", self.gpus), self.onstart, self.environment,
                               self.of_container)
        if self.machine.runs() and self.machine.network is None:
            self.machine.ready()
        if self.end is not None:
            self.advance(settings, now)
        if self.machine.runs():
            for name, port in self.machine.ports.items():
                usable = self.running_since is not None or settings.get("early", False)
                port.become(settings.get(name, "open") if usable else "closed")
        after = settings.get("preempt_after")
        if after is not None and self.running_since and self.extra.get("is_bid") and now - self.running_since > after:
            self.halt(self.stopped_status)

    def advance(self, settings, now):
        if self.phases:
            if now - self.entered < self.phases[0][1]:
                return
            self.phases.pop(0)
            self.entered = now
            if self.phases:
                self.status = self.phases[0][0]
                return
        if self.end != self.running_status:
            self.status, self.end = self.end, None
        elif self.machine.ready() or not settings.get("sshd", True):
            self.status, self.end = self.end, None
            self.running_since = now
            self.message = settings.get("message", "")

    def write_keys(self, settings):
        late = settings.get("keys_late", 0)
        now = time.monotonic()
        keys = [key["text"] for key in self.keys.values()
                if not key.get("lost") and late != "never" and now - key["since"] >= late]
        if keys != self.machine.written:
            self.machine.keys(keys)

    def attach(self, id, text):
        self.keys[id] = {"text": text.strip(), "since": time.monotonic()}

    def destroy(self):
        self.halt("destroyed")
        self.last_log = read(self.machine.path("/var/log/sshd.log"))
        shutil.rmtree(self.machine.folder, ignore_errors=True)
        ENDED.append(RENTALS.pop(self.id))

    def told(self):
        """What a test may know."""
        pids = self.machine.pids()
        return {
            "id": self.id, "label": self.label, "status": self.status, "target": self.target, "pids": pids,
            "running": self.running_since is not None, "paid_seconds": self.paid_seconds, "cost": self.cost,
            "per_hour": self.per_hour, "starts": self.starts, "gone": self.gone,
            "direct_port": self.machine.ports["direct"].number, "proxy_port": self.machine.ports["proxy"].number,
            "host_key": self.machine.host_key(), "keys": self.machine.written, "disk": self.machine.disk,
            "sshd_log": read(self.machine.path("/var/log/sshd.log")) or self.last_log,
        }


def read(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""
