"""How a rented machine is reached from outside."""

import socket
import threading


class Port:
    """A port of this machine's loopback that leads into a machine, or pretends to."""

    def __init__(self, machine, address="127.0.0.1", number=0):
        self.machine, self.address = machine, address
        self.mode = "closed"
        self.changed = threading.Condition()
        self.live = set()
        # Bound at once, listening only when open: nobody else gets it, and it refuses.
        with socket.socket() as first:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            first.bind((address, number))
            self.number = first.getsockname()[1]
            # By its number, or the socket would lose it with the first shutdown.
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((address, self.number))
        threading.Thread(target=self.accept, daemon=True).start()

    def become(self, mode):
        """`open`, `closed`, or `silent`: takes connections and says nothing."""
        if mode not in ("open", "closed", "silent"):
            raise ValueError(f"a port cannot be {mode!r}")
        with self.changed:
            if mode == self.mode:
                return
            if self.mode == "closed":
                self.listener.listen(64)
            elif mode == "closed":
                # Linux lets a bound socket listen again later.
                self.listener.shutdown(socket.SHUT_RDWR)
            self.mode = mode
            self.changed.notify_all()

    def cut(self):
        """Ends the connections that go through it now."""
        for one in list(self.live):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.mode != "closed")
            try:
                client, _ = self.listener.accept()
            except OSError:
                continue
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        self.live.add(client)
        try:
            if self.mode == "silent":
                while client.recv(4096):
                    pass
                return
            inner = self.machine.dial()
            if inner is None:
                return
            self.live.add(inner)
            back = threading.Thread(target=pump, args=(inner, client), daemon=True)
            back.start()
            pump(client, inner)
            back.join()
            self.live.discard(inner)
            inner.close()
        except OSError:
            pass
        finally:
            self.live.discard(client)
            client.close()


def pump(source, sink):
    """Bytes from one to the other, and the end of them."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for one, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        try:
            one.shutdown(how)
        except OSError:
            pass
