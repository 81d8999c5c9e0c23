# SPDX-License-Identifier: Apache-2.0
"""Mechanisms and their agreements, over the node's local socket.

GET    /v1/mechanisms                          each with its agreement's state, members and lines; foundings under way
GET    /v1/mechanisms/agreement?mechanism=&version=      one version, as signed and in units that people use
POST   /v1/mechanisms/propose                  {"by", "mechanism", "set", "rules", "add_lines", "drop_lines", "clauses",
                                               "from", "counters", "text"}: the next version, drafted here and proposed
GET    /v1/mechanisms/proposal?mechanism=&of=  a proposed version whole, for the root key to sign where that is
GET    /v1/mechanisms/readiness?mechanism=     the readiness checklist
POST   /v1/mechanisms/ready                    {"by", "mechanism", "text"}: declares us ready, with what is red
GET    /v1/audience?line=                      who will be told what is said on a line, and how far a copy may travel
GET    /v1/disclosures?line=                   who received which of our notices, and when

`mechanism` is a name, the start of a founding agreement's hash, or a line's; it need not be given where there is one.
Signing, suspending, ending that and leaving are commands like any other (`/v1/commands`).
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import Request

from wideberth import founding, join
from wideberth.core import events as ev
from wideberth.core.call import disclosures
from wideberth.core.call.accord import Accord
from wideberth.core.call.accord_views import accord_view, agreement_view
from wideberth.core.call.choosing import Choice, choose_mechanism
from wideberth.core.line import Line
from wideberth.core.mechanism import Mechanism
from wideberth.core.node import Node
from wideberth.core.say import instant
from wideberth.core.say.release import sentence
from wideberth.core.say.rule_words import changed
from wideberth.core.say.rules import Purpose, Rules
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import Agreement, LineTerms, check_next
from wideberth.errors import BadInput, Fault, NotFound
from wideberth.fingerprint import fingerprint_words
from wideberth.home import Home
from wideberth.web.readiness import Item, at_home, readiness

HASH_CHARS_LEAST: Final = 8
_OF_THE_AGREEMENT: Final = frozenset({"propose", "sign", "suspend", "reinstate", "leave", "ready"})
# Which purpose a kind of word has unless a line is named; the rest are for flight safety.
_USUAL: Final = {"statement": Purpose.WORKING_GROUP}


class Agreeing(Protocol):
    """What these routes need of a running node."""

    @property
    def home(self) -> Home: ...

    @property
    def node(self) -> Node: ...

    def now_ms(self) -> int: ...

    def resolve_line(self, name: str, prefer: Purpose | None = None) -> str: ...

    def lines_named(self, name: str) -> list[str]: ...

    async def command(self, command: ev.Command) -> dict[str, Any]: ...


class Alerting(Protocol):
    """What an ALERT on several lines needs of a running node."""

    async def command(self, command: ev.Command, passphrase: str = "") -> dict[str, Any]: ...


Asked = Callable[[Request], Awaitable[dict[str, Any]]]
Route = tuple[str, str, Callable[[Request], Awaitable[Any]]]


def choices(node: Node) -> list[Choice]:
    """The open lines of a node, as `core/call/choosing.py` chooses among them."""
    return [
        Choice(ch, line.channel.agreement.mechanism, line.channel.versions.hash, line.channel.terms.purpose,
               line.channel.terms.members)
        for ch, line in node.lines.items()
    ]  # fmt: skip


def line_for(service: Agreeing, command: str, name: str) -> str:
    """The line that a command goes to. Purposes are not mixed (domain.md B1): each kind of word has one that it goes to
    unless another is named. What concerns the agreement is said on one line, so the mechanism is enough. Raises
    NotFound, BadInput."""
    if command in _OF_THE_AGREEMENT and service.node.lines:
        chosen = choose_mechanism(choices(service.node), name)
        return service.node.mechanisms[chosen].home.channel.ch
    return service.resolve_line(name, _USUAL.get(command, Purpose.FLIGHT_SAFETY))


def alert_lines(service: Agreeing, body: dict[str, Any]) -> list[str]:
    """Every line for flight safety, for an ALERT that names none: one key, and nobody is asked which (domain.md C17).
    Empty for anything else."""
    if body.get("command") != "alert" or body.get("ch") or body.get("line"):
        return []
    return [c.ch for c in choices(service.node) if c.purpose is Purpose.FLIGHT_SAFETY]


async def raised_on_all(service: Alerting, commands: list[ev.Command], passphrase: str) -> dict[str, Any]:
    """The same ALERT on several lines: what the first said, with the others under `also`, and under `failed` what kept
    one back. Raises the first Fault where it went out on none."""
    said: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for command in commands:
        try:
            said.append(await service.command(command, passphrase))
        except Fault as fault:
            faults.append(fault)
    if not said:
        raise faults[0]
    return {**said[0], "also": said[1:], "failed": [fault.sentence for fault in faults]}


def mechanism_table(service: Agreeing, asked: Asked, post: Callable[[str], str]) -> tuple[Route, ...]:
    """Rows for the table of `local_api.py`. `asked` reads the JSON object of a request, `post` completes a post's
    name."""

    def chosen(name: str) -> Mechanism:
        return service.node.mechanisms[choose_mechanism(choices(service.node), name)]

    async def listed(request: Request) -> Any:
        return overview(service)

    async def agreement(request: Request) -> Any:
        mechanism = chosen(request.query_params.get("mechanism", ""))
        wanted = request.query_params.get("version", "")
        found, _ = mechanism.versions.at(service.now_ms())
        if wanted:
            versions = {str(each.version): each for each, _ in mechanism.versions}
            if wanted not in versions:
                raise NotFound(f"there is no version {wanted}; there are {', '.join(versions)}", field="version")
            found = versions[wanted]
        return {**_names(mechanism), **agreement_view(found)}

    async def propose(request: Request) -> Any:
        body = await asked(request)
        mechanism = chosen(_text(body, "mechanism"))
        accord = mechanism.accord
        counters = _hash_of(accord, _text(body, "counters")) if body.get("counters") else ""
        drafted = draft(accord, body, service.now_ms(), counters)
        command = ev.ProposeVersion(
            mechanism.home.channel.ch, post(_text(body, "by")), canonical.encode(drafted).decode("utf-8"), counters,
            _text(body, "text"),
        )  # fmt: skip
        said = await service.command(command)
        view = accord_view(accord, service.node.party, service.now_ms())
        (made,) = [p for p in view["proposals"] if p["agreement"] == said["facts"]["agreement"]]
        return {**said, "proposal": made}

    async def proposal(request: Request) -> Any:
        mechanism = chosen(request.query_params.get("mechanism", ""))
        hash_ = _hash_of(mechanism.accord, request.query_params.get("of", ""))
        view = accord_view(mechanism.accord, service.node.party, service.now_ms())
        (made,) = [p for p in view["proposals"] if p["agreement"] == hash_]
        payload = mechanism.accord.proposals[hash_].payload.decode("utf-8")
        return {**_names(mechanism), "payload": payload, "proposal": made}

    async def ready_list(request: Request) -> Any:
        mechanism = chosen(request.query_params.get("mechanism", ""))
        return {**_names(mechanism), "items": _items(service, mechanism), **_declared(service, mechanism)}

    async def ready(request: Request) -> Any:
        body = await asked(request)
        mechanism = chosen(_text(body, "mechanism"))
        red = tuple(each.item for each in _items(service, mechanism) if not each.ok)
        command = ev.DeclareReady(mechanism.home.channel.ch, post(_text(body, "by")), red, _text(body, "text"))
        said = await service.command(command)
        return {**said, "items": _items(service, mechanism), **_declared(service, mechanism)}

    async def audience(request: Request) -> Any:
        ch = service.resolve_line(request.query_params.get("line", ""), Purpose.FLIGHT_SAFETY)
        return audience_of(service.node.lines[ch])

    async def disclosed(request: Request) -> Any:
        found = []
        for ch in service.lines_named(request.query_params.get("line", "")):
            line = service.node.lines[ch]
            about = {"mechanism": line.channel.agreement.mechanism, "purpose": line.channel.terms.purpose.value}
            found += [{**about, **each} for each in disclosures.disclosed(line.board, line.channel)]
        return sorted(found, key=lambda each: -each["given_ms"])

    return (
        ("GET", "/v1/mechanisms", listed),
        ("GET", "/v1/mechanisms/agreement", agreement),
        ("POST", "/v1/mechanisms/propose", propose),
        ("GET", "/v1/mechanisms/proposal", proposal),
        ("GET", "/v1/mechanisms/readiness", ready_list),
        ("POST", "/v1/mechanisms/ready", ready),
        ("GET", "/v1/audience", audience),
        ("GET", "/v1/disclosures", disclosed),
    )


def overview(service: Agreeing) -> dict[str, Any]:
    """Every mechanism with the state of its agreement, which is not that of any line; and what is being founded."""
    node, now_ms = service.node, service.now_ms()
    open_ = {mechanism.versions.founding.nonce for mechanism in node.mechanisms.values()}
    return {
        "mechanisms": [
            {**view_of(each, node.party, now_ms), **_declared(service, each)} for each in node.mechanisms.values()
        ],
        "foundings": [each for each in founding.foundings(service.home) if each["nonce"] not in open_],
    }


def view_of(mechanism: Mechanism, us: str, now_ms: int) -> dict[str, Any]:
    newest = mechanism.versions.newest
    return {
        **_names(mechanism),
        "members": [
            {"party": m.party, "by_voice": not m.root, "words": fingerprint_words(m.root) if m.root else "",
             "speaks_for": list(m.speaks_for)}
            for m in newest.members
        ],
        "lines": [
            {"ch": ch, "purpose": line.channel.terms.purpose.value, "members": list(line.channel.terms.members),
             "home": line.channel.home, "in_force": line.channel.terms in newest.lines}
            for ch, line in mechanism.lines.items()
        ],
        "see_also": list(newest.see_also),
        **accord_view(mechanism.accord, us, now_ms),
    }  # fmt: skip


def audience_of(line: Line) -> dict[str, Any]:
    """Who will be told whatever is said on a line: its members, always (domain.md J1)."""
    channel = line.channel
    members = channel.terms.members
    return {
        "ch": channel.ch,
        "mechanism": channel.agreement.mechanism,
        "mode": channel.agreement.mode.value,
        "purpose": channel.terms.purpose.value,
        "members": [m for m in members if m != channel.us],
        "by_voice": list(channel.by_voice),
        "release": sentence(channel.agreement.rules.onward, members),
    }


def draft(accord: Accord, body: Mapping[str, Any], now_ms: int, counters: str) -> Agreement:
    """The version that follows the one in force, with what `body` changes. One that counters a proposal starts from
    that proposal. Raises BadInput."""
    newest, base = accord.versions.newest, accord.versions.newest
    if counters:
        base = accord.proposals[counters].agreement
    rules = base.rules
    if body.get("rules") is not None:
        try:
            rules = msgspec.convert(body["rules"], Rules)
        except msgspec.ValidationError as error:
            raise BadInput(f"these are no rules of an agreement: {error}", field="rules") from None
    rules = changed(rules, _settings(body.get("set") or {}))
    lines = list(base.lines)
    for gone in _terms(body, "drop_lines"):
        if gone not in lines:
            raise BadInput(f"there is no line {gone.purpose.value} with {', '.join(gone.members)}", field="drop_lines")
        lines.remove(gone)
    lines += _terms(body, "add_lines")
    clauses = body.get("clauses")
    from_ms = instant.parse(_text(body, "from"), now_ms=now_ms, field="from") if body.get("from") else now_ms
    drafted = msgspec.structs.replace(
        newest, version=newest.version + 1, previous=accord.versions.newest_hash, rules=rules, lines=tuple(lines),
        clauses=base.clauses if clauses is None else tuple(map(str, clauses)), from_ms=max(from_ms, newest.from_ms),
        nonce=secrets.token_hex(16),
    )  # fmt: skip
    if all(getattr(drafted, f) == getattr(newest, f) for f in ("rules", "lines", "clauses")):
        raise BadInput("nothing is changed; say what: `--set lead=15m`, `--add-line`, `--drop-line`", field="set")
    check_next(newest, accord.versions.newest_hash, drafted)
    return drafted


def _settings(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise BadInput('`set` is an object of texts, such as {"lead": "15m"}', field="set")
    return given


def _terms(body: Mapping[str, Any], field: str) -> list[LineTerms]:
    try:
        return msgspec.convert(body.get(field) or [], list[LineTerms])
    except msgspec.ValidationError as error:
        raise BadInput(f"`{field}` is a list of lines with purpose and members: {error}", field=field) from None


def _hash_of(accord: Accord, of: str) -> str:
    found = [h for h in accord.proposals if h.startswith(of.lower())] if len(of) >= HASH_CHARS_LEAST else []
    if len(found) != 1:
        raise NotFound("no such version was proposed; `agreement status` lists them", of=of)
    return found[0]


def _items(service: Agreeing, mechanism: Mechanism) -> list[Item]:
    folder = at_home(service.home.path, join.compared_on_file(service.home))
    return readiness(mechanism, service.node.party, folder, service.now_ms())


def _declared(service: Agreeing, mechanism: Mechanism) -> dict[str, Any]:
    accord, now_ms = mechanism.accord, service.now_ms()
    agr = accord.newest(now_ms)
    waits = [m.party for m in mechanism.versions.founding.members if m.root and (m.party, agr) not in accord.declared]
    return {"operational": accord.operational(now_ms), "not_declared": waits}


def _names(mechanism: Mechanism) -> dict[str, Any]:
    agreement = mechanism.versions.newest
    return {
        "mechanism": agreement.mechanism, "id": mechanism.versions.hash, "mode": agreement.mode.value,
        "nonce": mechanism.versions.founding.nonce,
    }  # fmt: skip


def _text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field) or ""
    if not isinstance(value, str):
        raise BadInput(f"`{field}` must be a text", field=field)
    return value
