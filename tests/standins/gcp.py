#!/usr/bin/env python3
"""Stands in for Google Cloud Secret Manager (REST, v1), its token endpoint included.

    gcp.py DIR

Written after the REST reference of secretmanager.googleapis.com, v1. Over https, and a request must
carry the bearer token that POST /token gave for the refresh token `refresh-1`; with
{"anonymous": true} in DIR/seed, over http and without a login. Projects are `ml`, with everything allowed, and `closed`, where
all is refused. {"damage": true} in DIR/control breaks the checksum; {"only_access": true} gives no
more than the role secretAccessor does; {"may_not": ["update"]} refuses what these methods
do; with {"off": true} the project does not use the API.
"""

import base64
import json
import os
import re
import sys

import standin
from standin import Fault

SECRETS = {}
ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
NAME = re.compile(r"/v1/projects/([^/]+)/secrets(?:/([^/:]+)(?:/versions(?:/([^/:]+))?)?)?(?::([A-Za-z]+))?")
TABLE = []
for value in range(256):
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    TABLE.append(value)


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = (value >> 8) ^ TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def error(code, status, message, reason=None):
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    return code, {"error": {"code": code, "status": status, "message": message, "details": [info] if reason else []}}


def missing(name):
    return error(404, "NOT_FOUND", f"Secret [{name}] not found or has no versions.")


class Gcp(standin.Handler):
    seed = {}

    def answer(self, control):
        if self.path_only == "/token":
            return self.token(control)
        if control.get("status"):
            return error(control["status"], "UNAVAILABLE", "The service is currently unavailable.")
        authorization = self.headers.get("authorization")
        if self.seed.get("anonymous"):
            if authorization:
                raise Fault("a login over plain http")
        elif authorization != "Bearer token-1":
            return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        elif self.headers.get("x-goog-user-project") != "payer":
            raise Fault(f"x-goog-user-project is {self.headers.get('x-goog-user-project')!r}")
        told = [self.headers.get(name) or "" for name in ("user-agent", "x-goog-api-client")]
        if not re.search(r"\b(doppio|gl-python)/", " ".join(told)):
            raise Fault("nobody says who asks")
        found = NAME.fullmatch(self.path_only)
        if not found:
            raise Fault("no such path")
        project, name, version, verb = found.groups()
        if project != "ml":
            return error(403, "PERMISSION_DENIED", f"Permission 'secretmanager.versions.access' denied on resource (or it may not exist): projects/{project}.")
        if name and not ID.fullmatch(name):
            raise Fault("a name that is none")
        in_versions = "/versions" in self.path_only
        route = (self.command, bool(name), in_versions, bool(version), verb)
        handler = {
            ("GET", False, False, False, None): self.list,
            ("POST", False, False, False, None): self.create,
            ("GET", True, False, False, None): self.get,
            ("PATCH", True, False, False, None): self.update,
            ("DELETE", True, False, False, None): self.delete,
            ("POST", True, False, False, "addVersion"): self.add,
            ("GET", True, True, False, None): self.versions,
            ("GET", True, True, True, None): self.version,
            ("GET", True, True, True, "access"): self.access,
            ("POST", True, True, True, "disable"): self.disable,
        }.get(route)
        if handler is None:
            raise Fault("no such method here")
        if handler.__name__ in control.get("may_not", []):
            return error(403, "PERMISSION_DENIED", f"Permission to {handler.__name__} denied.", "IAM_PERMISSION_DENIED")
        if control.get("off"):
            return error(403, "PERMISSION_DENIED", "Secret Manager API has not been used in project ml before or it is disabled.",
                         "SERVICE_DISABLED")
        full = f"projects/ml/secrets/{name}"
        return handler(full, version, control)

    def token(self, control):
        if self.command != "POST":
            raise Fault("a token is POSTed for")
        body = self.json_body()
        if body.get("grant_type") != "refresh_token" or not body.get("client_id") or not body.get("client_secret"):
            raise Fault("not a request of RFC 6749, section 6")
        if control.get("token") == "nonsense":
            return 200, {"access_token": {"hunter2": "hunter2"}}
        if body.get("refresh_token") != "refresh-1":
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked. hunter2"}
        return 200, {"access_token": "token-1", "expires_in": 3599, "token_type": "Bearer"}

    def alt(self, *allowed):
        self.only_query("$alt", "alt", *allowed)

    def page(self, items):
        size = int(self.query.get("pageSize") or 0) or 100
        if size > 25000:
            raise Fault("pageSize over 25000")
        begin = int(self.query.get("pageToken") or 0)
        answer = {"totalSize": len(items)}
        if begin + size < len(items):
            answer["nextPageToken"] = str(begin + size)
        return items[begin:begin + size], answer

    def list(self, *_):
        self.alt("pageSize", "pageToken", "filter")
        page, answer = self.page([public(secret) for _, secret in sorted(SECRETS.items())])
        return 200, {"secrets": page, **answer}

    def create(self, *_):
        self.alt("secretId")
        name = self.query.get("secretId", "")
        if not ID.fullmatch(name):
            raise Fault("secretId")
        body = self.json_body()
        if "automatic" not in body.get("replication", {}):
            return error(400, "INVALID_ARGUMENT", "Secret.replication: the field is required.")
        unknown = set(body) - {"replication", "labels", "annotations", "name", "etag"}
        if unknown:
            raise Fault(f"unknown fields {sorted(unknown)}")
        full = f"projects/ml/secrets/{name}"
        if full in SECRETS:
            return error(409, "ALREADY_EXISTS", f"Secret [{full}] already exists.")
        make(full, body)
        return 200, public(SECRETS[full])

    def get(self, full, *_):
        self.alt()
        return (200, public(SECRETS[full])) if full in SECRETS else missing(full)

    def update(self, full, *_):
        self.alt("updateMask")
        if self.query.get("updateMask") != "annotations":
            raise Fault(f"updateMask {self.query.get('updateMask')!r}")
        body = self.json_body()
        if full not in SECRETS:
            return missing(full)
        if body.get("etag") != SECRETS[full]["etag"]:
            return error(400, "FAILED_PRECONDITION", "The etag does not match.")
        SECRETS[full]["annotations"] = body.get("annotations", {})
        SECRETS[full]["etag"] += "1"
        return 200, public(SECRETS[full])

    def delete(self, full, *_):
        self.alt("etag")
        self.empty_body()
        return (200, {}) if SECRETS.pop(full, None) else missing(full)

    def add(self, full, *_):
        self.alt()
        payload = self.json_body()["payload"]
        data = base64.b64decode(payload["data"], validate=True)
        if payload.get("dataCrc32c") != str(crc32c(data)):
            raise Fault(f"dataCrc32c {payload.get('dataCrc32c')!r}")
        if len(data) > 65536:
            return error(400, "INVALID_ARGUMENT", "The payload is larger than 64 KiB.")
        if full not in SECRETS:
            return missing(full)
        return 200, add_version(full, data)

    def versions(self, full, *_):
        self.alt("pageSize", "pageToken", "filter")
        if full not in SECRETS:
            return missing(full)
        page, answer = self.page([shown for shown, _ in reversed(SECRETS[full]["versions"])])
        return 200, {"versions": page, **answer}

    def find(self, full, version):
        versions = SECRETS.get(full, {}).get("versions") or []
        if version == "latest":
            return versions[-1] if versions else None
        if version in SECRETS.get(full, {}).get("aliases", {}):
            version = SECRETS[full]["aliases"][version]
        return versions[int(version) - 1] if version.isdigit() and 1 <= int(version) <= len(versions) else None

    def version(self, full, version, control):
        self.alt()
        if control.get("only_access"):
            return error(403, "PERMISSION_DENIED",
                         f"Permission 'secretmanager.versions.get' denied for resource '{full}/versions/{version}'.")
        found = self.find(full, version)
        return (200, found[0]) if found else missing(f"{full}/versions/{version}")

    def access(self, full, version, control):
        self.alt()
        self.empty_body()
        found = self.find(full, version)
        if not found:
            return missing(f"{full}/versions/{version}")
        shown, data = found
        if shown["state"] != "ENABLED":
            return error(400, "FAILED_PRECONDITION", f"Secret Version [{shown['name']}] is in {shown['state']} state.")
        payload = {"data": base64.b64encode(data).decode(), "dataCrc32c": str(crc32c(data))}
        if control.get("damage"):
            payload["dataCrc32c"] = str(crc32c(data) ^ 1)
        if control.get("no_sum"):
            del payload["dataCrc32c"]
        return 200, {"name": shown["name"], "payload": payload}

    def disable(self, full, version, _):
        found = self.find(full, version)
        found[0]["state"] = "DISABLED"
        return 200, found[0]


def make(full, body):
    SECRETS[full] = {"name": full, "createTime": "2026-11-22T07:00:00.123456Z", "etag": '"1', "versions": [],
                     "aliases": {"prod": "1"}, "replication": {"automatic": {}}, "labels": body.get("labels", {}),
                     "annotations": body.get("annotations", {})}


def public(secret):
    return {key: value for key, value in secret.items() if key not in ("versions", "aliases")}


def add_version(full, data):
    number = len(SECRETS[full]["versions"]) + 1
    shown = {"name": f"{full}/versions/{number}", "createTime": f"2026-11-22T07:00:{number % 60:02}.5Z", "state": "ENABLED",
             "etag": '"x"', "replicationStatus": {"automatic": {}}}
    SECRETS[full]["versions"].append((shown, data))
    return shown


if __name__ == "__main__":
    try:
        with open(os.path.join(sys.argv[1], "seed")) as file:
            Gcp.seed = json.load(file)
    except FileNotFoundError:
        pass
    for number in range(Gcp.seed.get("count", 0)):
        make(f"projects/ml/secrets/s{number:05}", {})
    standin.main(Gcp, secure=not Gcp.seed.get("anonymous"))
