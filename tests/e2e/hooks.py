# SPDX-License-Identifier: Apache-2.0
"""A pager on this machine: a web server that writes down who was woken up, or breaks, and the files of a watch room.

with Hooks() as hooks:
    furnish(node, hooks)                        # roster.toml and desk.toml of SC2: W1 on shift, W2 behind, S1 above
    until(lambda: hooks.woken("W1"), "W1 is woken up")
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.nodes import NodeProcess

ROSTER = """
[[people]]
name = "W1"
role = "WATCH_OFFICER"
post = "watch-1"
pages = ["{url}/W1", "tel:+999 555 0101"]

[[people]]
name = "W2"
role = "WATCH_OFFICER"
pages = ["{url}/W2"]

[[people]]
name = "S1"
role = "SUPERVISOR"
post = "supervisor"
pages = ["{url}/S1"]

[[people]]
name = "L1"
role = "LINGUIST"
pages = ["{url}/L1"]

[[shifts]]
person = "W1"
start = 2029-12-31T00:00:00Z
end = 2030-01-03T00:00:00Z

[[shifts]]
person = "W2"
start = 2029-12-31T00:00:00Z
end = 2030-01-03T00:00:00Z
backup = true
"""


class Hooks:
    """`broken`: names whose hook answers 500."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.broken: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                name = self.path.strip("/")
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.calls.append((name, json.loads(body)))
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
        return [said for who, said in tuple(self.calls) if who == name]


def furnish(node: NodeProcess, hooks: Hooks, *outside: str) -> None:
    """The node's room, as its people would write it: it reads both files by itself."""
    kinds = ", ".join(f'"{kind}"' for kind in outside or ("line",))
    (node.folder / "desk.toml").write_text(f"wake = true\noutside = [{kinds}]\n")
    (node.folder / "roster.toml").write_text(ROSTER.format(url=hooks.url))
