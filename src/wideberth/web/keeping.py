# SPDX-License-Identifier: Apache-2.0
"""Keeping the record, over the node's local socket: backup, resume, check; and what the status says about them.

POST   /v1/backup                      {"file"}: a copy of the record in a new file, by its whole path
POST   /v1/resume                      {"line", "by"}: after a restore, go on without peers that do not answer
POST   /v1/check                       {"wait_s"}: line check and checkpoint now; answers when the peers have, or not
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import Request

from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.core.say.rules import Purpose
from wideberth.errors import BadInput

CHECK_WAIT_S: Final = 5.0
_WAIT_MOST_S: Final = 60.0
_LOOK_S: Final = 0.02
# Orphans in the status; a restore from a very old backup can make thousands, and `count` says how many.
ORPHANS_SHOWN: Final = 100


class Keeper(Protocol):
    """What these routes need of a running node."""

    @property
    def node(self) -> Node: ...

    def resolve_line(self, name: str, prefer: Purpose | None = None) -> str: ...

    async def backup(self, path: str) -> dict[str, Any]: ...

    async def resume(self, ch: str, by: str, passphrase: str = "") -> None: ...

    async def check(self) -> None: ...


# What a program sends when a break-glass post speaks; base64 of UTF-8. Never in a URL, nor in what is kept as a draft.
GLASS_HEADER: Final = "x-wideberth-post-passphrase"


def post_passphrase(request: Request) -> str:
    """The passphrase of the break-glass post that speaks, or nothing. Raises: BadInput."""
    try:
        return base64.b64decode(request.headers.get(GLASS_HEADER, ""), validate=True).decode("utf-8")
    except ValueError:  # binascii.Error and UnicodeDecodeError are
        raise BadInput(f"{GLASS_HEADER} is base64 of UTF-8 text", field="post-passphrase") from None


Asked = Callable[[Request], Awaitable[dict[str, Any]]]
Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]


def keep_table(service: Keeper, asked: Asked) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`; `asked` reads the JSON object of a request."""

    async def backup(request: Request) -> Any:
        return await service.backup(_text(await asked(request), "file"))

    async def resume(request: Request) -> Any:
        body = await asked(request)
        ch = service.resolve_line(_text(body, "line"))
        line = service.node.lines[ch]
        without = line.recovery.missing()
        await service.resume(ch, _text(body, "by"), post_passphrase(request))
        return {"ch": ch, "mechanism": line.channel.agreement.mechanism, "without": list(without)}

    async def check(request: Request) -> Any:
        wait_s = (await asked(request)).get("wait_s", CHECK_WAIT_S)
        if not isinstance(wait_s, int | float) or not 0 <= wait_s <= _WAIT_MOST_S:
            raise BadInput(f"`wait_s` is 0 to {_WAIT_MOST_S:.0f} seconds", field="wait_s")
        await service.check()
        end = time.monotonic() + wait_s
        while not _done(service.node) and time.monotonic() < end:
            await asyncio.sleep(_LOOK_S)
        return [
            {
                "ch": ch, "mechanism": line.channel.agreement.mechanism, "peer": peer, "entries": line.channel.own.seq,
                **peer_state(line, peer),
            }
            for ch, line in service.node.lines.items() for peer in line.channel.peers
        ]  # fmt: skip

    return (("POST", "/v1/backup", backup), ("POST", "/v1/resume", resume), ("POST", "/v1/check", check))


def _done(node: Node) -> bool:
    """Whether every peer answered its line check and cosigned all that we said."""
    return all(
        (state := peer_state(line, peer))["checked"] is not None
        and state["checked"]["offset"] is not None
        and state["cosigned"] == line.channel.own.seq
        for line in node.lines.values()
        for peer in line.channel.peers
    )


def peer_state(line: Line, peer: str) -> dict[str, Any]:
    """`checked`: the newest line check, or None. `cosigned`: how far the peer cosigned our current epoch."""
    checked = line.witness.checked.get(peer)
    return {
        "checked": msgspec.to_builtins(checked) if checked is not None else None,
        "cosigned": line.witness.cosigned.get((peer, line.channel.own.epoch), 0),
    }


def line_state(line: Line) -> dict[str, Any]:
    """`restored`: by whom, and whom the line waits for; None when it waits for nobody. `owed`: peers without whom
    it went on, and who have not said yet what they hold. `orphans`: what was signed in an epoch that its author
    abandoned after a restore, the newest `ORPHANS_SHOWN` of each author."""
    recovery, strands = line.recovery, line.channel.strands
    orphans = []
    for author, strand in strands.items():
        for place in strand.orphans()[-ORPHANS_SHOWN:]:
            thread = line.board.find(place.hash)
            ref = thread.ref if thread is not None else ""
            orphans.append(
                {"author": author, "epoch": place.epoch, "seq": place.seq, "entry": place.hash, "ref": ref}
            )  # fmt: skip
    return {
        "epochs": {author: len(strand.epochs) for author, strand in strands.items()},
        "restored": {"by": recovery.by, "waits_for": list(recovery.missing())} if recovery.waiting else None,
        "owed": list(recovery.owed()),
        "orphans": orphans,
        "orphan_count": sum(len(strand.orphans()) for strand in strands.values()),
    }


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field, "")
    if not isinstance(value, str):
        raise BadInput(f"`{field}` must be a text", field=field)
    return value
