"""An AWS that checks nothing but its own rules: moto, on a free port, in memory.

Prints its port. Ends when its stdin does, so it does not outlive who started it. It counts the
calls of each access key: GET /counted/KEY gives the names of the actions, one a line.
"""
import collections
import re
import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

calls = collections.defaultdict(list)
application = DomainDispatcherApplication(create_backend_app)
# Loaded before anybody waits for an answer: `ssm` alone takes seconds.
for service in ("iam", "secretsmanager", "ssm", "sts"):
    application.app_instances[service] = create_backend_app(service)


def counting(environ, start_response):
    path = environ.get("PATH_INFO", "")
    if path.startswith("/counted/"):
        body = "".join(call + "\n" for call in calls[path[9:]]).encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]
    if path == "/latest/api/token":
        # moto's own answer leaves out the header that the SDK needs.
        headers = [("X-aws-ec2-metadata-token-ttl-seconds", "21600"), ("Content-Length", "5")]
        start_response("200 OK", headers)
        return [b"token"]
    key = re.search(r"Credential=([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    if key:
        calls[key[1]].append(environ.get("HTTP_X_AMZ_TARGET", "?").rsplit(".")[-1])
    return application(environ, start_response)


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


server = make_server("127.0.0.1", 0, counting, threaded=True, request_handler=Quiet)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
