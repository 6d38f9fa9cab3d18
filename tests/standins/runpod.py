#!/usr/bin/env python3
"""Stands in for RunPod's REST API, version 2, as its openapi.json describes it.

    runpod.py DIR

rented.py says what DIR/seed and DIR/control may hold. A pod gets the keys of its variable
PUBLIC_KEY, else with `startSsh` those of the account. Here also, in DIR/control: {"ports_late":
seconds} is a pod that runs before its ports are mapped, and {"no_gpus": true} starts nothing again.
"""

import json
import re
import time
from datetime import datetime
from datetime import timezone

import rented
from rental import ENDED
from rental import RENTALS
from rental import Rental
from rented import SEED
from rented import Answer
from rented import settings_of
from standin import Fault

PHASES = [["PROVISIONING", 0.2], ["STARTING", 0.2]]
KEYS = []
COUNT = [0]
GPUS = {
    # id: name, GB, MiB, secure $/h, community $/h, most
    "NVIDIA GeForce RTX 4090": ("RTX 4090", 24, 24564, 0.69, 0.34, 8),
    "NVIDIA H100 80GB HBM3": ("H100 SXM", 80, 81559, 2.99, 2.69, 8),
    "NVIDIA RTX A4000": ("RTX A4000", 16, 16376, 0.25, 0.17, 4),
}
CREATE_FIELDS = {
    "image", "templateId", "gpu", "cpu", "cloud", "dataCenterIds", "disk", "mounts", "ports", "env", "args",
    "startSsh", "startJupyter", "globalNetworking", "registry",
}
ACTIONS = {"PROVISIONING": ["stop", "terminate"], "STARTING": ["stop", "terminate"],
           "RUNNING": ["stop", "restart", "terminate"], "EXITED": ["start", "terminate"], "ERROR": ["terminate"]}
KEY = re.compile(r"(ssh|ecdsa|sk)-[^\s]+ [^\s]+([ \t][^\n\r]*)?")
LIMITS = (("ratelimit", '"default";r=99;t=60'), ("ratelimit-policy", '"default";q=100;w=60'))


def problem(status, title, detail):
    return status, {"title": title, "status": status, "detail": detail}


def refuse(status, title, detail):
    return Answer(*problem(status, title, detail))


def fault(status, title, detail, **more):
    return {"status": status, "body": {"title": title, "status": status, "detail": detail}, **more}


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")


class RunPod(rented.Rented):
    ERRORS = "application/problem+json"
    NAMED_FAULTS = {
        "429": fault(429, "Too Many Requests", "The window `default` is used up.", headers={"retry-after": "1"}),
        "500": fault(500, "Internal Server Error", "Something went wrong."),
        "html": {"status": 502, "body": "<html><h1>502 Bad Gateway</h1></html>", "type": "text/html"},
        "no-gpus": fault(400, "Bad Request", "There are no longer any instances available with the requested "
                                             "specifications. Please refresh and try again."),
        "no-credit": fault(400, "Bad Request", "Your balance is too low to start this pod."),
        "bad-key": fault(401, "Unauthorized", "The API key is invalid."),
    }
    ROUTES = [
        (r"(GET|PUT) /v2/account/ssh-keys", "ssh_keys"), (r"GET /v2/pods", "list"), (r"POST /v2/pods", "create"),
        (r"GET /v2/pods/([^/]+)", "show"), (r"PATCH /v2/pods/([^/]+)", "patch"), (r"DELETE /v2/pods/([^/]+)", "delete"),
        (r"POST /v2/pods/([^/]+)/action", "action"), (r"GET /v2/pods/([^/]+)/logs", "logs"),
        (r"GET /v2/catalog/gpus", "gpus"), (r"GET /v2/billing/pods", "billing"),
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
            raise refuse(401, "Unauthorized", "The API key is invalid.")
        return (*getattr(self, name)(*found.groups()), *LIMITS)

    def ssh_keys(self, method):
        if method == "PUT":
            keys = self.only_fields(self.json_body(), ("keys",))["keys"]
            if not all(KEY.fullmatch(key) for key in keys):
                raise refuse(422, "Unprocessable Entity", "an entry is not a public key")
            KEYS[:] = keys
        return 200, {"keys": list(KEYS)}

    def gpus(self):
        self.only_query("include", "product", "count", "cloud", "countryCodes", "cudaVersions", "minCudaVersion")
        stock = self.query.get("include") == "AVAILABILITY"
        if stock != ("product" in self.query):
            raise refuse(422, "Unprocessable Entity", "include=AVAILABILITY and product go together")
        rows = []
        for id, (name, gigabytes, _, secure, community, most) in GPUS.items():
            row = {"id": id, "name": name, "pool": None, "manufacturer": "NVIDIA", "memory": gigabytes, "secure": True,
                   "community": True, "price": {"secure": secure, "community": community},
                   "maxCount": {"secure": most, "community": most}}
            if stock:
                level = "NONE" if self.settings.get("no_gpus") else "HIGH"
                row.update(availability=level, dataCenters=[{"id": "EU-SE-1", "name": "EU-SE-1", "availability": level}])
            rows.append(row)
        return 200, {"gpus": rows}

    def rental(self, id):
        rental = RENTALS.get(id)
        if rental is None or rental.gone or id in self.settings.get("gone", []):
            raise refuse(404, "Not Found", f"pod {id} not found")
        return rental

    def create(self):
        body = self.only_fields(self.json_body(), ("name",), CREATE_FIELDS)
        if ("gpu" in body) == ("cpu" in body):
            raise Fault("exactly one of gpu and cpu")
        if not body.get("image") and not body.get("templateId"):
            raise Fault("neither image nor templateId")
        if "cpu" in body:
            self.only_fields(body["cpu"], ("id", "vcpuCount"))
            gpus, per_hour = [], 0.04 * body["cpu"]["vcpuCount"]
        else:
            gpu = self.only_fields(body["gpu"], ("id",), ("count", "allowedCudaVersions", "minCudaVersion"))
            if gpu["id"] not in GPUS:
                raise refuse(404, "Not Found", f"GPU type {gpu['id']} not found")
            _, _, memory, secure, community, most = GPUS[gpu["id"]]
            count = gpu.get("count", 1)
            if not isinstance(count, int) or not 1 <= count <= most:
                raise refuse(422, "Unprocessable Entity", f"gpu.count must be 1 to {most}")
            gpus = [[gpu["id"], memory, "550.54.15"]] * count
            per_hour = (community if body.get("cloud") == "COMMUNITY" else secure) * count
        if body.get("cloud", "SECURE") not in ("SECURE", "COMMUNITY"):
            raise Fault(f"cloud {body['cloud']!r}")
        if not all(re.fullmatch(r"\d+/(tcp|udp|http)", port) for port in body.get("ports", [])):
            raise Fault(f"ports {body['ports']!r}")
        if not all(isinstance(value, str) for value in body.get("env", {}).values()):
            raise Fault("env is not a map of texts")
        COUNT[0] += 1
        disk = body.get("disk", 20)
        rental = Rental(f"pod{COUNT[0]:06}xyz", body["name"], self.directory, gpus, per_hour, 0.0001389 * disk)
        environment = dict(body.get("env", {}))
        if body.get("startSsh") and "PUBLIC_KEY" not in environment:
            environment["PUBLIC_KEY"] = "\n".join(KEYS)
        for index, key in enumerate(environment.get("PUBLIC_KEY", "").splitlines()):
            rental.attach(index, key)
        rental.environment = list(environment.items())
        rental.extra = {"body": body, "disk": disk, "env": environment}
        RENTALS[rental.id] = rental
        self.start(rental)
        return 201, self.row(rental)

    def start(self, rental):
        settings = dict(settings_of(self.settings, rental))
        if rental.extra["body"].get("args") == "":
            # An image whose start script is replaced by nothing starts no sshd.
            settings["sshd"] = False
        rental.begin(settings, PHASES, "RUNNING", "EXITED")

    def row(self, rental):
        body, settings = rental.extra["body"], settings_of(self.settings, rental)
        running = rental.running_since is not None
        port = rental.machine.ports["direct"].number
        mapped = running and "22/tcp" in body.get("ports", []) and \
            time.monotonic() - rental.running_since >= settings.get("ports_late", 0)
        direct = {"host": "127.0.0.1", "port": port, "username": "root", "command": f"ssh root@127.0.0.1 -p {port}"}
        user = f"{rental.id}-64410c0e"
        proxy = {"host": "ssh.runpod.io", "port": 22, "username": user, "command": f"ssh {user}@ssh.runpod.io"}
        row = {
            "id": rental.id, "name": rental.label, "status": rental.status, "actions": ACTIONS.get(rental.status, []),
            "image": body.get("image", "runpod/base:latest"), "args": body.get("args", ""), "disk": rental.extra["disk"],
            "mounts": body.get("mounts", {}), "ports": body.get("ports", []), "env": rental.extra["env"],
            "registry": body.get("registry"), "cloud": body.get("cloud", "SECURE"),
            "dataCenterId": "EU-SE-1" if running else None, "cudaVersion": "12.4" if running else None,
            "ssh": {"proxy": proxy if running else None, "direct": direct if mapped else None},
            "template": body.get("templateId"), "cost": rental.per_hour if running else 0.0, "locked": False,
            "globalNetworking": {"enabled": False}, "createdAt": stamp(rental.created),
            "startedAt": stamp(time.time() - (time.monotonic() - rental.running_since)) if running else None,
            "runtime": None,
        }
        if "gpu" in body:
            row["gpu"] = {"id": body["gpu"]["id"], "count": body["gpu"].get("count", 1)}
        else:
            row["cpu"] = {**body["cpu"], "memory": 8}
        if running:
            ports = [{"private": 22, "public": port, "type": "tcp", "ip": "127.0.0.1"}] if mapped else []
            row["runtime"] = {"uptime": int(time.monotonic() - rental.running_since), "ports": ports,
                              "gpus": [{"util": 0, "memoryUtil": 0} for _ in rental.gpus]}
        if self.settings.get("unknown"):
            row["quantumFlux"] = {"of": ["the future", None]}
        return row

    def list(self):
        self.only_query("includeClusterPods")
        gone = self.settings.get("gone", [])
        return 200, {"pods": [self.row(one) for one in RENTALS.values() if not one.gone and one.id not in gone]}

    def show(self, id):
        self.only_query()
        return 200, self.row(self.rental(id))

    def patch(self, id):
        rental = self.rental(id)
        body = self.only_fields(self.json_body(), (), CREATE_FIELDS | {"name"})
        rental.label = body.get("name", rental.label)
        rental.extra["body"].update(body)
        return 200, self.row(rental)

    def delete(self, id):
        self.rental(id).destroy()
        return 204, (b"", "application/json")

    def action(self, id):
        action = self.only_fields(self.json_body(), ("action",))["action"]
        rental = self.rental(id)
        if action not in ("start", "stop", "restart", "terminate"):
            raise Fault(f"action {action!r}")
        if action not in ACTIONS.get(rental.status, []):
            raise refuse(409, "Conflict", f"a pod that is {rental.status} cannot {action}")
        if action == "terminate":
            return self.delete(id)
        if action == "start" and self.settings.get("no_gpus"):
            raise refuse(400, "Bad Request", "There are not enough free GPUs on the host machine to start this pod.")
        rental.halt("EXITED")
        if action != "stop":
            self.start(rental)
        return 200, self.row(rental)

    def logs(self, id):
        self.only_query("source", "tail", "since")
        events = ""
        rental = self.rental(id)
        lines = [("system", "create container"), *(("container", line) for line in rental.machine.logs().splitlines())]
        for source, line in lines[-int(self.query.get("tail", 100)):]:
            data = json.dumps({"source": source, "line": line, "ts": stamp(time.time())})
            events += f"id: {stamp(time.time())}\ndata: {data}\n\n"
        headers = [("cache-control", "no-cache"), ("x-accel-buffering", "no")]
        return (200, (events.encode(), "text/event-stream"), *headers)

    def billing(self):
        self.only_query("startTime", "endTime", "bucketSize", "lastN", "podId")
        everybody = [one for one in [*RENTALS.values(), *ENDED] if self.query.get("podId") in (None, one.id)]
        span = {"startTime": stamp(time.time() - 86400), "endTime": stamp(time.time())}

        def amounts(cost):
            return {"totalAmount": cost, "gpuAmount": cost, "cpuAmount": 0.0, "diskAmount": 0.0}

        records = [{**span, **amounts(one.cost), "podId": one.id} for one in everybody]
        query = {**span, "bucketSize": self.query.get("bucketSize", "day"), "podId": self.query.get("podId")}
        return 200, {"records": records, "metadata": {
            "query": query, "recordCount": len(records), "uniquePodCount": len(records),
            "totals": amounts(sum(one.cost for one in everybody))}}


if __name__ == "__main__":
    rented.main(RunPod)
