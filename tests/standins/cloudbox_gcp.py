#!/usr/bin/env python3
"""The Secret Manager part of the PyPI package cloudbox, a stand-in that is not ours.

    cloudbox_gcp.py DIR

It asks for Python 3.14, but only because its annotations are evaluated early: its modules are
compiled with annotations left alone. It serves `:access` for POST only, where the API has GET; the
same function is served for GET here. It checks neither logins nor checksums.
"""

import __future__
import importlib.machinery
import os
import socket
import sys
import threading

sys.dont_write_bytecode = True


class Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data, path, *, _optimize=-1):
        return compile(data, path, "exec", __future__.annotations.compiler_flag, True, _optimize)

    def get_code(self, name):
        path = self.get_filename(name)
        return self.source_to_code(self.get_data(path), path)


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] != "cloudbox":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec and spec.origin and spec.origin.endswith(".py"):
            spec.loader = Loader(name, spec.origin)
        return spec


if sys.version_info < (3, 14):
    sys.meta_path.insert(0, Finder)

import uvicorn  # noqa: E402
from cloudbox.services.secretmanager.app import app  # noqa: E402

for route in list(app.router.routes):
    if getattr(route, "path", "").endswith(":access"):
        app.add_api_route(route.path, route.endpoint, methods=["GET"])
# Paths with a verb first, so that `versions/{v}` does not swallow `latest:access`.
app.router.routes.sort(key=lambda route: ":" not in getattr(route, "path", "").split("}")[-1])

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
uvicorn.run(app, fd=listener.fileno(), log_level="critical")
