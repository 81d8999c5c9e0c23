# SPDX-License-Identifier: Apache-2.0
"""Rings round incidents, over the node's local socket. All of it is own people's, and none of it leaves the node.

GET    /v1/rings                       every incident with the aircraft reported round it (core/rings.py)
POST   /v1/rings                       {"id", "at", "ground", "ground_margin", "call_in", "no_comm", "mode",
                                       "blocks": [{"name", "low", "high"}]}; all but `id` and `at` may be left out
POST   /v1/rings/{id}/positions        {"aircraft", "at", "altitude", "contact", "error", "time", "gone"}
DELETE /v1/rings/{id}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from starlette.requests import Request

from wideberth.core.say.coordinates import parse_altitude, parse_distance, parse_point
from wideberth.core.say.rings import CALL_IN_MM, NO_COMM_MM, Block, Position, RingArea
from wideberth.core.say.rules import Mode
from wideberth.errors import BadInput
from wideberth.inner import protocol as inner
from wideberth.web.drafts import time_of

Asked = Callable[[Request], Awaitable[dict[str, Any]]]
Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]
_AREA = ("id", "at", "ground", "ground_margin", "call_in", "no_comm", "mode", "blocks")
_POSITION = ("aircraft", "at", "altitude", "contact", "error", "time", "gone")


class Asking(Protocol):
    """What these routes need of a running node."""

    def now_ms(self) -> int: ...

    async def inner(self, request: Any) -> Any: ...


def ring_table(service: Asking, asked: Asked, mode: Callable[[str], Mode]) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`. `mode` is that of our lines where none is given."""

    async def listed(request: Request) -> Any:
        return await service.inner(inner.ListRings())

    async def give(request: Request) -> Any:
        area = area_of(await asked(request), mode)
        await service.inner(inner.GiveRings(area))
        return area

    async def report(request: Request) -> Any:
        body = await asked(request)
        position = position_of(body, service.now_ms())
        gone = _flag(body, "gone")
        return await service.inner(inner.ReportPosition(request.path_params["id"], position, gone))

    async def drop(request: Request) -> Any:
        return {"id": await service.inner(inner.DropRings(request.path_params["id"]))}

    return (
        ("GET", "/v1/rings", listed),
        ("POST", "/v1/rings", give),
        ("POST", "/v1/rings/{id}/positions", report),
        ("DELETE", "/v1/rings/{id}", drop),
    )


def area_of(body: Mapping[str, Any], mode: Callable[[str], Mode]) -> RingArea:
    """Rings from the words of an officer. Raises BadInput."""
    _known(body, _AREA)
    ground = _text(body, "ground")
    return RingArea(
        _text(body, "id"), parse_point(_text(body, "at"), field="at"), mode(_text(body, "mode")),
        parse_distance(ground, field="ground") if ground else None, _distance(body, "ground_margin", 0),
        _distance(body, "call_in", CALL_IN_MM), _distance(body, "no_comm", NO_COMM_MM), _blocks(body.get("blocks")),
    )  # fmt: skip


def position_of(body: Mapping[str, Any], now_ms: int) -> Position:
    """A report from the words of an officer; without `time` it is of now. Raises BadInput."""
    _known(body, _POSITION)
    altitude, time = _text(body, "altitude"), _text(body, "time")
    return Position(
        _text(body, "aircraft"), parse_point(_text(body, "at"), field="at"),
        time_of(time, now_ms=now_ms, field="time") if time else now_ms,
        parse_altitude(altitude) if altitude else None, _flag(body, "contact"), _distance(body, "error", 0),
    )  # fmt: skip


def _blocks(value: Any) -> tuple[Block, ...]:
    if not isinstance(value, list | None):
        raise BadInput('`blocks` is a list of {"name", "low", "high"}', field="blocks")
    blocks = []
    for n, each in enumerate(value or [], 1):
        if not isinstance(each, dict) or set(each) != {"name", "low", "high"}:
            raise BadInput(f"blocks[{n}] must have exactly `name`, `low` and `high`", field="blocks")
        low, high = (parse_altitude(_text(each, end), field=f"blocks[{n}].{end}") for end in ("low", "high"))
        blocks.append(Block(_text(each, "name"), low, high))
    return tuple(blocks)


def _known(body: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    if strange := [name for name in body if name not in fields]:
        raise BadInput(f"{strange[0]}: there is no such field; there are {', '.join(fields)}", field=strange[0])


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field) or ""
    if not isinstance(value, str):
        raise BadInput(f"`{field}` must be a text", field=field)
    return value.strip()


def _flag(body: Mapping[str, Any], field: str) -> bool:
    value = body.get(field, False)
    if not isinstance(value, bool):
        raise BadInput(f"`{field}` is true or false", field=field)
    return value


def _distance(body: Mapping[str, Any], field: str, otherwise: int) -> int:
    text = _text(body, field)
    return parse_distance(text, field=field) if text else otherwise
