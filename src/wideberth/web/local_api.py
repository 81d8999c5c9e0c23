# SPDX-License-Identifier: Apache-2.0
"""What a node answers to its own people on this machine, over the Unix socket in its folder (0600).

    GET    /v1/status                      who we are, lines, peers, links, disk
    POST   /v1/commands                    a Command (core/events.py); `ch` may be a mechanism's name, `by` a post
    POST   /v1/preview                     a Command or a draft, as it would be posted: what the line's members would
                                           see (core/preview.py); nothing is signed, sent, kept or changed
    GET    /v1/notices?line=&all=1         every live (or every) notice and ALERT, as core/call/views.py shows them
    POST   /v1/notices                     a draft (web/drafts.py) with `by`, `line`, and maybe `refines`, or `ref` and
                                           `how` (amend, correct): signed and sent, or kept with what is missing
    GET    /v1/notices/{ref}?line=
    GET    /v1/drafts, POST /v1/drafts, DELETE /v1/drafts/{id}
    GET    /v1/plans,  POST /v1/plans,  DELETE /v1/plans/{id},  GET /v1/exposures,  GET /v1/crossings
    GET    /v1/rings, POST /v1/rings, POST /v1/rings/{id}/positions, DELETE /v1/rings/{id}      (web/rings.py)
    GET    /v1/watch?since=N&run=R         what the node tells, as JSON lines, each flushed at once
    POST   /v1/shown                       {"line", "author", "entry"}: a screen of ours showed this entry of a peer
    POST   /v1/lines                       take the lines joined in the folder, or {"agreement", "cards"} (base64)
    GET    /v1/conflicts?line=&all=1, /v1/conflicts/{ref}      notices that meet (web/conflicts.py)
    GET    /v1/line, /v1/contacts, /v1/statements      the line itself (web/linework.py)
    POST   /v1/backup, /v1/resume, /v1/check      keeping the record (web/keeping.py)
    POST   /v1/ways, GET /v1/spoiled              ways and mediators (web/relaying.py)
    GET    /v1/keys, POST /v1/keys/card, /v1/keys/revoke      our keys on our lines (web/keys_api.py)
    GET    /v1/desk, POST /v1/desk/…       the desk: what rings, who has it (web/desk_api.py)
    GET    /v1/mechanisms, /v1/mechanisms/…, /v1/audience, /v1/disclosures      agreements (web/mechanisms.py)
    POST   /v1/clock                       {"t_ms"}: a drill's clock only
    POST   /v1/stop

Faults are problem+json with their own sentence and details; anything else that is raised is our bug, and says so.
Nothing here decides anything: it turns JSON into the same commands as every other way in, and shows the same views.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from wideberth.bus import Bus, Told
from wideberth.core import events as ev
from wideberth.core.limits import KIB
from wideberth.core.line import Line
from wideberth.core.preview import Preview
from wideberth.core.say import reference
from wideberth.core.say.rules import Mode
from wideberth.core.seal.keys import unb64
from wideberth.errors import BadInput, Fault, Misuse, NotFound
from wideberth.home import Home
from wideberth.inner import protocol as inner
from wideberth.web import (
    conflicts,
    desk_api,
    drafting,
    drafts,
    keeping,
    keys_api,
    linework,
    mechanisms,
    relaying,
    rings,
    talking,
)
from wideberth.web.faults import problem

# A notice of 100 volumes of 500 corners as JSON with indents is 5 MB; beyond that it is not a notice.
BODY_BYTES_MAX: Final = 8 * KIB * KIB
# A terminal that hears nothing for three of these says that the node is not answering.
HEARTBEAT_S: Final = 5.0
NDJSON: Final = "application/x-ndjson"

Handler = Callable[[Request], Awaitable[Response]]


class LocalService(desk_api.Desked, keeping.Keeper, relaying.Relaying, keys_api.KeyChanger, Protocol):
    """What the routes need of a running node (`service.py` is one)."""

    @property
    def bus(self) -> Bus: ...

    @property
    def stopping(self) -> asyncio.Event:
        """Set: the node is going down. Whoever runs the node waits for it."""
        ...

    @property
    def home(self) -> Home: ...

    def now_ms(self) -> int: ...

    def lines_named(self, name: str) -> list[str]: ...

    def status(self) -> dict[str, Any]: ...

    def notices(self, name: str = "", *, all_: bool = False) -> list[dict[str, Any]]: ...

    def notice(self, ch: str, ref: str) -> dict[str, Any]: ...

    async def command(self, command: ev.Command, passphrase: str = "") -> dict[str, Any]: ...

    def preview(self, command: ev.Command) -> Preview: ...

    async def inner(self, request: Any) -> Any: ...

    async def showed(self, ch: str, author: str, seq: int) -> None: ...

    async def open_line(self, agreement: bytes, cards: tuple[bytes, ...]) -> None: ...

    async def take_lines(self) -> None: ...

    def set_clock(self, t_ms: int) -> None: ...


def local_routes(service: LocalService, *, heartbeat_s: float = HEARTBEAT_S) -> list[Route]:
    """The routes of the local socket."""
    api = _Api(service, heartbeat_s)
    table: tuple[tuple[str, str, Callable[[Request], Awaitable[Any]]], ...] = (
        ("GET", "/v1/status", api.status),
        ("POST", "/v1/commands", api.command),
        ("POST", "/v1/preview", api.preview),
        ("GET", "/v1/notices", api.notices),
        ("GET", "/v1/notices/{ref:path}", api.notice),
        ("GET", "/v1/plans", api.list_plans),
        ("POST", "/v1/plans", api.give_plan),
        ("DELETE", "/v1/plans/{id:path}", api.drop_plan),
        ("GET", "/v1/exposures", api.exposures),
        ("GET", "/v1/crossings", api.crossings),
        ("GET", "/v1/watch", api.watch),
        ("POST", "/v1/shown", api.shown),
        ("POST", "/v1/lines", api.lines),
        ("POST", "/v1/clock", api.clock),
        ("POST", "/v1/stop", api.stop),
        *api.drafting.table(_object),
        *rings.ring_table(service, _object, api._mode),
        *keeping.keep_table(service, _object),
        *relaying.ways_table(service),
        *linework.line_table(service),
        *talking.talk_table(service),
        *conflicts.conflict_table(service),
        *desk_api.desk_table(service, _object),
        *keys_api.keys_table(service, _object),
        *mechanisms.mechanism_table(service, _object, api._post),
    )
    return [Route(path, _answered(handler), methods=[method]) for method, path, handler in table]


def _answered(handler: Callable[[Request], Awaitable[Any]]) -> Handler:
    """Plain data becomes JSON, a Fault problem+json; whatever else is raised is our bug and says so."""

    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            data = await handler(request)
        except Fault as fault:
            return problem(fault)
        except (asyncio.CancelledError, ClientDisconnect):
            raise
        except Exception as bug:
            where = traceback.extract_tb(bug.__traceback__)[-1]
            return problem(
                Misuse(
                    "this is a bug in wideberth: please report it with the details. Whether the command was carried "
                    "out is shown by `notice list`",
                    bug=repr(bug)[:500],
                    at=f"{where.name}:{where.lineno}",
                )
            )
        if isinstance(data, Response):
            return data
        return Response(msgspec.json.encode(data), media_type="application/json")

    return answer


class _Api:
    def __init__(self, service: LocalService, heartbeat_s: float) -> None:
        self._service = service
        self._heartbeat_s = heartbeat_s
        self.drafting = drafting.Drafting(service, self._find, self._post)
        # Numbers of tells start again with every run of the node; a listener must notice that.
        self._run = secrets.token_hex(8)

    # --- the record ---

    async def status(self, request: Request) -> Any:
        return self._service.status()

    async def command(self, request: Request) -> Any:
        body = await _object(request)
        passphrase = keeping.post_passphrase(request)
        lines = mechanisms.alert_lines(self._service, body)
        if len(lines) > 1:
            commands = [self._command({**body, "ch": ch}) for ch in lines]
            return await mechanisms.raised_on_all(self._service, commands, passphrase)
        return await self._service.command(self._command(body), passphrase)

    async def preview(self, request: Request) -> Any:
        body = await _object(request)
        if "command" in body:
            return self._service.preview(self._command(body))
        return self._service.preview(self.drafting.command(body))

    async def notices(self, request: Request) -> Any:
        line = request.query_params.get("line", "")
        return self._service.notices(line, all_=request.query_params.get("all", "") in ("1", "true"))

    async def notice(self, request: Request) -> Any:
        line, ref = request.query_params.get("line", ""), request.path_params["ref"]
        return self._service.notice(*self._find(line, ref))

    def _command(self, body: dict[str, Any]) -> ev.Command:
        if "line" in body:
            body["ch"] = body.pop("line")
        ref = body.get("ref") or body.get("reply_to") or body.get("about")
        if isinstance(ref, str) and ref and not body.get("ch"):
            body["ch"], _ = self._find("", ref)
        else:
            body["ch"] = mechanisms.line_for(self._service, _text(body, "command"), _text(body, "ch"))
        body["by"] = self._post(_text(body, "by"))
        ago_ms = body.pop("ago_ms", None)
        if isinstance(ago_ms, int) and ago_ms >= 0 and body.get("command") == "alert":
            # How long ago the first key was pressed; our clock is the one that is signed.
            body.setdefault("started_ms", int(self._service.status()["t_ms"]) - ago_ms)
        try:
            command: ev.Command = msgspec.convert(body, ev.Command)
        except msgspec.ValidationError as error:
            raise BadInput(f"this is not a command of wideberth: {error}", field=_path(error)) from None
        return command

    def _find(self, line: str, ref: str) -> tuple[str, str]:
        """The line on which there is this notice or message; it need not be named where only one has it."""
        ref = self._canonical(ref)
        lines = self._service.lines_named(line)
        found = [ch for ch in lines if _knows(self._service.node.lines[ch], ref)]
        if line and not found and len(lines) == 1:
            return lines[0], ref
        if len(found) == 1:
            return found[0], ref
        if len(found) > 1:
            raise BadInput(f"{ref} is on more than one line; say which with --line", field="line")
        if not self._service.node.lines:
            self._service.resolve_line("")
        if talking.is_reference(ref):
            raise talking.not_found(ref)
        raise NotFound(f"there is no notice {ref} on any line; `notice list --all` shows them", ref=ref)

    def _canonical(self, ref: str) -> str:
        """`blu 0001 e` is `BLU-0001-E`; a wrong check letter is said, a hash or an ALERT's name is left as it is."""
        for each in self._service.node.lines.values():
            if _knows(each, ref):
                return ref
        if ref.upper().startswith("ALERT-"):
            return ref.upper()
        if len(ref) > 16 or not any(c.isdigit() for c in ref):
            return ref
        return reference.check(ref)

    def _post(self, by: str) -> str:
        """`watch-1` is `BLUE/watch-1`; empty is the only post."""
        status = self._service.status()
        if not by:
            posts = status["posts"]
            if len(posts) != 1:
                raise BadInput(f"say which post speaks with --as: {', '.join(posts)}", field="by")
            return str(posts[0])
        return by if "/" in by else f"{status['party']}/{by}"

    # --- the inner side: own plans ---

    async def list_plans(self, request: Request) -> Any:
        return await self._service.inner(inner.ListPlans())

    async def give_plan(self, request: Request) -> Any:
        """`{"id", "label", "mode"}` (each may be left out) with the place and window of a draft, or a `track`."""
        body = await _object(request)
        given = {name: _text(body, name) for name in ("id", "label", "mode")}
        id_ = given["id"] or await self._fresh_plan_id()
        mode = self._mode(given["mode"])
        now_ms = int(self._service.status()["t_ms"])
        rest = {k: v for k, v in body.items() if k not in given}
        plan = drafts.plan_of(rest, id_=id_, label=given["label"] or id_, mode=mode, now_ms=now_ms)
        await self._service.inner(inner.GivePlan(plan))
        return plan

    async def drop_plan(self, request: Request) -> Any:
        return {"id": await self._service.inner(inner.DropPlan(request.path_params["id"]))}

    async def exposures(self, request: Request) -> Any:
        return await self._service.inner(inner.ListExposures())

    async def crossings(self, request: Request) -> Any:
        return await self._service.inner(inner.ListCrossings())

    async def _fresh_plan_id(self) -> str:
        taken = {str(p["id"] if isinstance(p, dict) else p.id) for p in await self._service.inner(inner.ListPlans())}
        return next(id_ for n in range(1, len(taken) + 2) if (id_ := f"plan-{n}") not in taken)

    def _mode(self, given: str) -> Mode:
        """A plan is weighed against the notices of its own mode only; it need not be said where all lines have one."""
        if given.upper() in Mode.__members__:
            return Mode[given.upper()]
        if given:
            raise BadInput(f"the mode is one of {', '.join(Mode.__members__)}, not {given!r}", field="mode")
        modes = {line.channel.agreement.mode for line in self._service.node.lines.values()} or {Mode.REAL}
        if len(modes) > 1:
            raise BadInput(f"say the plan's mode: {', '.join(sorted(modes))}", field="mode")
        return modes.pop()

    # --- watching ---

    async def watch(self, request: Request) -> Any:
        """The first line is `{"watch": "start", "run", "n", "missed"}`; then one line per tell, and a heartbeat."""
        run = request.query_params.get("run", "")
        asked = _number(request.query_params.get("since", ""), self._service.bus.newest)
        since = asked if run in ("", self._run) else 0
        return StreamingResponse(self._lines_of(since), media_type=NDJSON, headers={"cache-control": "no-store"})

    async def _lines_of(self, since: int) -> AsyncIterator[bytes]:
        bus = self._service.bus
        waiting = bus.since(since)
        first = waiting[0].n if waiting else bus.newest + 1
        yield _line({"watch": "start", "run": self._run, "n": bus.newest, "missed": max(0, first - since - 1)})
        told: asyncio.Queue[Told | None] = asyncio.Queue()

        async def listen() -> None:
            async for item in bus.listen(since):
                told.put_nowait(item)
            told.put_nowait(None)

        async def until_stop() -> None:
            await self._service.stopping.wait()
            told.put_nowait(None)

        tasks = [asyncio.create_task(listen()), asyncio.create_task(until_stop())]
        try:
            while True:
                try:
                    item = await asyncio.wait_for(told.get(), self._heartbeat_s)
                except TimeoutError:
                    yield _line({"watch": "alive", "run": self._run, "n": bus.newest})
                    continue
                if item is None:
                    return
                yield msgspec.json.encode(item) + b"\n"
        finally:
            for task in tasks:
                task.cancel()

    async def shown(self, request: Request) -> Any:
        body = await _object(request)
        ch = self._service.resolve_line(_text(body, "line"))
        author, entry = _text(body, "author"), _text(body, "entry")
        board = self._service.node.lines[ch].board
        thread, talk = board.find(entry), board.hotline.at(author, entry)
        version = thread.version(entry) if thread is not None and thread.author == author else None
        shown = version or (talk.said if talk is not None else None)
        if shown is None:
            raise NotFound("there is no such entry of that author on this line", entry=entry)
        await self._service.showed(ch, author, shown.seq)
        return {"ch": ch, "author": author, "seq": shown.seq}

    # --- the node itself ---

    async def lines(self, request: Request) -> Any:
        body = await _object(request)
        if body:
            cards = body.get("cards", [])
            if not isinstance(cards, list) or not all(isinstance(c, str) for c in cards):
                raise BadInput("`cards` is a list of base64 texts", field="cards")
            agreement = unb64(_text(body, "agreement"), "agreement")
            await self._service.open_line(agreement, tuple(unb64(c, "card") for c in cards))
        else:
            await self._service.take_lines()
        return {k: v for k, v in self._service.status().items() if k in ("lines", "waiting")}

    async def clock(self, request: Request) -> Any:
        t_ms = (await _object(request)).get("t_ms")
        if not isinstance(t_ms, int) or isinstance(t_ms, bool):
            raise BadInput("give `t_ms`, milliseconds UTC as a whole number", field="t_ms")
        self._service.set_clock(t_ms)
        return {"t_ms": int(self._service.status()["t_ms"])}

    async def stop(self, request: Request) -> Any:
        self._service.stopping.set()
        return {"stopping": True}


def _knows(line: Line, ref: str) -> bool:
    return line.board.find(ref) is not None or line.board.hotline.find(ref) is not None


async def _object(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises: BadInput."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise BadInput(f"that is more than {BODY_BYTES_MAX // KIB // KIB} MiB, and no notice", field="body")
    try:
        data = msgspec.json.decode(bytes(body) or b"{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput(f"that is not JSON: {error}", field="body") from None
    if not isinstance(data, dict):
        raise BadInput("the body must be a JSON object", field="body")
    return data


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field, "")
    if not isinstance(value, str):
        raise BadInput(f"`{field}` must be a text", field=field)
    return value


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else otherwise


def _path(error: msgspec.ValidationError) -> str:
    """`Object missing required field `ref` - at `$.terms`` names the field or the path; else empty."""
    said = str(error)
    at = said.rpartition("at `$")[2].rstrip("`").lstrip(".") if "at `$" in said else ""
    return at or (said.split("`")[1] if "`" in said else "")


def _line(data: dict[str, Any]) -> bytes:
    return msgspec.json.encode(data) + b"\n"
