"""What vast.ai's API does for an account: SSH keys, and money."""

import json
import re
import time

import vast_rows
from rental import ENDED
from rental import RENTALS
from rented import SEED
from rented import Answer
from standin import Fault

ACCOUNT_KEYS = {}
ACCEPTED = {}
COUNT = {"instance": 31_000_000, "key": 400, "result": 0}


def refuse(status, error, message, **more):
    return Answer(status, {"success": False, "error": error, "msg": message, **more})


def number(kind):
    COUNT[kind] += 1
    return COUNT[kind]


class Account:
    """The part of the handler that is about keys and money."""

    def public_key(self):
        body = self.only_fields(self.json_body(), ("ssh_key",), ("id",))
        if not re.match(r"(ssh|ecdsa|sk)-[^ ]+ [A-Za-z0-9+/=]+", body["ssh_key"]):
            raise Fault("not a public key")
        return body["ssh_key"].strip()

    def described(self, id, text):
        return {"id": id, "user_id": 77, "key": text, "public_key": text, "created_at": "2026-01-01T12:00:00Z",
                "deleted_at": None}

    def account_keys(self, method):
        if self.settings.get("team"):
            raise refuse(400, "team_ssh_keys_not_supported", "Teams have no SSH keys of their own.")
        if method == "GET":
            return 200, [self.described(*one) for one in ACCOUNT_KEYS.items()]
        id, text = number("key"), self.public_key()
        ACCOUNT_KEYS[id] = text
        return 200, {"success": True, "key": self.described(id, text)}

    def account_key(self, method, id):
        if int(id) not in ACCOUNT_KEYS:
            raise refuse(400, "no_ssh_key", "No ssh key provided")
        if method == "DELETE":
            del ACCOUNT_KEYS[int(id)]
            return 200, {"success": True}
        ACCOUNT_KEYS[int(id)] = self.public_key()
        return 200, {"success": True, "key": self.described(int(id), ACCOUNT_KEYS[int(id)])}

    def keys(self, method, id):
        rental = self.rental(id)
        if method == "GET":
            rows = [self.described(key, one["text"]) for key, one in rental.keys.items()]
            return 200, {"success": True, "ssh_keys": json.dumps(rows)}
        text = self.public_key()
        known = [key for key, one in rental.keys.items() if one["text"] == text]
        if known and not rental.keys[known[0]].get("lost"):
            raise refuse(400, "invalid_args", "SSH key already attached to this instance.")
        rental.attach(known[0] if known else number("key"), text)
        return 200, {"success": True, "msg": "SSH key attached successfully"}

    def detach(self, id, key):
        self.empty_body() if self.body not in (b"", b"{}") else None
        if self.rental(id).keys.pop(int(key), None) is None:
            raise refuse(404, "no_such_ssh_key", "SSH key not found.")
        return 200, {"success": True, "msg": "SSH key removed from instance."}

    def user(self):
        everybody = [*RENTALS.values(), *ENDED]
        credit = self.settings.get("credit", 20.0) - sum(one.cost for one in everybody)
        row = {"id": 77, "key_id": 5, "email": "somebody@example.org", "username": "somebody", "balance": 0.0,
               "credit": credit, "api_key": SEED.get("key"), "ssh_key": "", "sid": "s", "can_pay": True,
               "balance_threshold": 0.0, "balance_threshold_enabled": False, "billed_expected": 0.0}
        return 200, vast_rows.disguise(row, self.settings)

    def page(self, rows, date):
        self.only_query("select_filters", "latest_first", "limit", "format", "after_token")
        filters, limit = json.loads(self.query["select_filters"]), int(self.query.get("limit", 20))
        if date not in filters or limit > 100:
            raise Fault(f"no filter `{date}`, or limit {limit}")
        first = int(self.query.get("after_token", 0))
        rest = first + limit < len(rows)
        return 200, {"success": True, "count": len(rows[first:first + limit]), "total": len(rows),
                     "next_token": str(first + limit) if rest else None, "results": rows[first:first + limit]}

    def charges(self):
        rows = [{"start": int(one.created), "end": int(time.time()), "type": "instance", "source": f"instance-{one.id}",
                 "description": f"Instance {one.id} charges", "amount": one.cost, "items": [],
                 "metadata": {"label": one.label, "gpu_cost": one.cost}} for one in [*RENTALS.values(), *ENDED]]
        return self.page(rows, "day")

    def invoices(self):
        rows = [{"start": 1761980044, "end": 1761980301, "type": "credit", "source": "stripe", "amount": -25.0,
                 "description": "Manual Billing", "metadata": {"invoice_id": 9, "service": "stripe_payments"}, "items": []}]
        return self.page(rows, "when")

    def balance(self, id):
        self.only_query("owner")
        rental = self.rental(id)
        return 200, {"success": True, "id": rental.id, "balance": -rental.cost, "label": rental.label}

    def increases(self):
        rows = []
        for id, factor in self.settings.get("raise", {}).items():
            rental = RENTALS.get(int(id))
            if rental is None or ACCEPTED.get(rental.id):
                continue
            old, disk = rental.per_hour / 3600, rental.storage_per_hour / 3600
            rows.append({
                "pending_price_increase_id": 900_000 + rental.id % 1000, "contract_id": rental.id,
                "host_id": rental.extra["offer"]["host_id"], "new_gpu_costpersec": old * factor,
                "old_gpu_costpersec": old, "new_disk_ram_costpersec": disk, "old_disk_ram_costpersec": disk,
                "new_bwu_cost": None, "new_bwd_cost": None, "new_platform_fee": None, "old_bwu_cost": None,
                "old_bwd_cost": None, "old_platform_fee": None, "contract_end_date": rental.extra["end_date"],
                "ask_end_date": rental.extra["end_date"], "created_at": rental.created})
        return 200, {"success": True, "count": len(rows), "truncated": False, "pending_price_increases": rows}

    def decide(self, how):
        wanted = self.only_fields(self.json_body(), ("pending_price_increase_id",))["pending_price_increase_id"]
        for row in self.increases()[1]["pending_price_increases"]:
            if row["pending_price_increase_id"] == wanted:
                ACCEPTED[row["contract_id"]] = how
                if how == "accept":
                    RENTALS[row["contract_id"]].per_hour = row["new_gpu_costpersec"] * 3600
                return 200, {"success": True, "pending_price_increase_id": wanted, "contract_id": row["contract_id"]}
        raise refuse(404, "no_pending_price_increase", "No such pending price increase.")
