#!/usr/bin/env python3
"""Stands in for Azure Key Vault (secrets) and Microsoft Entra.

    azure.py DIR

Written after the REST reference of Key Vault's secrets and of the OAuth 2.0 client credentials
flow. Without a bearer token it challenges, as Key Vault does. The client `client-1` of the tenant
`tenant-1` has the secret `entra-secret` and the federated token `federated-token`; `client-2` may
read nothing. DIR/seed may hold {"count": N}. In DIR/control, {"only_get": true} takes the right to list
away, {"echo": STATUS} repeats each request in its refusal, and {"redirect": URL} sends everybody to
another host.
"""

import json
import os
import re
import sys
import urllib.parse
import uuid

import standin
from standin import Fault

SECRETS = {}
DELETED = {}
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
VERSIONS_OF_THE_API = {"7.4", "7.5", "7.6", "2025-07-01", "2026-04-01"}
CLOCK = [1_760_000_000]


def error(status, code, message, inner=None):
    body = {"code": code, "message": message}
    if inner:
        body["innererror"] = {"code": inner}
    return status, {"error": body}


class Azure(standin.Handler):
    def answer(self, control):
        if control.get("redirect"):
            return 307, {}, ("location", control["redirect"] + self.path)
        if not self.path_only.startswith("/secrets") and not self.path_only.startswith("/deletedsecrets"):
            return self.entra(control)
        if control.get("status"):
            return error(control["status"], "ServiceUnavailable", "The service is unavailable.")
        token = self.headers.get("authorization")
        if token not in ("Bearer token-1", "Bearer token-2"):
            self.empty_body()
            host = self.headers.get("host")
            challenge = f'Bearer authorization="https://{host}/tenant-1", resource="https://vault.azure.net"'
            status, body = error(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
            return status, body, ("www-authenticate", challenge)
        if control.get("echo"):
            # As a careless proxy does.
            said = "; ".join(f"{name.lower()}: {value}" for name, value in self.headers.items())
            return error(control["echo"], "BadParameter", f"{said} {self.body.decode()}")
        if self.query.get("api-version") not in VERSIONS_OF_THE_API:
            raise Fault(f"api-version {self.query.get('api-version')!r}")
        if token == "Bearer token-2":
            return error(403, "Forbidden", "The user, group or application 'appid=client-2' does not have secrets get "
                         "permission on key vault 'ml;location=westeurope'.", "ForbiddenByPolicy")
        parts = self.path_only.strip("/").split("/")
        if any(not NAME.fullmatch(part) for part in parts[1:]):
            raise Fault("a name that is none")
        match (self.command, parts):
            case ("GET", ["secrets", *_]) if control.get("only_get") and (len(parts) == 1 or parts[-1] == "versions"):
                return error(403, "Forbidden", "The user, group or application 'appid=client-1' does not have secrets list "
                             "permission on key vault 'ml;location=westeurope'.", "ForbiddenByPolicy")
            case ("GET", ["secrets"]):
                return self.page([(name, SECRETS[name][-1]) for name in sorted(SECRETS)], False)
            case ("GET", ["secrets", name, "versions"]):
                return self.page([(name, version) for version in SECRETS.get(name, [])], True)
            case ("GET", ["secrets", name]):
                return self.get(name, None)
            case ("GET", ["secrets", name, version]):
                return self.get(name, version)
            case ("PUT", ["secrets", name]):
                return self.put(name)
            case ("PATCH", ["secrets", name, version]):
                return self.patch(name, version)
            case ("DELETE", ["secrets", name]):
                return self.delete(name)
        raise Fault("no such path or method")

    def entra(self, control):
        found = re.fullmatch(r"/(tenant-1|organizations|common)/(?:v2.0/)?(oauth2/v2.0/token|.well-known/openid-configuration)",
                             self.path_only)
        if not found:
            raise Fault("no such path")
        base = f"https://{self.headers.get('host')}/tenant-1"
        if found[2].endswith("configuration"):
            return 200, {"token_endpoint": f"{base}/oauth2/v2.0/token", "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                         "issuer": f"{base}/v2.0", "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode"}
        if (self.headers.get("content-type") or "").split(";")[0] != "application/x-www-form-urlencoded":
            raise Fault("a form is POSTed for a token")
        form = dict(urllib.parse.parse_qsl(self.body.decode(), strict_parsing=True))
        if form.get("grant_type") != "client_credentials" or form.get("scope", "").split()[0] != "https://vault.azure.net/.default":
            raise Fault(f"grant_type or scope: {form.get('grant_type')} {form.get('scope')}")
        if control.get("token") == "nonsense":
            return 200, {"access_token": {"hunter2": "hunter2"}}
        right = form.get("client_secret") == "entra-secret" or (
            form.get("client_assertion") == "federated-token"
            and form.get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        if not right:
            return 401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided. hunter2",
                         "error_codes": [7000215]}
        token = {"client-1": "token-1", "client-2": "token-2"}[form["client_id"]]
        return 200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}

    def ident(self, name, version=None):
        return f"https://{self.headers.get('host')}/secrets/{name}" + (f"/{version}" if version else "")

    def properties(self, name, version, with_version):
        shown = {key: version[key] for key in ("attributes", "tags", "contentType") if key in version}
        return {"id": self.ident(name, version["version"] if with_version else None), **shown}

    def page(self, items, with_version):
        self.only_query("api-version", "maxresults", "$skiptoken")
        self.empty_body()
        size = int(self.query.get("maxresults") or 25)
        if not 1 <= size <= 25:
            return error(400, "BadParameter", "maxresults must be from 1 to 25.")
        begin = int(self.query.get("$skiptoken") or 0)
        more = begin + size < len(items)
        link = (f"https://{self.headers.get('host')}{self.path_only}?api-version={self.query['api-version']}"
                f"&%24skiptoken={begin + size}&maxresults={size}")
        page = [self.properties(name, version, with_version) for name, version in items[begin:begin + size]]
        return 200, {"value": page, "nextLink": link if more else None}

    def whole(self, name, version):
        return {"value": version["value"], **self.properties(name, version, True)}

    def get(self, name, version):
        self.only_query("api-version")
        self.empty_body()
        found = [one for one in SECRETS.get(name, []) if version in (None, one["version"])]
        if not found:
            return error(404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault.")
        if not found[-1]["attributes"]["enabled"]:
            return error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
        return 200, self.whole(name, found[-1])

    def put(self, name):
        self.only_query("api-version")
        body = self.json_body()
        unknown = set(body) - {"value", "tags", "attributes", "contentType"}
        if unknown or not isinstance(body.get("value"), str):
            raise Fault(f"no value, or unknown fields {sorted(unknown)}")
        if len(body["value"].encode()) > 25600:
            return error(400, "BadParameter", "Secret value exceeds 25k bytes.")
        if name in DELETED:
            return error(409, "Conflict", f"Secret {name} is currently in a deleted but recoverable state.",
                         "ObjectIsDeletedButRecoverable")
        return 200, self.whole(name, add(name, body["value"], body.get("tags"), body.get("attributes")))

    def patch(self, name, version):
        body = self.json_body()
        for one in SECRETS.get(name, []):
            if one["version"] == version:
                one["attributes"].update(body.get("attributes", {}))
                return 200, self.properties(name, one, True)
        return error(404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault.")

    def delete(self, name):
        self.only_query("api-version")
        self.empty_body()
        if name not in SECRETS:
            return error(404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault.")
        DELETED[name] = SECRETS.pop(name)
        return 200, {"recoveryId": f"https://{self.headers.get('host')}/deletedsecrets/{name}", "deletedDate": CLOCK[0],
                     "scheduledPurgeDate": CLOCK[0] + 7776000, **self.properties(name, DELETED[name][-1], True)}


def add(name, value, tags=None, attributes=None):
    CLOCK[0] += 1
    version = {"version": uuid.uuid4().hex, "value": value, "tags": tags or {}, "attributes": {
        "enabled": True, "created": CLOCK[0], "updated": CLOCK[0], "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": 90, **(attributes or {})}}
    SECRETS.setdefault(name, []).append(version)
    return version


if __name__ == "__main__":
    try:
        with open(os.path.join(sys.argv[1], "seed")) as file:
            for number in range(json.load(file).get("count", 0)):
                add(f"s{number:05}", "hunter2 value")
    except FileNotFoundError:
        pass
    standin.main(Azure, secure=True)
