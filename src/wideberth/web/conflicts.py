# SPDX-License-Identifier: Apache-2.0
"""Notices of two authors on one line that meet, over the node's local socket: what the inner side found beside what is
on the record of each (core/call/clashviews.py).

GET    /v1/conflicts?line=&all=1       what meets now, the gravest first, then what was only spoken of while both
                                       versions hold; or everything that was ever spoken of
GET    /v1/conflicts/{ref}?line=       one, by its reference (`CNF-…`) or its id
GET    /v1/rule/{ref}?line=            by which numbers a notice is weighed

`found`: what own people were told of it, with `severity`; None where this node's check finds them apart, and somebody
spoke of them all the same. Looking changes nothing, and nothing is sent for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import product
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import Request

from wideberth.core.call.board import Board, Thread, Version
from wideberth.core.call.clashviews import clash_view
from wideberth.core.call.dialogue import CLASH, Clash
from wideberth.core.call.speak import canonical
from wideberth.core.judge.severity import Severity, severity
from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.core.warned import Crossed
from wideberth.errors import BadInput, NotFound
from wideberth.inner import protocol as inner
from wideberth.web.linework import named

Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]

# How many pairs are looked through for one that met once and of which nobody said anything.
LOOKED_THROUGH_MAX: Final = 20_000


class Weighing(Protocol):
    """What these routes need of a running node."""

    @property
    def node(self) -> Node: ...

    def lines_named(self, name: str) -> list[str]: ...

    def resolve_line(self, name: str) -> str: ...

    def now_ms(self) -> int: ...

    async def inner(self, request: Any) -> Any: ...


def conflict_table(service: Weighing) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`."""

    def asked(request: Request) -> list[Line]:
        return [service.node.lines[ch] for ch in service.lines_named(request.query_params.get("line", ""))]

    async def crossed() -> dict[frozenset[str], Crossed]:
        """What meets on one line, by the two versions."""
        told = [msgspec.convert(each, Crossed) if isinstance(each, dict) else each
                for each in await service.inner(inner.ListCrossings())]  # fmt: skip
        return {frozenset((c.one.entry, c.other.entry)): c for c in told if c.one.ch == c.other.ch}

    async def conflicts(request: Request) -> Any:
        at_ms, meeting = service.now_ms(), await crossed()
        all_ = request.query_params.get("all", "") in ("1", "true")
        views = []
        for line in asked(request):
            board = line.board
            clashes = {clash.id: clash for pair in meeting if (clash := _clash(board, pair)) is not None}
            spoken = {clash.id: clash for clash in board.dialogue if all_ or clash.stands(at_ms)}
            views += [_view(line, clash, meeting, at_ms) for clash in (clashes | spoken).values()]
        return sorted(views, key=_order)

    async def conflict(request: Request) -> Any:
        ref, at_ms, meeting = request.path_params["ref"], service.now_ms(), await crossed()
        ref = ref if len(ref) > 16 else canonical(ref)
        found = {
            clash.id: (line, clash) for line in asked(request) for clash in _all(line.board, meeting)
            if ref in (clash.id, clash.ref)
        }  # fmt: skip
        if len(found) > 1:
            raise BadInput(f"{ref} is of more than one conflict; name it by its id", field="ref")
        if not found:
            raise NotFound(f"no two notices here have the conflict {ref}; `conflicts --all` lists them", ref=ref)
        return _view(*next(iter(found.values())), meeting, at_ms)

    async def rule(request: Request) -> Any:
        ref = request.path_params["ref"]
        for line in asked(request):
            if (thread := line.board.find(ref)) is not None:
                rules = line.board.rules_of(thread.newest)
                return {
                    "minima": rules.minima, "pressure_margin_mm": rules.pressure_margin_mm,
                    "least_radius_mm": rules.least_radius_mm, "lead_ms": rules.lead_ms,
                }  # fmt: skip
        raise NotFound(f"there is no notice {ref} on any line; `notice list --all` shows them", ref=ref)

    return (
        ("GET", "/v1/conflicts", conflicts),
        ("GET", "/v1/conflicts/{ref:path}", conflict),
        ("GET", "/v1/rule/{ref:path}", rule),
    )


def is_conflict(ref: str) -> bool:
    """Whether it is written like the reference of a conflict."""
    return ref.upper().startswith(CLASH)


def _clash(board: Board, pair: frozenset[str]) -> Clash | None:
    """Of two versions with volumes; None for an ALERT, which has none of its own, or for what is of another line."""
    sides: list[tuple[Thread, Version]] = []
    for entry in pair:
        thread = board.find(entry)
        version = thread.version(entry) if thread is not None else None
        if thread is not None and version is not None and version.terms is not None:
            sides.append((thread, version))
    return board.dialogue.of(*sides) if len(sides) == 2 else None


def _all(board: Board, meeting: dict[frozenset[str], Crossed]) -> Iterator[Clash]:
    """What was spoken of, what meets now, and what may have met before somebody amended."""
    yield from board.dialogue
    for pair in meeting:
        if (clash := _clash(board, pair)) is not None:
            yield clash
    ours = [each for each in _versions(board) if each[0].author == board.us]
    others = [each for each in _versions(board) if each[0].author != board.us]
    if len(ours) * len(others) <= LOOKED_THROUGH_MAX:
        yield from (board.dialogue.of(one, other) for one, other in product(ours, others))


def _versions(board: Board) -> Iterator[tuple[Thread, Version]]:
    """The two newest versions of each notice that have volumes."""
    for thread in board:
        for version in [v for v in thread.versions if v.terms is not None][-2:]:
            yield thread, version


def _view(line: Line, clash: Clash, meeting: dict[frozenset[str], Crossed], at_ms: int) -> dict[str, Any]:
    told = meeting.get(frozenset(version.entry for _, version in clash.sides))
    view = {**named(line), **clash_view(line.board, clash, at_ms), "found": None}
    if told is not None:
        grave = severity(
            depth_permille=told.depth_permille, share_permille=told.share_permille, inside_ms=told.inside_ms,
            start_ms=told.start_ms, now_ms=at_ms,
        )  # fmt: skip
        view["found"] = {**msgspec.to_builtins(told), "severity": severity_view(grave)}
    return view


def severity_view(grave: Severity) -> dict[str, Any]:
    return {**msgspec.structs.asdict(grave), "says": grave.sentence}


def _order(view: dict[str, Any]) -> tuple[Any, ...]:
    """The gravest first; then what this node does not find, by id."""
    if view["found"] is None:
        return (1, view["id"])
    s = view["found"]["severity"]
    return (
        0, s["left"], -s["depth_permille"], -s["inside_ms"], -s["share_permille"], s["start_ms"], view["id"]
    )  # fmt: skip
