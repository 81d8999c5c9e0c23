# SPDX-License-Identifier: Apache-2.0
"""The command line's end of the node's local socket: `http.client` over a Unix socket, nothing else.

    client = Client(Path("wideberth-node/node.sock"))
    client.get("/v1/status")
    for line in client.stream("/v1/watch", since=0): …

A fault of the node comes back as the same class of `wideberth.errors`; a node that is not up is `Unreachable`.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from wideberth import errors
from wideberth.errors import BadInput, Equivocation, Fault, Malformed, Misuse, NotFound, Unreachable

# A command waits for one fsync; a disk that takes longer than this is as good as gone.
ANSWER_S: Final = 20.0
# base64 of UTF-8: the passphrase of the break-glass post that speaks (web/keeping.py reads it).
GLASS_HEADER: Final = "x-wideberth-post-passphrase"
# Three heartbeats of `/v1/watch` missed: the node is not answering.
SILENCE_S: Final = 15.0

_FAULTS: Final = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, Fault) and kind is not Equivocation
}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Client:
    """Calls on one node. Every method raises the node's own fault, or Unreachable. `ask` gives the passphrase of a
    break-glass post by its name; a call that needs one is made again with it."""

    def __init__(self, path: Path, *, answer_s: float = ANSWER_S, ask: Callable[[str], str] | None = None) -> None:
        self._path = path
        self._answer_s = answer_s
        self._ask = ask

    def get(self, path: str, **query: str | int) -> Any:
        return self.call("GET", path, None, **query)

    def post(self, path: str, body: Any = None, **query: str | int) -> Any:
        return self.call("POST", path, {} if body is None else body, **query)

    def delete(self, path: str, **query: str | int) -> Any:
        return self.call("DELETE", path, None, **query)

    def call(self, method: str, path: str, body: Any, **query: str | int) -> Any:
        try:
            return self._call(method, path, body, query)
        except BadInput as fault:
            if not fault.details.get("break_glass") or self._ask is None:
                raise
            return self._call(method, path, body, query, self._ask(str(fault.details["break_glass"])))

    def _call(self, method: str, path: str, body: Any, query: dict[str, str | int], passphrase: str = "") -> Any:
        connection, response = self._open(method, path, body, self._answer_s, query, passphrase)
        try:
            data = response.read()
        except (OSError, http.client.HTTPException) as why:
            raise self._gone(why) from None
        finally:
            connection.close()
        return _read(data)

    def stream(self, path: str, *, silence_s: float = SILENCE_S, **query: str | int) -> Iterator[dict[str, Any]]:
        """JSON lines as they come, heartbeats included. Ends with Unreachable when the node falls silent or stops."""
        connection, response = self._open("GET", path, None, silence_s, query)
        try:
            while line := response.readline():
                yield _read(line)
        except (OSError, http.client.HTTPException) as why:
            raise self._gone(why) from None
        finally:
            connection.close()
        raise self._gone("it closed the stream")

    def _open(
        self, method: str, path: str, body: Any, timeout_s: float, query: dict[str, str | int], passphrase: str = ""
    ) -> tuple[_UnixConnection, http.client.HTTPResponse]:
        connection = _UnixConnection(self._path, timeout_s)
        asked = {name.rstrip("_"): value for name, value in query.items() if value != ""}
        where = quote(path) + ("?" + urlencode(asked) if asked else "")
        data = None if body is None else json.dumps(body).encode("ascii")
        headers = {} if body is None else {"content-type": "application/json"}
        if passphrase:
            headers[GLASS_HEADER] = base64.b64encode(passphrase.encode()).decode("ascii")
        try:
            connection.request(method, where, data, headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as why:
            connection.close()
            raise self._gone(why) from None
        if response.status >= 300:
            try:
                data = response.read()
            except (OSError, http.client.HTTPException) as why:
                raise self._gone(why) from None
            finally:
                connection.close()
            raise _fault(response.status, data)
        return connection, response

    def _gone(self, why: object) -> Fault:
        if isinstance(why, OSError) and "path too long" in str(why):
            return BadInput(
                f"the path of the node's socket is too long for this system ({self._path}); use a shorter --dir",
                field="dir",
            )
        if not self._path.parent.is_dir():
            return NotFound(
                f"there is no node folder {self._path.parent}; make one with `wideberth init`, or name it with --dir",
                field="dir",
            )
        return Unreachable(
            f"the node in {self._path.parent} does not answer; start it with `wideberth up`. "
            "Until it answers, use the telephone.",
            socket=str(self._path),
            why=str(why),
        )


def _read(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise Misuse("the node answered with something that is not JSON", answer=repr(data[:200])) from None


def _fault(status: int, data: bytes) -> Fault:
    """The fault that a problem+json names; a name that is not known here becomes a plain Fault of the same sentence."""
    try:
        problem = json.loads(data)
        name, sentence, details = str(problem["fault"]), str(problem["detail"]), dict(problem["details"])
    except (ValueError, KeyError, TypeError):
        return Misuse(f"the node answered HTTP {status} without saying why", answer=repr(data[:200]))
    if name == Equivocation.__name__:
        return Malformed(sentence, **details)
    kind = _FAULTS.get(name, Fault)
    return kind(sentence, **{str(k): v for k, v in details.items() if k not in ("self", "sentence")})
