# SPDX-License-Identifier: Apache-2.0
"""Drafts of notices on the local socket: signed and sent when they are whole, kept with what is missing when not.

POST   /v1/notices        a draft (web/drafts.py) with `by`, `line`, and maybe `refines`, or `ref` and `how`
GET    /v1/drafts         what is kept, each with how complete it is under its line's agreement
POST   /v1/drafts, DELETE /v1/drafts/{id}
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import Request

from wideberth.core import events as ev
from wideberth.core.node import Node
from wideberth.core.say import complete
from wideberth.core.say.rules import Purpose, Rules
from wideberth.errors import BadInput, Fault
from wideberth.home import Home
from wideberth.inner import protocol as inner
from wideberth.web import drafts
from wideberth.web.growing import cause_of, grown_terms
from wideberth.web.keeping import post_passphrase

_ROUTE: Final = ("ref", "how", "refines", "cause")

Asked = Callable[[Request], Awaitable[dict[str, Any]]]
Row = tuple[str, str, Callable[[Request], Awaitable[Any]]]


class Desk(Protocol):
    """What drafts need of a running node."""

    @property
    def node(self) -> Node: ...

    @property
    def home(self) -> Home: ...

    def now_ms(self) -> int: ...

    def resolve_line(self, name: str, prefer: Purpose | None = None) -> str: ...

    def notice(self, ch: str, ref: str) -> dict[str, Any]: ...

    async def command(self, command: ev.Command, passphrase: str = "") -> dict[str, Any]: ...

    async def inner(self, request: Any) -> Any: ...


class Drafting:
    """`find(line, ref)` is the line of a notice and its reference, `post(by)` the whole name of a post."""

    def __init__(self, service: Desk, find: Callable[[str, str], tuple[str, str]], post: Callable[[str], str]) -> None:
        self._service, self._find, self._post = service, find, post

    def table(self, asked: Asked) -> tuple[Row, ...]:
        """Rows for the table of `local_api.py`."""

        async def give(request: Request) -> Any:
            return await self._give(await asked(request), post_passphrase(request))

        async def listed(request: Request) -> Any:
            kept = msgspec.to_builtins(await self._service.inner(inner.ListDrafts()))
            return [{**each, "complete": self._complete(each["draft"])} for each in kept]

        async def keep(request: Request) -> Any:
            body = await asked(request)
            draft = drafts.settled({k: v for k, v in body.items() if k != "id"}, now_ms=self._service.now_ms())
            return {"id": await self._keep(_text(body, "id"), draft)}

        async def drop(request: Request) -> Any:
            return {"id": await self._service.inner(inner.DropDraft(request.path_params["id"]))}

        return (
            ("POST", "/v1/notices", give),
            ("GET", "/v1/drafts", listed),
            ("POST", "/v1/drafts", keep),
            ("DELETE", "/v1/drafts/{id:path}", drop),
        )

    def command(self, body: Mapping[str, Any]) -> ev.Command:
        """What a draft commands now. Raises BadInput, NotFound."""
        now_ms = self._service.now_ms()
        return self._command(body, _draft_in(body, now_ms), _route_in(body), now_ms)

    async def _give(self, body: Mapping[str, Any], passphrase: str) -> Any:
        """A draft in, a signed entry out; or 422 with the fields, and the draft kept under `details.draft`."""
        now_ms = self._service.now_ms()
        draft, route = _draft_in(body, now_ms), _route_in(body)
        kept = _text(body, "draft")
        try:
            answer = await self._service.command(self._command(body, draft, route, now_ms), passphrase)
        except BadInput as fault:
            if fault.details.get("break_glass"):
                raise  # it comes again, with the passphrase
            sentence, whole = fault.sentence, {**draft, "line": _text(body, "line")}
            try:
                kept = await self._keep(kept, {**whole, **route})
            except Fault as second:
                kept = ""
                sentence += f" The draft could not be kept: {second.sentence}"
            more: dict[str, Any] = {"draft": kept, "offer": "alert"}
            if "ref" not in route and (score := self._complete(whole)) is not None:
                more["complete"] = score
            raise BadInput(sentence, **{**fault.details, **more}) from None
        if kept:
            await self._drop_quietly(kept)
        return answer

    def _command(
        self, body: Mapping[str, Any], draft: Mapping[str, Any], route: Mapping[str, str], now_ms: int
    ) -> ev.Command:
        name, ref = _text(body, "line"), route.get("ref", "")
        ch = self._find("", ref)[0] if ref and not name else self._service.resolve_line(name, Purpose.FLIGHT_SAFETY)
        rules, by, contact = self._rules(ch), self._post(_text(body, "by")), self._contact(ch)
        if "ref" not in route and not drafts.has_place(draft) and drafts.of_distress(draft):
            return ev.RaiseAlert(ch, by, 0, _text(draft, "text"), distress=True)
        if "ref" not in route:
            holdoff = self._service.home.config.holdoff
            terms = drafts.terms_of(draft, now_ms=now_ms, contact=contact, rules=rules, holdoff=holdoff)
            return ev.GiveNotice(ch, by, terms, route.get("refines", ""))
        how = route.get("how", "amend")
        if how not in ("amend", "correct", "offnominal"):
            raise BadInput(f"`how` is amend, correct or offnominal, not {how!r}", field="how")
        ref = self._service.notice(ch, route["ref"])["ref"]
        thread = self._service.node.lines[ch].board.find(ref)
        base = thread.terms if thread is not None else None
        if base is None:
            raise BadInput(f"{ref} has no terms to {how}; give a notice that refines it (--refines {ref})", field="ref")
        if how == "offnominal":
            terms = grown_terms(draft, base, now_ms=now_ms)
            return ev.DeclareOffNominal(ch, by, ref, cause_of(route.get("cause", "")), terms)
        terms = drafts.terms_of(draft, now_ms=now_ms, contact=contact, rules=rules, base=base)
        return ev.Revise(ch, by, ref, "amend" if how == "amend" else "correct", terms)

    def _rules(self, ch: str) -> Rules:
        return self._service.node.lines[ch].channel.agreement.rules

    def _contact(self, ch: str) -> str:
        channel = self._service.node.lines[ch].channel
        return channel.cards[channel.us].contact

    def _complete(self, draft: Mapping[str, Any]) -> dict[str, Any] | None:
        """How complete a draft is under the agreement of its line (domain.md C5); None where it has no line."""
        try:
            ch = self._service.resolve_line(_text(draft, "line"), Purpose.FLIGHT_SAFETY)
        except Fault:
            return None
        said = drafts.said_in(draft, contact=self._contact(ch))
        return complete.view(complete.of_what_is_said(said, self._rules(ch)))

    async def _keep(self, id_: str, draft: dict[str, Any]) -> str:
        kept = {k: v for k, v in draft.items() if v not in (None, "")}
        return str(await self._service.inner(inner.KeepDraft(kept, id_)))

    async def _drop_quietly(self, id_: str) -> None:
        try:
            await self._service.inner(inner.DropDraft(id_))
        except Fault:
            return  # the notice is out; a draft that stays is only untidy


def _draft_in(body: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    beside = ("by", "line", "draft", *_ROUTE)
    return drafts.settled({k: v for k, v in body.items() if k not in beside}, now_ms=now_ms)


def _route_in(body: Mapping[str, Any]) -> dict[str, str]:
    return {k: _text(body, k) for k in _ROUTE if body.get(k)}


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field, "")
    if not isinstance(value, str):
        raise BadInput(f"`{field}` must be a text", field=field)
    return value
