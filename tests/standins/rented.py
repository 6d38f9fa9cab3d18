"""What the stand-ins for those who rent machines out share: rentals that live, cost money and end,
answers that go wrong on order, and what a test may ask them.

DIR/seed: {"key": the API key, "second_key": one more (a 2FA session), "offers": [...]}.
DIR/control, read anew for each request and each tick:

  latency       seconds before each answer
  faults        [{"on": regex of "METHOD PATH?QUERY", "do": a name of the vendor's, or "status",
                "body", "headers"; "wait": seconds (a minute and more hangs), "cut": true ends the
                connection instead; "after": true does what was asked first; "times", "skip": N;
                "key": "second_key" means only requests with that one}]
  machine       settings of machines, and "machines": {ID or label: settings} over them:
                "phases": [[status, seconds]...], "end": the last status ("running" starts an sshd),
                "message", "sshd": false, "direct" and "proxy": "open" | "closed" | "silent",
                "keys_late": seconds | "never", "preempt_after": seconds, and what machine.py takes
  nulls         true, or the fields that are null; "strings": numbers as text; "unknown": new fields
  time_factor   how many seconds of rent a second is;  "credit": $ at the beginning

For tests only, without a key: GET /_test/state, POST /_test/do {"do": WHAT, "id": ID}; WHAT is one
of "preempt", "vanish_keys", "kill_sshd", "cut", "crash", "gone", "status" (with "status").
"""

import json
import os
import re
import select
import socket
import sys
import threading
import time
import traceback
import urllib.parse

import standin
from rental import ENDED
from rental import RENTALS
from standin import Fault

BEGAN = time.monotonic()
SEEN = []
FAULTS_USED = {}
SEED = {}
TICK = 0.02


class Answer(Exception):
    """An answer that is not the usual one: `(status, body, *headers)`."""

    def __init__(self, status, body, *headers):
        super().__init__(status)
        self.answer = (status, body, *headers)


def settings_of(control, rental):
    merged = dict(control.get("machine", {}))
    special = control.get("machines", {})
    for name in (str(rental.id), rental.label):
        merged.update(special.get(name, {}) if name else {})
    return merged


class Rented(standin.Handler):
    """The vendor's class has `answer`, `NAMED_FAULTS` and maybe `authorise` and `disguise`."""

    NAMED_FAULTS = {}

    def serve(self):
        length = self.headers.get("content-length")
        self.body = self.rfile.read(int(length)) if length else b""
        self.path_only, _, query = self.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if self.path_only.startswith("/_test/"):
            return self.reply(*self.test())
        line = f"{self.command} {self.path}"
        self.note("requests", line)
        try:
            body = json.loads(self.body) if self.body else None
        except ValueError:
            body = self.body.decode(errors="replace")
        with self.lock_of_state:
            SEEN.append({"method": self.command, "path": self.path, "body": body, "at": time.monotonic() - BEGAN})
            control = self.control()
            fault = self.fault(control, line)
        if "latency" in control:
            time.sleep(control["latency"])
        answer = None
        if fault is None or fault.get("after") or not ({"do", "status", "body", "cut"} & set(fault)):
            answer = self.honest(control)
        if fault is not None:
            if not self.wait(fault.get("wait", 0)) or fault.get("cut"):
                self.close_connection = True
                return None
            own = {**self.NAMED_FAULTS.get(fault.get("do"), {}), **fault}
            if "status" in own or "body" in own:
                body = own.get("body", {})
                data = body.encode() if isinstance(body, str) else body
                kind = own.get("type", "text/plain" if isinstance(body, str) else self.ERRORS)
                return self.reply(own.get("status", 200), data, list(own.get("headers", {}).items()), kind)
        status, body, *headers = answer
        if isinstance(body, tuple):
            return self.reply(status, body[0], headers, body[1])
        return self.reply(status, body, headers, self.ERRORS if status >= 400 else "application/json")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve
    ERRORS = "application/json"

    def honest(self, control):
        try:
            with self.lock_of_state:
                return self.answer(control)
        except Answer as other:
            return other.answer
        except Fault as fault:
            self.note("faults", f"{self.command} {self.path}: {fault}")
            return 400, {"success": False, "error": "refused_by_stand_in", "msg": str(fault), "detail": str(fault),
                         "title": "refused by the stand-in", "status": 400}

    def fault(self, control, line):
        for index, fault in enumerate(control.get("faults", [])):
            given = self.headers.get("authorization")
            if not re.match(fault["on"], line) or fault.get("key") and given != f"Bearer {SEED.get(fault['key'])}":
                continue
            if "do" in fault and fault["do"] not in self.NAMED_FAULTS:
                raise ValueError(f"no fault is called {fault['do']!r}")
            key = (index, json.dumps(fault, sort_keys=True))
            used = FAULTS_USED[key] = FAULTS_USED.get(key, 0) + 1
            first = fault.get("skip", 0)
            if first < used <= first + fault.get("times", 1 << 60):
                return fault
        return None

    def wait(self, seconds):
        """Waits, unless who asks hangs up: then false."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([self.connection], [], [], min(left, 0.5))
            if ready:
                return bool(self.connection.recv(1, socket.MSG_PEEK))
        return True

    def test(self):
        with self.lock_of_state:
            if self.command == "GET" and self.path_only == "/_test/state":
                machines = [rental.told() for rental in RENTALS.values()]
                ended = [rental.told() for rental in ENDED]
                return 200, {
                    "machines": machines, "ended": ended, "requests": SEEN,
                    "running": [one["id"] for one in machines if one["running"]],
                    "pids": [pid for one in machines + ended for pid in one["pids"]],
                    "burnt": sum(one["cost"] for one in machines + ended),
                }
            if self.command == "POST" and self.path_only == "/_test/do":
                return 200, self.event(json.loads(self.body))
        return 404, {}

    def event(self, order):
        rental = next(one for one in RENTALS.values() if str(one.id) == str(order["id"]))
        what = order["do"]
        if what == "preempt":
            rental.halt(rental.stopped_status)
        elif what == "vanish_keys":
            for key in rental.keys.values():
                key["lost"] = True
            rental.machine.keys([])
        elif what == "kill_sshd":
            rental.machine.stop()
        elif what == "cut":
            for port in rental.machine.ports.values():
                port.cut()
        elif what == "crash":
            rental.halt(order.get("status", "exited"))
        elif what == "gone":
            rental.halt("gone")
            rental.gone = True
            rental.per_hour = rental.storage_per_hour = 0
        elif what == "status":
            rental.status = order["status"]
        else:
            raise ValueError(f"nothing is called {what!r}")
        return {"done": what}

    def only_fields(self, body, required=(), optional=()):
        if not isinstance(body, dict):
            raise Fault("the body is not an object")
        missing, unknown = set(required) - set(body), set(body) - set(required) - set(optional)
        if missing or unknown:
            raise Fault(f"missing fields {sorted(missing)}, unknown fields {sorted(unknown)}")
        return body

    @classmethod
    def end(cls):
        # Held for good: nothing is started any more.
        cls.lock_of_state.acquire()
        for rental in RENTALS.values():
            rental.machine.stop()

    @classmethod
    def ticks(cls):
        """Moves all rentals on. Their machines end with this thread, so it never ends."""
        while True:
            try:
                with open(os.path.join(cls.directory, "control")) as file:
                    control = json.load(file)
            except (FileNotFoundError, ValueError):
                control = {}
            with cls.lock_of_state:
                for rental in list(RENTALS.values()):
                    try:
                        rental.tick(settings_of(control, rental), control.get("time_factor", 1))
                    except Exception:
                        # The thread must live; the test finds this in the log.
                        traceback.print_exc()
                burnt = sum(one.cost for one in [*RENTALS.values(), *ENDED])
                if burnt > control.get("credit", 1 << 60):
                    for rental in RENTALS.values():
                        if rental.target == "running":
                            rental.halt(rental.stopped_status)
            time.sleep(TICK)


def main(handler):
    handler.directory = sys.argv[1]
    try:
        with open(os.path.join(handler.directory, "seed")) as file:
            SEED.update(json.load(file))
    except FileNotFoundError:
        pass
    threading.Thread(target=handler.ticks, daemon=True).start()
    standin.main(handler, secure=False)
