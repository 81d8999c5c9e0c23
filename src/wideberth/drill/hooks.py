# SPDX-License-Identifier: Apache-2.0
"""A pager on this machine: a web server on loopback that writes down who was woken up, and with what; or breaks.

with Hooks() as hooks:
    roster = f'pages = ["{hooks.url}/W1"]'
    …
    hooks.woken("W1")
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


class Woken(msgspec.Struct, frozen=True):
    """Who was called, what was said to them, and when by this machine's monotonic clock."""

    name: str
    said: dict[str, Any]
    at_ns: int


class Hooks:
    """`broken`: names whose hook answers 500; `calls`: every call, broken or not, in order."""

    def __init__(self) -> None:
        self.calls: list[Woken] = []
        self.broken: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                name = self.path.strip("/")
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.calls.append(Woken(name, json.loads(body), time.monotonic_ns()))
                self.send_response(500 if name in outer.broken else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Hooks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def woken(self, name: str) -> list[dict[str, Any]]:
        """What was said to this one, in order."""
        return [call.said for call in tuple(self.calls) if call.name == name]
