"""What vast.ai's API says of offers and instances, and how a search picks from it."""

import time

from standin import Fault

MONTH = 30 * 24  # hours
DAY = 24 * 3600

# name, count, MiB a GPU, $/h, least bid, more fields
CATALOG = [
    ("RTX 4090", 1, 24564, 0.36, 0.18, {"geolocation": "Sweden, SE"}),
    ("RTX 4090", 2, 24564, 0.71, 0.35, {"geolocation": "California, US"}),
    ("RTX 4090", 1, 24564, 0.29, 0.15, {"verification": "unverified", "reliability": 0.81}),
    ("RTX 3090", 1, 24576, 0.17, 0.09, {"geolocation": "Poland, PL", "direct_port_count": 0}),
    ("RTX 3090", 4, 24576, 0.64, 0.31, {"geolocation": "Texas, US"}),
    ("H100 SXM", 1, 81559, 2.15, 1.32, {"geolocation": "Iceland, IS"}),
    ("H100 SXM", 8, 81559, 17.1, 10.9, {"geolocation": "Iceland, IS", "static_ip": True}),
    ("A100 SXM4", 1, 81920, 0.89, 0.55, {"geolocation": "Japan, JP", "duration": 3600}),
]
DRIVER = "550.54.15"


def make_offers(own):
    offers = {}
    for index, (name, count, memory, price, bid, more) in enumerate(CATALOG):
        offer = {
            "id": 7001 + index, "ask_contract_id": 7001 + index, "machine_id": 501 + index, "host_id": 61 + index,
            "bundle_id": 9001 + index, "num_gpus": count, "gpu_name": name, "gpu_ram": memory,
            "gpu_total_ram": memory * count, "gpu_frac": 1.0, "gpu_arch": "nvidia", "gpu_lanes": 16,
            "gpu_mem_bw": 900.0, "gpu_max_power": 450.0, "gpu_max_temp": 90.0, "gpu_display_active": False,
            "compute_cap": 890, "cuda_max_good": 12.4, "driver_version": DRIVER, "driver_vers": 550054015,
            "bw_nvlink": 0.0, "cpu_name": "AMD EPYC 7B13", "cpu_cores": 64, "cpu_cores_effective": 16.0 * count,
            "cpu_ghz": 3.5, "cpu_ram": 128000, "cpu_arch": "amd64", "has_avx": 1, "disk_space": 500.0,
            "disk_bw": 3000.0, "disk_name": "nvme", "inet_up": 800.0, "inet_down": 900.0, "inet_up_cost": 0.001,
            "inet_down_cost": 0.001, "direct_port_count": 20, "pci_gen": 4.0, "pcie_bw": 24.0, "mobo_name": "H12",
            "os_version": "22.04", "dph_base": price, "min_bid": bid, "dlperf": 90.0 * count,
            "dlperf_per_dphtotal": 90.0 * count / price, "flops_per_dphtotal": 80.0 * count / price,
            "total_flops": 80.0 * count, "score": 300.0 - index, "storage_cost": 0.15, "rentable": True,
            "rented": False, "is_bid": False, "external": False, "hosting_type": 1, "hostname": None,
            "public_ipaddr": "127.0.0.1", "geolocation": None, "reliability": 0.995, "reliability2": 0.995,
            "verification": "verified", "verified": True, "static_ip": False, "vms_enabled": False,
            "resource_type": "gpu", "start_date": time.time() - 30 * DAY, "end_date": time.time() + 60 * DAY,
            "duration": 60.0 * DAY, "bundled_results": 1, "cluster_id": None, "time_remaining": "",
            "vram_costperhour": price / memory, "credit_discount_max": 0.0, "platform_fee": 0.0, **more,
        }
        offer["verified"] = offer["verification"] == "verified"
        offer["end_date"] = time.time() + offer["duration"]
        offers[offer["id"]] = offer
    for one in own:
        offer = {**offers[7001], **one}
        offers[offer["id"]] = offer
    return offers


def storage_per_hour(offer, gigabytes):
    return offer["storage_cost"] * gigabytes / MONTH


def plain(value):
    """The vendor's own client sends numbers and truth values as text."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return {"true": True, "false": False}.get(value.lower(), value)
    return value


def holds(found, operator, wanted):
    if operator in ("in", "notin", "nin"):
        if not isinstance(wanted, list):
            raise Fault(f"`{operator}` wants a list, not {wanted!r}")
        return (plain(found) in [plain(one) for one in wanted]) == (operator == "in")
    found, wanted = plain(found), plain(wanted)
    if operator in ("eq", "neq"):
        return (found == wanted) == (operator == "eq")
    if operator not in ("gt", "gte", "lt", "lte"):
        raise Fault(f"operator `{operator}`")
    if found is None:
        return False
    try:
        return {"gt": found > wanted, "gte": found >= wanted, "lt": found < wanted, "lte": found <= wanted}[operator]
    except TypeError:
        raise Fault(f"{wanted!r} cannot be compared with {found!r}") from None


def matches(row, filters):
    for field, tests in filters.items():
        if not isinstance(tests, dict):
            raise Fault(f"filter `{field}` is not an object but {tests!r}")
        if not all(holds(row.get(field), operator, wanted) for operator, wanted in tests.items()):
            return False
    return True


def search(offers, query):
    query = dict(query)
    kind = query.pop("type", "on-demand")
    if kind not in ("on-demand", "bid", "reserved"):
        raise Fault(f"type {kind!r}")
    order = query.pop("order", [["score", "desc"]])
    limit = query.pop("limit", None)
    storage = float(query.pop("allocated_storage", 5.0))
    query.pop("disable_bundling", None)
    known = set(next(iter(offers.values()))) | {"dph_total", "storage_total_cost"}
    unknown = set(query) - known
    if unknown:
        raise Fault(f"unknown fields {sorted(unknown)}")
    found = []
    for offer in offers.values():
        cost = storage_per_hour(offer, storage)
        base = offer["min_bid"] if kind == "bid" else offer["dph_base"]
        row = {**offer, "is_bid": kind == "bid", "dph_base": base, "storage_total_cost": cost, "dph_total": base + cost}
        if matches(row, query):
            found.append(row)
    for field, direction in reversed(order):
        if field not in known or direction not in ("asc", "desc"):
            raise Fault(f"order {field!r} {direction!r}")
        found.sort(key=lambda row: (row[field] is None, row[field]), reverse=direction == "desc")
    return found[:int(limit)] if limit else found


def instance_row(rental, offer, settings):
    """As `show` and `list` give it."""
    running = rental.running_since is not None
    more = rental.extra
    direct = rental.machine.ports["direct"].number
    proxy = rental.machine.ports["proxy"].number
    jupyter = "jupyter" in (more["runtype"] or "")
    mapped = running and offer["direct_port_count"] and settings.get("mapped", True)
    mapping = [{"HostIp": "0.0.0.0", "HostPort": str(direct)}, {"HostIp": "::", "HostPort": str(direct)}]
    return {
        "id": rental.id, "machine_id": offer["machine_id"], "host_id": offer["host_id"],
        "actual_status": rental.status, "cur_state": more.get("cur_state", rental.target),
        "next_state": rental.target, "intended_status": more.get("intended", rental.target),
        "status_msg": rental.message or None, "image_uuid": more["image"], "image_args": more["args"],
        "image_runtype": more["runtype"], "label": rental.label, "num_gpus": offer["num_gpus"],
        "gpu_name": offer["gpu_name"], "gpu_ram": offer["gpu_ram"], "gpu_totalram": offer["gpu_total_ram"],
        "gpu_util": 0.0 if running else None, "gpu_temp": 35.0 if running else None, "gpu_arch": "nvidia",
        "cuda_max_good": offer["cuda_max_good"], "driver_version": offer["driver_version"],
        "cpu_cores_effective": offer["cpu_cores_effective"], "cpu_util": 0.0, "cpu_ram": offer["cpu_ram"],
        "disk_space": more["disk"], "disk_util": 1.0, "disk_usage": 0.5, "mem_usage": 0.1, "mem_limit": 64.0,
        "vmem_usage": 0.0, "inet_up": offer["inet_up"], "inet_down": offer["inet_down"],
        "inet_up_cost": offer["inet_up_cost"], "inet_down_cost": offer["inet_down_cost"],
        # The port of the proxy is one less than what a jupyter instance is reached by.
        "ssh_host": "127.0.0.1", "ssh_port": proxy - 1 if jupyter else proxy, "ssh_idx": "5",
        "public_ipaddr": " 127.0.0.1\n", "local_ipaddrs": "10.0.0.5 172.17.0.1 \n",
        "direct_port_count": offer["direct_port_count"], "direct_port_start": direct, "direct_port_end": direct,
        "ports": {"22/tcp": mapping} if mapped else ({} if running else None),
        "jupyter_token": None, "extra_env": [list(one) for one in rental.environment], "onstart": rental.onstart or None,
        "uptime_mins": rental.paid_seconds / 60, "start_date": rental.created, "end_date": more["end_date"],
        "duration": more["end_date"] - time.time(), "reliability2": offer["reliability2"],
        "verification": offer["verification"], "geolocation": offer["geolocation"], "is_bid": more["is_bid"],
        "min_bid": offer["min_bid"], "dph_base": rental.per_hour,
        "dph_total": rental.per_hour + rental.storage_per_hour, "storage_cost": offer["storage_cost"],
        "storage_total_cost": rental.storage_per_hour, "template_id": None, "template_hash_id": more["template"],
        "template_name": None, "volume_info": [],
    }


KEPT = ("id",)


def disguise(row, control):
    """A row as a vendor sends it on a bad day."""
    row = dict(row)
    nulls = control.get("nulls", [])
    for field in row if nulls is True else nulls:
        if field not in KEPT and field in row:
            row[field] = None
    if control.get("strings"):
        for field, value in row.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                row[field] = str(value)
    if control.get("unknown"):
        row["quantum_flux"] = {"of": ["the future", 1, None]}
    return row
