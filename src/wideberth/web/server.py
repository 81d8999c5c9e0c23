# SPDX-License-Identifier: Apache-2.0
"""A server inside a loop that already runs: over TLS for peers, over a Unix socket for own people on this machine.

    serving = await serve(app, host="0.0.0.0", port=7443, tls=context)     # serving.port is the one bound
    local = await serve_unix(app, home / "node.sock")
    await serving.stop()

uvicorn does the HTTP; it takes no signals, writes no logs of its own, and never ends the process. Two ends are added to
what it leaves open: the head of a request is bounded in bytes and in time, so that whoever connects without knowing
anything cannot hold memory or a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wideberth.errors import BadInput

# No request of ours has a head beyond 1 KiB; browsers with cookies stay under 8.
HEAD_BYTES_MAX: Final = 16 * 1024
HEAD_S: Final = 20.0
# Longer than the machine line check's interval (60 s at most): peers keep their connection from one to the next.
KEEP_ALIVE_S: Final = 120
# 15 peers per channel with one connection each, the console's streams, and room for those who knock.
CONNECTIONS_MAX: Final = 512
STOP_S: Final = 5


class Serving:
    """A running server. `port` is 0 for a Unix socket."""

    def __init__(self, server: _Server, task: asyncio.Task[None], port: int, path: Path | None = None) -> None:
        self._server = server
        self._task = task
        self._path = path
        self.port: Final = port

    async def stop(self) -> None:
        """Take no more connections, let running requests end (at most `STOP_S` seconds), close. May be called twice."""
        self._server.should_exit = True
        await asyncio.wait([self._task])
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            raise error

    async def __aenter__(self) -> Serving:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def serve(app: ASGIApp, *, host: str, port: int, tls: ssl.SSLContext | None) -> Serving:
    """Serve `app` on `host:port` (0: any free port). `tls=None` is for loopback only and refused elsewhere.

    Raises: BadInput when the address cannot be bound.
    """
    if tls is None and host not in ("127.0.0.1", "::1", "localhost"):
        raise BadInput("without TLS a node listens on this machine only; give a loopback address", field="listen")
    # The protocol is named because asyncio switches Nagle's algorithm off only where it stands: without it
    # each reply waited 40 ms for a delayed acknowledgement.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart must not wait for old connections
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "another program has it" if taken else str(error)
        raise BadInput(f"cannot listen on {host} port {port}: {reason}; change `listen`", field="listen") from None
    return await _start(app, listener, tls, listener.getsockname()[1], None)


async def serve_unix(app: ASGIApp, path: Path) -> Serving:
    """Serve `app` on a Unix socket that only this user can open. A socket left by a dead process is replaced.

    Raises: BadInput when another process answers there, or the path cannot be bound.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(str(path))
                except ConnectionRefusedError:
                    path.unlink(missing_ok=True)
                else:
                    raise BadInput(f"a node already runs in this folder (it answers on {path.name})", field="path")
        listener.bind(str(path))
        os.chmod(path, 0o600)  # until here the folder, which is closed to others, protects it
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise BadInput(f"cannot make the socket {path}: {error.strerror or error}", field="path") from None
    except BadInput:
        listener.close()
        raise
    return await _start(app, listener, None, 0, path)


async def _start(
    app: ASGIApp, listener: socket.socket, tls: ssl.SSLContext | None, port: int, path: Path | None
) -> Serving:
    config = uvicorn.Config(
        app,
        http=_Guarded,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,  # nobody is told this machine's clock outside a signed line check
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
        limit_concurrency=CONNECTIONS_MAX,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="server")
    waiter = asyncio.create_task(server.up.wait())
    try:
        await asyncio.wait([task, waiter], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()
    if task.done():
        listener.close()
        task.result()
    return Serving(server, task, port, path)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # signals belong to the process, not to one of its servers


class _Guarded(HttpToolsProtocol):
    """uvicorn's protocol with two ends: `HEAD_BYTES_MAX` and `HEAD_S`, counted while a head is incomplete."""

    _head_bytes = 0
    _in_head = True
    _saw_body_or_end = False
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_S, transport.close)

    def data_received(self, data: bytes) -> None:
        self._saw_body_or_end = not self._in_head
        super().data_received(data)
        if self._saw_body_or_end:
            return  # what came of the next head with it is counted from the next chunk on
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES_MAX:
            self.transport.close()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_S, self.transport.close)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._saw_body_or_end = True
        self._head_bytes = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
