#!/usr/bin/env python3
"""A link with a delay between two network namespaces, in user space (root).

    wan.py NAMESPACE_A ADDRESS_A NAMESPACE_B ADDRESS_B

One TUN device stands in each namespace; this process carries the IP packets from one to the other
and holds each for the delay, so both ends are real TCP, with real handshakes and delayed ACKs. It
needs no netem in the kernel. Reads one-way delays in milliseconds from stdin, one a line, and
answers each with `ok`; ends with its stdin."""

import fcntl
import heapq
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def tun(namespace, mine, peer, name):
    """Makes a device `name` in `namespace` and returns its file."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_NO_PI))
    ip("link", "set", name, "netns", namespace)
    ip("-n", namespace, "link", "set", "lo", "up")
    ip("-n", namespace, "addr", "add", mine, "peer", peer, "dev", name)
    ip("-n", namespace, "link", "set", name, "mtu", "1500", "up")
    return device


def main():
    namespace_a, address_a, namespace_b, address_b = sys.argv[1:]
    a = tun(namespace_a, address_a, address_b, f"wan{os.getpid()}a")
    b = tun(namespace_b, address_b, address_a, f"wan{os.getpid()}b")
    other = {a: b, b: a}
    delay, queue, count = 0.0, [], 0
    while True:
        now = time.monotonic()
        while queue and queue[0][0] <= now:
            _, _, device, packet = heapq.heappop(queue)
            try:
                os.write(device, packet)
            except OSError:
                pass  # a full queue drops, as a link does
        wait = queue[0][0] - now if queue else None
        for ready in select.select([a, b, 0], [], [], wait)[0]:
            if ready == 0:
                line = os.read(0, 64)
                if not line:
                    return
                delay = float(line) / 1000
                print("ok", flush=True)
                continue
            for _ in range(64):
                try:
                    packet = os.read(ready, 65536)
                except BlockingIOError:
                    break
                count += 1
                heapq.heappush(queue, (time.monotonic() + delay, count, other[ready], packet))


if __name__ == "__main__":
    main()
