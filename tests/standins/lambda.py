#!/usr/bin/env python3
"""Stands in for Lambda's Cloud API, version 1.

    lambda.py DIR

rented.py says what DIR/seed and DIR/control may hold. Here also, in DIR/control: {"no_capacity":
true}, and {"thresholds": true} keeps the published intervals. An instance cannot be stopped. Its port
is always 22, so each has an address of its own in 127.0.0.0/8: as root only, and only where no SSH
server has port 22 of all addresses.
"""

import random
import re
import time
import uuid

import rented
from machine_port import Port
from rental import RENTALS
from rental import Rental
from rented import SEED
from rented import Answer
from rented import settings_of
from standin import Fault

PHASES = [["booting", 0.4]]
KEYS = {}
ASKED_AT = {}
TYPES = {
    "gpu_1x_a10": ("A10 (24 GB PCIe)", "NVIDIA A10", 23028, 1, 75),
    "gpu_8x_h100_sxm5": ("H100 (80 GB SXM5)", "NVIDIA H100 80GB HBM3", 81559, 8, 2392),
}
REGION = {"name": "us-east-1", "description": "Virginia, USA"}


def error(code, message, suggestion=None):
    return {"error": {"code": code, "message": message, **({"suggestion": suggestion} if suggestion else {})}}


def refuse(status, code, message, suggestion=None):
    return Answer(status, error(code, message, suggestion))


def described(name):
    description, _, _, count, cents = TYPES[name]
    return {"name": name, "description": f"{count}x {description}", "gpu_description": description,
            "price_cents_per_hour": cents,
            "specs": {"vcpus": 30 * count, "memory_gib": 200 * count, "storage_gib": 1400, "gpus": count}}


class Lambda(rented.Rented):
    NAMED_FAULTS = {
        "429": {"status": 429, "body": error("global/too-many-requests", "Rate limit exceeded.")},
        "500": {"status": 500, "body": error("global/internal-error", "Something unexpected occurred.")},
        "html": {"status": 502, "body": "<html><h1>502 Bad Gateway</h1></html>", "type": "text/html"},
        "no-capacity": {"status": 400, "body": error(
            "instance-operations/launch/insufficient-capacity", "Not enough capacity to fulfill launch request.",
            "Choose an instance type with more availability, or try again later.")},
        "quota": {"status": 400, "body": error("global/quota-exceeded", "Quota exceeded.")},
        "bad-key": {"status": 401, "body": error("global/invalid-api-key", "API key was invalid, expired, or deleted.")},
    }
    ROUTES = [
        (r"GET /api/v1/instances", "list"), (r"GET /api/v1/instances/([0-9a-f]+)", "show"),
        (r"GET /api/v1/instance-types", "types"), (r"(GET|POST) /api/v1/ssh-keys", "keys"),
        (r"DELETE /api/v1/ssh-keys/([0-9a-f]+)", "delete_key"),
        (r"POST /api/v1/instance-operations/(launch|terminate|restart)", "operate"),
    ]

    def answer(self, control):
        self.settings = control
        for pattern, name in self.ROUTES:
            found = re.fullmatch(pattern, f"{self.command} {self.path_only}")
            if found:
                break
        else:
            raise Fault("no such call")
        if self.headers.get("authorization") != f"Bearer {SEED.get('key')}":
            raise refuse(401, "global/invalid-api-key", "API key was invalid, expired, or deleted.",
                         "Check your API key or create a new one, then try again.")
        if control.get("thresholds"):
            self.keep_interval(self.path_only.endswith("/launch"))
        return getattr(self, name)(*found.groups())

    def keep_interval(self, launch):
        now = time.monotonic()
        for kind, least in (("any", 1.0), *((("launch", 12.0),) if launch else ())):
            if now - ASKED_AT.get(kind, -60) < least:
                raise Answer(429, self.NAMED_FAULTS["429"]["body"])
            ASKED_AT[kind] = now

    def rental(self, id):
        rental = RENTALS.get(id)
        if rental is None or rental.gone:
            raise refuse(404, "global/object-does-not-exist", "Specified instance does not exist.")
        return rental

    def row(self, rental):
        running = rental.running_since is not None
        can = {"available": True}
        row = {
            "id": rental.id, "status": rental.status, "ssh_key_names": rental.extra["keys"], "file_system_names": [],
            "region": REGION, "instance_type": described(rental.extra["type"]),
            "name": rental.label,
            "actions": {name: can for name in ("migrate", "rebuild", "restart", "cold_reboot", "terminate")},
        }
        if running:
            # Absent, not null, before it is there.
            row.update(ip=rental.machine.ports["usual"].address, private_ip="10.19.1.2", hostname="localhost", jupyter_token=uuid.uuid4().hex)
        if self.settings.get("unknown"):
            row["quantum_flux"] = [None]
        return row

    def list(self):
        self.only_query("cluster_id")
        return 200, {"data": [self.row(one) for one in RENTALS.values() if not one.gone]}

    def show(self, id):
        return 200, {"data": self.row(self.rental(id))}

    def types(self):
        regions = [] if self.settings.get("no_capacity") else [REGION]
        rows = {name: {"instance_type": described(name), "regions_with_capacity_available": regions} for name in TYPES}
        return 200, {"data": rows}

    def keys(self, method):
        if method == "GET":
            return 200, {"data": list(KEYS.values())}
        body = self.only_fields(self.json_body(), ("name", "public_key"))
        if any(one["name"] == body["name"] for one in KEYS.values()):
            raise refuse(400, "global/duplicate", "An SSH key of this name exists.")
        key = {"id": uuid.uuid4().hex, **body}
        KEYS[key["id"]] = key
        return 200, {"data": key}

    def delete_key(self, id):
        if KEYS.pop(id, None) is None:
            raise refuse(400, "global/invalid-parameters", "No such SSH key.")
        return 200, {"data": {}}

    def operate(self, what):
        body = self.json_body()
        if what == "launch":
            return self.launch(body)
        rentals = [self.rental(id) for id in self.only_fields(body, ("instance_ids",))["instance_ids"]]
        for rental in rentals:
            if what == "restart":
                rental.halt()
                self.start(rental)
        rows = [self.row(one) for one in rentals]
        if what == "terminate":
            for rental, row in zip(rentals, rows):
                row["status"] = "terminating"
                rental.destroy()
        return 200, {"data": {f"{what}ed_instances" if what == "restart" else "terminated_instances": rows}}

    def launch(self, body):
        self.only_fields(body, ("region_name", "instance_type_name", "ssh_key_names"),
                         ("file_system_names", "quantity", "name", "hostname", "image", "user_data", "tags"))
        names = body["ssh_key_names"]
        found = [key for key in KEYS.values() if key["name"] in names]
        if len(names) != 1 or len(found) != 1:
            raise refuse(400, "global/invalid-parameters", "Exactly one SSH key that exists must be named.")
        if body["instance_type_name"] not in TYPES or body["region_name"] != REGION["name"]:
            raise refuse(400, "global/invalid-parameters", "No such instance type or region.")
        if self.settings.get("no_capacity"):
            no = self.NAMED_FAULTS["no-capacity"]
            raise Answer(no["status"], no["body"])
        if body.get("quantity", 1) != 1:
            raise Fault("a quantity other than 1")
        _, name, memory, count, cents = TYPES[body["instance_type_name"]]
        gpus = [[name, memory, "550.54.15"]] * count
        rental = Rental(uuid.uuid4().hex, body.get("name"), self.directory, gpus, cents / 100, 0.0, user="ubuntu")
        address = ".".join(["127", *(str(random.randint(1, 254)) for _ in range(3))])
        rental.machine.ports["usual"] = Port(rental.machine, address, 22)
        rental.attach(0, found[0]["public_key"])
        rental.extra = {"type": body["instance_type_name"], "keys": names}
        RENTALS[rental.id] = rental
        self.start(rental)
        return 200, {"data": {"instance_ids": [rental.id]}}

    def start(self, rental):
        rental.begin(settings_of(self.settings, rental), PHASES, "active")


if __name__ == "__main__":
    rented.main(Lambda)
