# SPDX-License-Identifier: Apache-2.0
"""What became of an item while the desk was down: looked up in the record and at the inner side, after a start.

A word that was answered or ended in the instant before the desk stopped is closed; what is still open is left as it is.
What a node tells anew when it starts (the state of its lines, its disk, a check that is due) is dropped, and rings
again where it still holds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import msgspec

from wideberth.core.call.care import dues
from wideberth.core.call.mustanswer import HAVE_IT
from wideberth.core.desk.escalation import Item
from wideberth.core.node import Node
from wideberth.desk.room import Room
from wideberth.errors import Fault
from wideberth.inner.protocol import ListCrossings, ListExposures

_TOLD_ANEW: Final = ("line", "disk", "check_due")


async def settle(room: Room, node: Node, ask: Callable[[Any], Awaitable[Any]], now_ms: Callable[[], int]) -> None:
    """After a start, once the inner side has what is live: `ask` asks it."""
    with contextlib.suppress(Fault):
        exposures = msgspec.to_builtins(await ask(ListExposures()))
        crossings = msgspec.to_builtins(await ask(ListCrossings()))
        at_ms = now_ms()
        holds = became(node, exposures, crossings, list(room.desk.relays.live), at_ms)
        await room.settle(holds, lambda key: _live(node, key, at_ms))


def became(
    node: Node, exposures: Iterable[Any], crossings: Iterable[Any], relays: Iterable[str], now_ms: int
) -> Callable[[Item], str]:  # fmt: skip
    """ANSWERED, OVER or nothing, of one item. `exposures` and `crossings` are those of now, as plain data; `relays` the
    keys of the notices that are followed to own units."""
    exposed = {f"exposed|{e['ch']}|{e['ref']}" for e in exposures}
    crossed = {f"crossed|{c['one']['ch']}|{c['one']['ref']}|{c['other']['ch']}|{c['other']['ref']}|" for c in crossings}
    followed = {f"relays|{key}" for key in relays}

    def of(item: Item) -> str:
        kind, _, rest = item.group.partition("|")
        match kind:
            case "word":
                return _of_word(node, *rest.partition("|")[::2], item.version, now_ms)
            case "missing":
                return _of_missing(node, *rest.partition("|")[::2], now_ms)
            case "exposed" | "crossed" | "relays":
                return "" if item.group in exposed | crossed | followed else "OVER"
            case _:
                return "OVER" if kind in _TOLD_ANEW else ""

    return of


def _of_missing(node: Node, ch: str, ref: str, now_ms: int) -> str:
    line = node.lines.get(ch)
    thread = line.board.find(ref) if line is not None else None
    if line is None or thread is None:
        return "OVER"
    rules = line.board.rules_of(thread.newest)
    return "" if any(what == "OVERDUE" and when <= now_ms for when, what, _ in dues(thread, rules)) else "OVER"


def _live(node: Node, key: str, now_ms: int) -> bool:
    """Whether the notice of `ch|ref` is live."""
    ch, _, ref = key.partition("|")
    line = node.lines.get(ch)
    thread = line.board.find(ref) if line is not None else None
    return thread is not None and thread.live(now_ms)


def _of_word(node: Node, ch: str, ref: str, rang: int, now_ms: int) -> str:
    """`rang`: the newest version that rang."""
    line = node.lines.get(ch)
    if line is None:
        return "OVER"
    us, peers = line.channel.us, line.channel.peers
    thread, talk = line.board.find(ref), line.board.hotline.find(ref)
    if thread is not None:
        if thread.author != us and rang > thread.newest.number:
            return ""  # it waits for what comes before it: neither was it answered, nor is it over
        if not thread.live(now_ms):
            return "OVER"
        whose = peers if thread.author == us else (us,)
        answered = all(
            HAVE_IT & {step.step for step in thread.steps_of(thread.newest.entry, member)} for member in whose
        )
        return "ANSWERED" if answered else ""
    if talk is not None:
        waiting = any(talk.waits_for(member, now_ms) for member in (peers if talk.author == us else (us,)))
        return "" if waiting else "ANSWERED" if talk.lives(now_ms) else "OVER"
    return ""  # an ALERT that could not be read: only a person can say that it was seen to
