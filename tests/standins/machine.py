"""A rented machine: an sshd in namespaces of its own that looks like a vendor's container.

It has a disk of its own (with another HOME, host key and set of authorised keys) that stays while
it is stopped, a network of its own, and a fake `nvidia-smi`. It is reached by ports of 127.0.0.1
that this process forwards, each of which may be open, closed or silent. All its processes end with
the thread that started it, however that ends.
"""

import ctypes
import fcntl
import os
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import threading

from machine_files import BASHRC
from machine_files import NVIDIA_SMI
from machine_files import SSHD_CONFIG
from machine_port import Port
from machine_port import pump

CLONE_NEWNET = 0x40000000
HERE = os.path.dirname(os.path.abspath(__file__))
LIBC = ctypes.CDLL(None, use_errno=True)


class Machine:
    """Made stopped. `start` must be called by a thread that lives as long as the machine may."""

    def __init__(self, folder, name, user="root"):
        self.folder, self.name, self.user = folder, name, user
        self.home = "/root" if user == "root" else f"/home/{user}"
        self.disk = os.path.join(folder, "disk")
        self.process = None
        self.first = None
        self.network = None
        self.written = None
        # A port of this machine's loopback that is there on the machine's as well: the vendor's API.
        self.api = self.way_out = None
        self.ports = {"direct": Port(self), "proxy": Port(self)}
        os.makedirs(folder)

    def path(self, path):
        """A path of the machine's disk, as this machine sees it."""
        return os.path.join(self.disk, path.lstrip("/"))

    def write(self, path, text, mode=0o644):
        path = self.path(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def start(self, settings, gpus, onstart="", environment=(), of_container=()):
        """Starts it and returns at once; `ready` says when it listens."""
        self.stop()
        shutil.rmtree(os.path.join(self.folder, "bin"), ignore_errors=True)
        os.makedirs(os.path.join(self.folder, "bin"))
        self.fake_driver(settings, gpus)
        self.accounts()
        banner = settings.get("banner")
        self.write("/etc/ssh/banner", banner or "")
        lines = list(settings.get("sshd_lines", [])) + (["Banner /etc/ssh/banner"] if banner else [])
        self.write("/etc/ssh/sshd_config", "\n".join(lines) + "\n" + SSHD_CONFIG)
        if not os.path.exists(self.path(f"{self.home}/.bashrc")):
            # Only where the image is new: who changed it finds it changed after a stop.
            self.write(f"{self.home}/.bashrc", "".join(BASHRC[name] for name in settings.get("bashrc", [])))
        self.write("/etc/environment", "".join(f'{name}="{value}"\n' for name, value in environment))
        os.makedirs(self.path("/var/log"), exist_ok=True)
        begin = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in [*environment, *of_container])
        if onstart:
            self.write("/root/onstart.sh", onstart + "\n", 0o755)
            begin += "bash /root/onstart.sh >>/var/log/onstart.log 2>&1 </dev/null &\n"
        sshd = "/usr/sbin/sshd -E /var/log/sshd.log"
        if not settings.get("sshd", True):
            end = "exec sleep infinity"
        elif settings.get("reaps", True):
            end = f"exec {sshd} -D"
        else:
            # As `docker run IMAGE sleep infinity` does: who ends stays a zombie.
            end = f"{sshd}\nexec sleep infinity"
        self.write("/etc/init", begin + end + "\n")
        namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child=KILL"]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", *namespaces, "--propagation", "private",
                 os.path.join(HERE, "machine.sh"), self.folder, self.name],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def fake_driver(self, settings, gpus):
        path = os.path.join(self.folder, "bin", "nvidia-smi")
        if settings.get("driver", "works") == "missing":
            return
        lines = "\n".join("\t".join(str(field) for field in gpu) for gpu in gpus)
        script = NVIDIA_SMI.format(gpus=shlex.quote(lines), trouble=shlex.quote(settings.get("gpu_trouble", "")),
                                   code=int(settings.get("gpu_trouble_code", 18)))
        if settings.get("driver") == "hangs":
            script = "#!/bin/sh\nexec sleep infinity\n"
        with open(path, "w") as file:
            file.write(script)
        os.chmod(path, 0o755)

    def accounts(self):
        known = {"root", self.user}
        with open("/etc/passwd") as file:
            others = [line for line in file if line.split(":")[0] not in known and line.split(":")[2] != "1000"]
        with open("/etc/group") as file:
            groups = [line for line in file if line.split(":")[0] not in known and line.split(":")[2] != "1000"]
        own = ["root:x:0:0:root:/root:/bin/bash\n"]
        own_groups = ["root:x:0:\n"]
        if self.user != "root":
            own.append(f"{self.user}:x:1000:1000::{self.home}:/bin/bash\n")
            own_groups.append(f"{self.user}:x:1000:\n")
        self.write("/etc/passwd", "".join(own + others))
        self.write("/etc/group", "".join(own_groups + groups))
        self.write("/etc/shadow", "".join(f"{line.split(':')[0]}:*:19000:0:99999:7:::\n" for line in own), 0o600)
        os.makedirs(self.path(self.home), 0o700, exist_ok=True)
        os.chown(self.path(self.home), *((1000, 1000) if self.user != "root" else (0, 0)))
        self.keys(self.written or [])

    def keys(self, keys):
        """Makes these the authorised keys, as a vendor does: whatever else stood there is gone."""
        self.written = list(keys)
        self.write(f"{self.home}/.ssh/authorized_keys", "".join(key.strip() + "\n" for key in keys), 0o600)
        for path in (f"{self.home}/.ssh", f"{self.home}/.ssh/authorized_keys"):
            os.chown(self.path(path), *((1000, 1000) if self.user != "root" else (0, 0)))

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def ready(self):
        """Whether it runs and its sshd takes connections."""
        if not self.runs():
            return False
        if self.network is None:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
                children = file.read().split()
            if not children:
                return False
            self.first = int(children[0])
            self.network = os.open(f"/proc/{self.first}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            in_thread(self.loopback)
            if self.api is not None:
                self.way_out = in_thread(self.listen)
                threading.Thread(target=self.lead_out, args=(self.way_out,), daemon=True).start()
        inner = in_thread(self.dial)
        if inner is None:
            return False
        inner.close()
        return True

    def enter(self):
        if LIBC.setns(self.network, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def loopback(self):
        self.enter()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            # SIOCSIFFLAGS with IFF_UP and IFF_RUNNING.
            fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))

    def listen(self):
        self.enter()
        return socket.create_server(("127.0.0.1", self.api))

    def lead_out(self, listener):
        while True:
            try:
                inner, _ = listener.accept()
                outer = socket.create_connection(("127.0.0.1", self.api))
            except OSError:
                return
            for source, sink in ((inner, outer), (outer, inner)):
                threading.Thread(target=pump, args=(source, sink), daemon=True).start()

    def dial(self):
        """A connection to its sshd, or none. The calling thread stays in the machine's network."""
        if self.network is None:
            return None
        inner = None
        try:
            self.enter()
            inner = socket.create_connection(("127.0.0.1", 22), timeout=5)
            inner.settimeout(None)
            return inner
        except OSError:
            return None

    def pids(self):
        """Every process of the machine, as this machine numbers them."""
        if self.first is None or not self.runs():
            return []
        try:
            own = os.readlink(f"/proc/{self.first}/ns/pid")
        except OSError:
            return []
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") == own:
                    found.append(int(entry))
            except OSError:
                pass
        return found

    def host_key(self):
        """The ed25519 host key as `TYPE BASE64`, or nothing before the first start."""
        try:
            with open(self.path("/etc/ssh/ssh_host_ed25519_key.pub")) as file:
                return " ".join(file.read().split()[:2])
        except OSError:
            return None

    def logs(self):
        text = ""
        for path in (os.path.join(self.folder, "log"), self.path("/var/log/onstart.log")):
            try:
                with open(path, errors="replace") as file:
                    text += file.read()
            except OSError:
                pass
        return text

    def stop(self):
        """Ends every process of it; the disk stays."""
        if self.process is None:
            return
        # Its first process is gone only after all others of its namespace.
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
                for child in file.read().split():
                    os.kill(int(child), signal.SIGKILL)
        except OSError:
            pass
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.network is not None:
            os.close(self.network)
        if self.way_out is not None:
            # Ends the thread that waits there.
            self.way_out.shutdown(socket.SHUT_RDWR)
            self.way_out.close()
            self.way_out = None
        self.process = self.first = self.network = None

    def wipe(self):
        """Stops it and empties its disk, host keys included."""
        self.stop()
        shutil.rmtree(self.folder)
        os.makedirs(self.folder)


def in_thread(work):
    """Runs what changes its thread's network in a thread of its own."""
    result = []
    thread = threading.Thread(target=lambda: result.append(work()), daemon=True)
    thread.start()
    thread.join()
    return result[0] if result else None
