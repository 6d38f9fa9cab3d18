#!/usr/bin/env python3
"""Stands in for vast.ai: its REST API as its own client and documentation describe it.

    vast.py DIR

rented.py says what DIR/seed and DIR/control may hold. Here also, in DIR/control: {"gone": [ID...]}
hides instances that go on running, {"raise": {ID: factor}} is a host that asks for more,
{"log_polls": N} makes a result wait, {"team": true} is the key of a team, {"thresholds": true}
keeps the published intervals between two calls of a kind.
"""

import base64
import json
import os
import re
import subprocess
import time

import rented
import vast_account
import vast_rows
from rental import RENTALS
from rental import Rental
from rented import SEED
from rented import Answer
from rented import settings_of
from standin import Fault
from vast_account import ACCOUNT_KEYS
from vast_account import number
from vast_account import refuse

RESULTS = {}
ASKED_AT = {}
OFFERS = {}
PHASES = [[None, 0.1], ["created", 0.1], ["loading", 0.2]]
RUNTYPES = re.compile(r"(ssh|jupyter|args)(_direct?|_proxy)?( (ssh|jupyter)(_direct?|_proxy))*")
CREATE_FIELDS = {
    "client_id", "image", "env", "price", "disk", "label", "extra", "onstart", "image_login", "python_utf8",
    "lang_utf8", "use_jupyter_lab", "jupyter_dir", "force", "cancel_unavail", "template_hash_id", "user",
    "runtype", "args", "volume_info",
}
THRESHOLDS = {"show": 2.0, "list": 1.0, "create": 4.5, "manage": 1.0, "destroy": 3.0, "command": 1.5, "reboot": 1.0,
              "ssh": 1.0, "search": 6.0}


def fault(status, error, message, **more):
    return {"status": status, "body": {"success": False, "error": error, "msg": message}, **more}


class Vast(vast_account.Account, rented.Rented):
    NAMED_FAULTS = {
        "plain-429": {"status": 429, "body": "Too Many Requests"},
        "threshold-429": {"status": 429, "body": {"detail": "API requests too frequent endpoint threshold=4.5"}},
        "retry-after": {"status": 429, "body": {"detail": "API requests too frequent"}, "headers": {"retry-after": "1"}},
        "quota": fault(429, "search_quota_exceeded", "Daily search quota exceeded.",
                       headers={"x-ratelimit-reset": str(int(time.time() // 86400 + 1) * 86400)}),
        "html": {"status": 200, "body": "<html><title>Just a moment...</title></html>", "type": "text/html"},
        "html-502": {"status": 502, "body": "<html><h1>502 Bad Gateway</h1></html>", "type": "text/html"},
        "500": {"status": 500, "body": "Internal Server Error"},
        "503": {"status": 503, "body": ""},
        "session-expired": fault(404, "auth_error", "Session expired. Please log in again."),
        "bad-key": fault(401, "auth_error", "Invalid user key"),
        "not-json": {"status": 200, "body": '{"success": tr', "type": "application/json"},
        "no-credit": fault(402, "insufficient_credit", "Your account lacks credit; see the billing page."),
        "no-billing": fault(400, "missing_billing", "You must have a billing method."),
        "taken": fault(410, "no_such_ask", "error 410/3603: no_such_ask Instance type is not available."),
        "no-such-ask": fault(404, "invalid_args", "error 404/3603: no_such_ask Instance type is not available."),
    }

    ROUTES = [
        (r"POST /api/v0/bundles/", "offers"), (r"PUT /api/v0/search/asks/", "offers_new"),
        (r"PUT /api/v0/asks/(\d+)/", "create"), (r"GET /api/v1/instances/", "list"),
        (r"GET /api/v0/instances/pending-price-increases/", "increases"),
        (r"PUT /api/v0/instances/(accept|reject)-price-increase/", "decide"),
        (r"GET /api/v0/instances/filters/", "filters"), (r"GET /api/v0/instances/(\d+)/", "show"), (r"PUT /api/v0/instances/(\d+)/", "manage"),
        (r"PUT /api/v0/instances/", "manage_many"), (r"DELETE /api/v0/instances/(\d+)/", "destroy"),
        (r"DELETE /api/v0/instances/", "destroy_many"), (r"PUT /api/v0/instances/(reboot|recycle)/(\d+)/", "reboot"),
        (r"(GET|POST) /api/v0/ssh/", "account_keys"), (r"(PUT|DELETE) /api/v0/ssh/(\d+)/", "account_key"),
        (r"(GET|POST) /api/v0/instances/(\d+)/ssh/", "keys"),
        (r"DELETE /api/v0/instances/(\d+)/ssh/(\d+)/", "detach"),
        (r"PUT /api/v0/instances/request_logs/(\d+)/", "request_logs"),
        (r"PUT /api/v0/instances/command/(\d+)/", "command_on"),
        (r"PUT /api/v0/commands/(copy_direct|rsync)/", "copy"), (r"GET /api/v0/users/current/?", "user"),
        (r"GET /api/v0/charges/", "charges"), (r"GET /api/v1/invoices/", "invoices"),
        (r"GET /api/v0/instances/balance/(\d+)/", "balance"), (r"GET /api/v0/gpu_names/unique/", "gpu_names"),
        (r"GET /results/(\d+)", "result"),
    ]
    WITHOUT_KEY = {"gpu_names", "result"}

    def answer(self, control):
        if not OFFERS:
            OFFERS.update(vast_rows.make_offers(SEED.get("offers", [])))
        for pattern, name in self.ROUTES:
            found = re.fullmatch(pattern, f"{self.command} {self.path_only}")
            if found:
                break
        else:
            raise Fault("no such call")
        self.settings = control
        if name not in self.WITHOUT_KEY:
            self.authorise(name)
        if control.get("thresholds"):
            self.keep_interval(name)
        return getattr(self, name)(*found.groups())

    def authorise(self, name):
        given = self.headers.get("authorization") or ""
        if not given.startswith("Bearer ") or "api_key" in self.query:
            raise Fault("the key is not given as a bearer token")
        # That of an instance is for itself only.
        own = [SEED.get("instance_key")] if name in ("show", "manage") else []
        if given[len("Bearer "):] not in (SEED.get("key"), SEED.get("second_key"), *own):
            raise refuse(401, "auth_error", "Invalid user key")

    def keep_interval(self, name):
        kind = {"offers": "search", "offers_new": "search", "command_on": "command", "manage_many": "manage",
                "destroy_many": "destroy", "keys": "ssh", "detach": "ssh"}.get(name, name)
        now, last = time.monotonic(), ASKED_AT.get(kind)
        if kind in THRESHOLDS and last is not None and now - last < THRESHOLDS[kind]:
            detail = f"API requests too frequent endpoint threshold={THRESHOLDS[kind]}"
            raise Answer(429, {"detail": detail})
        ASKED_AT[kind] = now

    def rental(self, id):
        rental = RENTALS.get(int(id))
        if rental is None or rental.gone or rental.id in self.settings.get("gone", []):
            raise refuse(404, "no_such_instance", f"error 404: no_such_instance {id}")
        return rental

    def row(self, rental):
        row = vast_rows.instance_row(rental, rental.extra["offer"], settings_of(self.settings, rental))
        return vast_rows.disguise(row, self.settings)

    # Offers and what becomes of them.

    def offers(self, query=None):
        body = self.json_body() if query is None else query
        self.only_query()
        found = vast_rows.search(OFFERS, body)
        return 200, {"success": True, "offers": [vast_rows.disguise(row, self.settings) for row in found]}

    def offers_new(self):
        body = self.only_fields(self.json_body(), ("select_cols", "q"))
        return self.offers(body["q"])

    def create(self, id):
        body = self.only_fields(self.json_body(), ("client_id", "disk"), CREATE_FIELDS)
        self.only_query()
        label, environment = body.get("label"), body.get("env") or {}
        if not body.get("image") and not body.get("template_hash_id"):
            raise Fault("neither image nor template_hash_id")
        for what, text, most in (("image", body.get("image"), 1024), ("label", label, 256)):
            if len(text or "") > most:
                raise Fault(f"{what} over {most} characters")
        if len(body.get("onstart") or "") + len(json.dumps(body.get("args") or "")) > 4096 + 2:
            raise Fault("onstart and args over 4096 characters")
        if not isinstance(environment, dict) or sum(len(k) + len(str(v)) for k, v in environment.items()) > 32768:
            raise Fault("env is not one map of at most 32768 characters")
        if any(len(str(value)) > 256 for value in environment.values()):
            raise Fault("a variable of env over 256 characters")
        if float(body["disk"]) < 8:
            raise Fault("disk under 8 GB")
        if body.get("runtype") and not RUNTYPES.fullmatch(body["runtype"]):
            raise Fault(f"runtype {body['runtype']!r}")
        offer = OFFERS.get(int(id))
        if offer is None or not offer["rentable"]:
            raise refuse(404, "invalid_args", f"error 404/3603: no_such_ask Instance type by id {id} is not available.",
                         ask_id=int(id))
        if any(one.extra["offer"] is offer for one in RENTALS.values()):
            raise refuse(410, "no_such_ask", f"error 410/3603: no_such_ask Instance type by id {id} is not available.",
                         ask_id=int(id))
        price = body.get("price")
        per_hour = offer["dph_base"] if price is None else float(price)
        rental = Rental(number("instance"), label, self.directory,
                        [[f"NVIDIA GeForce {offer['gpu_name']}" if "RTX" in offer["gpu_name"] else
                          f"NVIDIA {offer['gpu_name']}", offer["gpu_ram"], offer["driver_version"]]] * offer["num_gpus"],
                        per_hour, vast_rows.storage_per_hour(offer, float(body["disk"])))
        rental.onstart = body.get("onstart") or ""
        rental.environment = [(k, str(v)) for k, v in environment.items() if not k.startswith("-")]
        key = SEED.get("instance_key", "0" * 64)
        rental.of_container = [("CONTAINER_ID", str(rental.id)), ("CONTAINER_API_KEY", key)]
        rental.machine.api = self.server.server_address[1]
        rental.extra = {"offer": offer, "image": body.get("image"), "args": body.get("args"), "disk": float(body["disk"]),
                        "runtype": body.get("runtype") or "ssh_proxy", "template": body.get("template_hash_id"),
                        "is_bid": price is not None, "end_date": offer["end_date"]}
        RENTALS[rental.id] = rental
        settings = settings_of(self.settings, rental)
        if settings.get("ends_in") is not None:
            rental.extra["end_date"] = time.time() + settings["ends_in"]
        if settings.get("account_keys", True):
            for key, text in ACCOUNT_KEYS.items():
                rental.attach(key, text)
        if price is not None and per_hour < offer["min_bid"]:
            rental.halt()
            raise refuse(400, "invalid_price", "error 400: the bid is too low", new_contract=rental.id, ask_id=int(id))
        self.start(rental)
        return 200, {"success": True, "new_contract": rental.id, "instance_api_key": key}

    def start(self, rental):
        settings = settings_of(self.settings, rental)
        rental.extra.pop("cur_state", None)
        rental.begin({"banner": "Welcome to vast.ai. If authentication fails, try again after a few seconds, and double "
                                "check your ssh key.\nHave fun!\n", **settings}, PHASES, "running")
        if settings.get("end") == "stopped":
            # Not to be told from one that is meant to be so.
            rental.target = "stopped"

    # Instances.

    def list(self):
        self.only_query("select_filters", "order_by", "limit", "select_cols", "after_token")
        self.empty_body()

        def asked(name, default):
            return json.loads(self.query[name]) if name in self.query else default

        filters, limit = asked("select_filters", {}), asked("limit", 25)
        order, columns = asked("order_by", [{"col": "id", "dir": "asc"}]), asked("select_cols", None)
        unknown = set(filters) - {"actual_status", "gpu_name", "verification", "id", "label"}
        if unknown or not isinstance(limit, int) or not 1 <= limit <= 25:
            raise Fault(f"limit {limit!r}, filters by {sorted(unknown)}")
        gone = self.settings.get("gone", [])
        found = [one for one in RENTALS.values() if not one.gone and one.id not in gone]
        pairs = [(one, vast_rows.instance_row(one, one.extra["offer"], settings_of(self.settings, one))) for one in found]
        pairs = [pair for pair in pairs if vast_rows.matches(pair[1], filters)]
        for by in reversed(order):
            pairs.sort(key=lambda pair: (pair[1].get(by["col"]) is None, pair[1].get(by["col"])), reverse=by["dir"] == "desc")
        token = self.query.get("after_token")
        try:
            first = json.loads(base64.b64decode(token))["row"] if token else 0
        except ValueError:
            raise Fault(f"after_token {token!r} is not one of mine") from None
        labels = {}
        for one in found:
            labels[one.label or ""] = labels.get(one.label or "", 0) + 1
        rows = [self.row(one) for one, _ in pairs[first:first + limit]]
        if columns and columns != ["*"]:
            rows = [{name: row.get(name) for name in columns} for row in rows]
        rest = first + limit < len(pairs)
        following = base64.b64encode(json.dumps({"row": first + limit}).encode()).decode() if rest else None
        return 200, {"success": True, "instances": rows, "instances_found": len(rows), "next_token": following,
                     "total_instances": len(pairs), "label_counts": labels}

    def filters(self):
        rows = [vast_rows.instance_row(one, one.extra["offer"], {}) for one in RENTALS.values()]
        names = ("actual_status", "gpu_name", "verification")
        return 200, {"success": True, "filters": [{name: row[name] for name in names} for row in rows]}

    def show(self, id):
        self.only_query("owner")
        self.empty_body()
        try:
            rental = self.rental(id)
        except Answer:
            return 200, {"instances": None}
        return 200, {"instances": self.row(rental)}

    def manage(self, id):
        return self.change(self.rental(id), self.json_body())

    def change(self, rental, body):
        if "label" in body:
            self.only_fields(body, ("label",))
            if len(body["label"]) > 256:
                raise refuse(400, "label_too_long", "error 400: label_too_long")
            rental.label = body["label"]
        elif self.only_fields(body, ("state",))["state"] == "running":
            if rental.extra["end_date"] < time.time():
                raise refuse(400, "expired", "The contract has expired; this instance cannot be started.")
            if rental.target != "running":
                self.start(rental)
        elif body["state"] == "stopped":
            rental.halt()
        else:
            raise Fault(f"state {body['state']!r}")
        return 200, {"success": True}

    def manage_many(self):
        body = dict(self.json_body())
        rentals = [self.rental(id) for id in body.pop("ids", [])]
        for rental in rentals:
            self.change(rental, body)
        return 200, {"success": True}

    def reboot(self, how, id):
        self.only_fields(self.json_body())
        rental = self.rental(id)
        if how == "recycle":
            rental.machine.wipe()
            rental.machine.written = None
        elif rental.target != "running":
            raise refuse(400, "invalid_args", "The instance is not running.")
        rental.halt("rebooting")
        self.start(rental)
        return 200, {"success": True}

    def destroy(self, id):
        if self.body:
            self.only_fields(self.json_body())
        self.rental(id).destroy()
        return 200, {"success": True}

    def destroy_many(self):
        body = self.only_fields(self.json_body(), ("instance_ids",))
        for rental in [self.rental(id) for id in body["instance_ids"]]:
            rental.destroy()
        return 200, {"success": True}

    # Results, which lie elsewhere and are fetched without the key.

    def later(self, text):
        id = number("result")
        RESULTS[id] = [self.settings.get("log_polls", 1), text]
        url = f"http://{self.headers.get('host')}/results/{id}"
        return 200, {"success": True, "result_url": url, "msg": "wait a few seconds and then view the result_url"}

    def result(self, id):
        if self.headers.get("authorization"):
            raise Fault("the key was sent to where the results lie")
        result = RESULTS[int(id)]
        result[0] -= 1
        return (403, (b"<Error/>", "application/xml")) if result[0] >= 0 else (200, (result[1].encode(), "text/plain"))

    def request_logs(self, id):
        body = self.only_fields(self.json_body(), (), ("tail", "filter", "daemon_logs"))
        lines = self.rental(id).machine.logs().splitlines()
        lines = [line for line in lines if body.get("filter", "") in line][-int(body.get("tail") or 1000):]
        return self.later("\n".join(lines) + "\n")

    def command_on(self, id):
        words = self.only_fields(self.json_body(), ("command",))["command"].split()
        rental = self.rental(id)
        if not words or words[0] not in ("ls", "rm", "du"):
            raise refuse(400, "invalid_args", "Invalid command given.")
        if rental.machine.first is None:
            raise refuse(400, "invalid_container", "The instance is not running.")
        enter = ["nsenter", "--target", str(rental.machine.first), "--mount", "--pid", "--root", "--wd"]
        done = subprocess.run([*enter, *words], capture_output=True, text=True, timeout=20, check=False)
        return self.later(done.stdout + done.stderr)

    def copy(self, how):
        body = self.only_fields(self.json_body(), ("client_id", "src_path", "dst_path"), ("src_id", "dst_id"))
        source, target = body.get("src_id"), body.get("dst_id")
        if body["dst_path"].rstrip("/") in ("", "/root"):
            raise refuse(400, "invalid_args", "Invalid dst_path.")
        if how == "copy_direct":
            paths = [self.rental(id).machine.path(os.path.normpath("/" + path))
                     for id, path in ((source, body["src_path"]), (target, body["dst_path"]))]
            os.makedirs(os.path.dirname(paths[1]), exist_ok=True)
            subprocess.run(["cp", "-a", "--", *paths], check=True)
            return 200, {"success": True, "msg": "Remote to Remote copy initiated - check instance status bar"}
        rental = self.rental(source or target)
        port = rental.machine.ports["direct"].number
        side = "src" if source else "dst"
        return 200, {"success": True, f"{side}_addr": "127.0.0.1", f"{side}_port": port, "msg": "Rsync initiated"}

    def gpu_names(self):
        return 200, {"success": True, "gpu_names": sorted({one["gpu_name"] for one in OFFERS.values()})}


if __name__ == "__main__":
    rented.main(Vast)
