"""What the stand-ins share: an HTTP(S) server on a free port of 127.0.0.1 that is strict.

A request that the published API does not know, or that is not as it prescribes, is answered with
an error and written to DIR/faults; a test fails when that file is not empty. DIR/requests has one
line for each request: method and path. DIR/control may hold JSON that changes how the server
behaves: {"slow": seconds}, {"nonsense": true}, {"status": 503}.
"""

import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse


class Fault(Exception):
    """The request is not as the API prescribes."""


def certificate(directory):
    """A CA, a certificate for 127.0.0.1 and localhost, and one of a user `admin`; by openssl."""

    def run(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("req", "-x509", *key, "-days", "2", "-subj", "/CN=a CA of the tests", "-keyout", "ca.key", "-out", "ca.crt")
    run("req", *key, "-subj", "/CN=a server of the tests", "-keyout", "tls.key", "-out", "tls.csr")
    with open(os.path.join(directory, "ext"), "w") as ext:
        ext.write("subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.vault.localhost\nbasicConstraints=CA:FALSE\n")
    run("req", *key, "-subj", "/CN=admin", "-keyout", "user.key", "-out", "user.csr")
    of_ca = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
    run("x509", "-req", "-in", "tls.csr", *of_ca, "-extfile", "ext", "-out", "tls.crt")
    run("x509", "-req", "-in", "user.csr", *of_ca, "-extfile", "ext", "-out", "user.crt")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer in one packet, or each waits for the client's delayed ACK.
    wbufsize = -1
    lock = threading.Lock()
    directory = "."

    def log_message(self, *_):
        pass

    def note(self, file, line):
        with self.lock, open(os.path.join(self.directory, file), "a") as out:
            out.write(line + "\n")

    def control(self):
        try:
            with open(os.path.join(self.directory, "control")) as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def reply(self, status, body, headers=(), content_type="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def serve(self):
        length = self.headers.get("content-length")
        self.body = self.rfile.read(int(length)) if length else b""
        self.path_only, _, query = self.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.note("requests", f"{self.command} {self.path}")
        control = self.control()
        if "slow" in control:
            time.sleep(control["slow"])
        if control.get("nonsense"):
            return self.reply(control.get("status", 200), b"<html>hunter2 nonsense</html>", content_type="text/html")
        try:
            with self.lock_of_state:
                status, body, *headers = self.answer(control)
        except Fault as fault:
            self.note("faults", f"{self.command} {self.path}: {fault}")
            status, body, headers = 400, {"message": f"refused by the stand-in: {fault}"}, []
        self.reply(status, body, headers)

    @classmethod
    def end(cls):
        """What is left to do when the test is over."""

    lock_of_state = threading.RLock()
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def json_body(self, content_type="application/json"):
        found = (self.headers.get("content-type") or "").split(";")[0].strip()
        if found != content_type:
            raise Fault(f"content-type {found!r} instead of {content_type!r}")
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Fault(f"the body is not JSON: {error}") from None

    def empty_body(self):
        if self.body:
            raise Fault("a body where the API has none")

    def only_query(self, *allowed):
        unknown = set(self.query) - set(allowed)
        if unknown:
            raise Fault(f"unknown parameters {sorted(unknown)}")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # Clients that give up or mistrust the certificate are part of the tests.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main(handler, secure):
    """Serves until the parent closes stdin; prints the port."""
    handler.directory = sys.argv[1]
    server = Server(("127.0.0.1", 0), handler)
    if secure:
        certificate(handler.directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(handler.directory, "tls.crt"), os.path.join(handler.directory, "tls.key"))
        # Who has a certificate may show it.
        context.load_verify_locations(os.path.join(handler.directory, "ca.crt"))
        context.verify_mode = ssl.CERT_OPTIONAL
        # The handshake belongs to the connection's thread, or one silent client holds up all.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    handler.end()
    os._exit(0)
