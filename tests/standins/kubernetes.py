#!/usr/bin/env python3
"""Stands in for the API server of a Kubernetes cluster, as far as Secrets need it.

    kubernetes.py DIR

Written after the API reference of Secrets (core/v1), the API concepts (resource versions, merge
patches, tables, partial object metadata, chunked lists) and RBAC's words. The users are the tokens
`admin` (may do everything; the certificate in user.crt is its own, too) and `reader` (may read the
Secret `default/readable`, nothing else).
DIR/seed may hold {"count": N}: N Secrets in the namespace `many`.
"""

import base64
import binascii
import json
import os
import re
import sys
import time

import standin
from standin import Fault

NAMESPACES = {"default", "team", "many"}
SECRETS = {}
VERSION = [100]
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


def status(code, reason, message, details=None):
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code}
    if details:
        body["details"] = details
    return code, body


def missing(kind, name):
    return status(404, "NotFound", f'{kind} "{name}" not found', {"name": name, "kind": kind})


def metadata(secret):
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": secret["metadata"]}
    return json.loads(json.dumps(partial))


def books(secret, manager, keys):
    ours = [old for old in secret["metadata"].get("managedFields", []) if old["manager"] == manager]
    known = {key: {} for old in ours for key in old["fieldsV1"]["f:data"]}
    fields = {"f:data": {".": {}, **known, **{f"f:{key}": {} for key in keys}}, "f:type": {}}
    entry = {"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
             "fieldsV1": fields}
    others = [old for old in secret["metadata"].get("managedFields", []) if old["manager"] != manager]
    secret["metadata"]["managedFields"] = [*others, entry]


def check_data(data):
    for key, value in data.items():
        if not KEY.fullmatch(key):
            raise Fault(f"{key!r} is no key")
        if value is None:
            continue
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError):
            raise Fault(f"the value of {key!r} is not base64") from None
    if sum(len(value or "") for value in data.values()) * 3 // 4 > 1048576:
        return status(422, "Invalid", 'Secret "x" is invalid: data: Too long: must have at most 1048576 bytes')
    return None


def touch(secret):
    VERSION[0] += 1
    secret["metadata"]["resourceVersion"] = str(VERSION[0])


def make(namespace, name, data, labels=None, annotations=None, kind="Opaque", manager="kubectl"):
    secret = {"kind": "Secret", "apiVersion": "v1", "type": kind, "data": data, "metadata": {
        "name": name, "namespace": namespace, "uid": f"uid-{len(SECRETS)}-{time.time_ns()}",
        "creationTimestamp": "2026-11-22T07:00:00Z", "labels": labels or {}, "annotations": annotations or {}}}
    touch(secret)
    books(secret, manager, data)
    SECRETS[(namespace, name)] = secret
    return secret


class Kubernetes(standin.Handler):
    def answer(self, control):
        if control.get("status"):
            return status(control["status"], "ServiceUnavailable", "the server is currently unable to handle the request")
        user = {"Bearer admin": "admin", "Bearer reader": "reader"}.get(self.headers.get("authorization"))
        for (name, value), in (self.connection.getpeercert() or {}).get("subject", []):
            user = value if name == "commonName" else user
        if user is None:
            return status(401, "Unauthorized", "Unauthorized")
        if self.path_only == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews" and self.command == "POST":
            return self.rules(user)
        found = re.fullmatch(r"/api/v1/namespaces/([^/]+)/secrets(?:/([^/]+))?", self.path_only)
        if not found:
            raise Fault("no such path")
        namespace, name = found.groups()
        verb = {("GET", True): "get", ("GET", False): "list", ("POST", False): "create", ("PATCH", True): "patch",
                ("DELETE", True): "delete"}.get((self.command, name is not None))
        if verb is None:
            raise Fault("no such method here")
        if name is not None and not NAME.fullmatch(name):
            raise Fault(f"{name!r} is no name of a Secret")
        if user == "reader" and (verb, namespace, name) != ("get", "default", "readable"):
            what = f'secrets "{name}"' if name else "secrets"
            return status(403, "Forbidden", f'{what} is forbidden: User "reader" cannot {verb} resource "secrets" '
                          f'in API group "" in the namespace "{namespace}"', {"name": name or "", "kind": "secrets"})
        return getattr(self, verb)(namespace, name)

    def rules(self, user):
        body = self.json_body()
        namespace = body.get("spec", {}).get("namespace")
        if body.get("kind") != "SelfSubjectRulesReview" or body.get("apiVersion") != "authorization.k8s.io/v1":
            raise Fault("kind or apiVersion")
        rules = [{"verbs": ["create"], "apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectrulesreviews"]}]
        if user == "admin":
            rules.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
        elif namespace == "default":
            rules.append({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["readable"]})
        body["status"] = {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}
        return 201, body

    def get(self, namespace, name):
        self.only_query()
        self.empty_body()
        secret = SECRETS.get((namespace, name))
        if secret is None:
            return missing("secrets", name)
        accept = self.headers.get("accept") or "*/*"
        if accept == PARTIAL:
            return 200, metadata(secret)
        if accept not in ("*/*", "application/json"):
            raise Fault(f"accept {accept!r}")
        return 200, secret

    def list(self, namespace, _):
        self.only_query("limit", "continue")
        self.empty_body()
        if self.headers.get("accept") != TABLE:
            raise Fault("a list with values in it")
        limit = int(self.query.get("limit", 0)) or len(SECRETS)
        begin = int(self.query.get("continue") or 0)
        names = sorted(name for space, name in SECRETS if space == namespace)
        page = [SECRETS[(namespace, name)] for name in names[begin:begin + limit]]
        rows = [{"cells": [s["metadata"]["name"], s["type"], len(s["data"]), "1m"], "object": metadata(s)} for s in page]
        columns = [{"name": name, "type": "string", "format": "", "description": "", "priority": 0}
                   for name in ("Name", "Type", "Data", "Age")]
        end = {"resourceVersion": str(VERSION[0])}
        if begin + limit < len(names):
            end |= {"continue": str(begin + limit), "remainingItemCount": len(names) - begin - limit}
        return 200, {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": end, "columnDefinitions": columns,
                     "rows": rows}

    def create(self, namespace, _):
        self.only_query("fieldManager")
        # Without a content type the API server takes JSON.
        body = self.json_body() if self.headers.get("content-type") else json.loads(self.body)
        unknown = set(body) - {"apiVersion", "kind", "metadata", "type", "data"}
        if body.get("apiVersion") != "v1" or body.get("kind") != "Secret" or unknown:
            raise Fault(f"not a Secret, or with unknown fields {sorted(unknown)}")
        name = body["metadata"]["name"]
        if namespace not in NAMESPACES:
            return missing("namespaces", namespace)
        if (namespace, name) in SECRETS:
            return status(409, "AlreadyExists", f'secrets "{name}" already exists', {"name": name, "kind": "secrets"})
        bad = check_data(body["data"])
        if bad:
            return bad
        written = body["metadata"]
        return 201, make(namespace, name, body["data"], written.get("labels"), written.get("annotations"), body["type"],
                         self.query.get("fieldManager", "unknown"))

    def patch(self, namespace, name):
        self.only_query("fieldManager", "force")
        body = self.json_body("application/merge-patch+json")
        secret = SECRETS.get((namespace, name))
        if secret is None:
            return missing("secrets", name)
        change = body.get("metadata", {})
        if change.get("resourceVersion", secret["metadata"]["resourceVersion"]) != secret["metadata"]["resourceVersion"]:
            return self.conflict(name)
        bad = check_data(body.get("data", {}))
        if bad:
            return bad
        for part, target in (("annotations", secret["metadata"]["annotations"]), ("labels", secret["metadata"]["labels"])):
            merge(target, change.get(part, {}))
        merge(secret["data"], body.get("data", {}))
        touch(secret)
        for entry in secret["metadata"]["managedFields"]:
            for key in [k for k, v in body.get("data", {}).items() if v is None]:
                entry["fieldsV1"]["f:data"].pop(f"f:{key}", None)
        books(secret, self.query.get("fieldManager", "unknown"), [k for k, v in body.get("data", {}).items() if v is not None])
        return 200, secret

    def delete(self, namespace, name):
        self.only_query()
        body = self.json_body() if self.body else {}
        secret = SECRETS.get((namespace, name))
        if secret is None:
            return missing("secrets", name)
        conditions = body.get("preconditions", {})
        unknown = set(conditions) - {"uid", "resourceVersion"}
        if unknown:
            raise Fault(f"unknown preconditions {sorted(unknown)}")
        if any(secret["metadata"][field] != wanted for field, wanted in conditions.items()):
            return self.conflict(name)
        del SECRETS[(namespace, name)]
        return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                     "details": {"name": name, "kind": "secrets", "uid": secret["metadata"]["uid"]}}

    def conflict(self, name):
        return status(409, "Conflict", f'Operation cannot be fulfilled on secrets "{name}": the object has been modified',
                      {"name": name, "kind": "secrets"})


def merge(target, change):
    for key, value in change.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = value


def seed():
    try:
        with open(os.path.join(sys.argv[1], "seed")) as file:
            wanted = json.load(file)
    except FileNotFoundError:
        return
    for number in range(wanted.get("count", 0)):
        make("many", f"s{number:05}", {"value": base64.b64encode(b"hunter2 %d" % number).decode()})


if __name__ == "__main__":
    seed()
    standin.main(Kubernetes, secure=True)
