# SPDX-License-Identifier: Apache-2.0
"""SC4, the line goes quiet while politics shouts (domain.md §5).

Two mechanisms between BLUE and GREEN. On Coast (a flight safety line and a working group's) GREEN's people stop
answering the checks; on Strait they go on. GREEN's node is down for a while as well, so that what BLUE says waits.
"""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec

from wideberth.core.say import instant
from wideberth.core.say.place import Point
from wideberth.core.say.rules import Fallback, NamedPlace, Purpose
from wideberth.core.say.volume import Polygon
from wideberth.core.say.words import FallbackKind
from wideberth.core.seal.agreement import LineTerms
from wideberth.drill import sc1
from wideberth.drill.model import Drill, Mechanism, Mishap, Step
from wideberth.drill.replay import check_replay
from wideberth.drill.sc1 import BLUE, GREEN
from wideberth.drill.scene import Scene, when, words

_HOUR: Final = 3_600_000
_COAST: Final = "Coast"
_STRAIT: Final = "Strait"
_BOTH: Final = (BLUE, GREEN)
_LADDER: Final = (
    Fallback(FallbackKind.ALTERNATE_LINK, "the west coast line, 41"),
    Fallback(FallbackKind.MEDIATOR, "the host's watch, 55"),
    Fallback(FallbackKind.PUBLIC_NOTICE, "the public status page"),
)
# 09:00 and 16:00 KST, weekends too; people of the other mechanism check at noon.
_COAST_RULES: Final = msgspec.structs.replace(
    sc1.RULES, check_times_ms=(0, 7 * _HOUR), check_grace_ms=1_200_000, fallback=_LADDER
)
_STRAIT_RULES: Final = msgspec.structs.replace(
    _COAST_RULES, area=Polygon.of((41, 40), (41, 43), (43, 43), (43, 40)), check_times_ms=(12 * _HOUR,),
    gazetteer=(NamedPlace("Narrows", Point.at(42, 41), 30_000_000),),
)  # fmt: skip
_QUIET: Final = "nobody-answers"
_DOWN: Final = "node-down"


def _at(day_and_time: str) -> str:
    return f"2023-04-{day_and_time}:00Z"


def _ch(s: Scene, name: str, n: int = 0) -> str:
    return s.world.chs[name][n]


def _view(s: Scene, who: str, ch: str) -> dict[str, Any]:
    """One line as this side shows it, without what is only its own."""
    (line,) = [each for each in s.get(who, "/v1/line") if each["ch"] == ch]
    found: dict[str, Any] = line["peers"][GREEN if who == BLUE else BLUE]
    return found


def _state(s: Scene, ch: str) -> tuple[list[str], list[int]]:
    """The state as each side that is up shows it, and since when."""
    views = [_view(s, who, ch) for who in _BOTH if who in s.world.nodes]
    return [view["state"] for view in views], [view["since_ms"] for view in views]


def _asks_and_answers(s: Scene, ch: str, asker: str, other: str) -> None:
    s.say(asker, "check", ch=ch)
    s.say(other, "checked", ch=ch)


def _check_coast(s: Scene) -> None:
    _asks_and_answers(s, _ch(s, _COAST), BLUE, GREEN)


def _check_strait(s: Scene) -> None:
    _asks_and_answers(s, _ch(s, _STRAIT), GREEN, BLUE)
    s.kept["strait"] = [*s.kept.get("strait", []), *_state(s, _ch(s, _STRAIT))[0]]


def _seven(s: Scene) -> None:
    s.say(BLUE, "check", ch=_ch(s, _COAST))
    if _QUIET not in s.faults:
        s.say(GREEN, "checked", ch=_ch(s, _COAST))


def _midnight(s: Scene) -> None:
    if _QUIET not in s.faults:
        _check_coast(s)


def _missed(s: Scene, state: str, since: str, slot: str) -> None:
    quiet = _QUIET in s.faults
    states, since_ms = _state(s, _ch(s, _COAST))
    wanted = [state if quiet else "OPEN"] * 2
    s.same("B2", f"the line after the check of {slot}", wanted, states, "ask for the next line check in good time")
    if quiet:
        s.same("B2", "with the exact time, on both sides", [since] * 2, [instant.show(t) for t in since_ms])


def _degraded(s: Scene) -> None:
    s.clock(_at("07T07:20"))
    _missed(s, "DEGRADED", _at("07T07:20"), "7 April, 07:00Z")


def _silent(s: Scene) -> None:
    s.clock(_at("08T00:20"))
    _missed(s, "SILENT", _at("08T00:20"), "8 April, 00:00Z")
    if _QUIET not in s.faults:
        return
    view = _view(s, BLUE, _ch(s, _COAST))
    s.same("B2", "why it is silent", "UNKNOWN", view["reason"])
    told = next(iter(s.told(BLUE, "line", ch=_ch(s, _COAST), state="SILENT")), None)
    s.check("B2", "silence rings", "BLUE's officer is told", when(told), told and told.tell.get("level") == "RING")
    rung = view["fallback"]
    kind = rung["kind"] if rung else "none"
    s.same("B4", "the next rung is proposed", "ALTERNATE_LINK", kind, "know the agreed ladder by heart")


def _statement(s: Scene) -> None:
    coast, group = _ch(s, _COAST), _ch(s, _COAST, 1)
    text = "We condemn what GREEN did."
    before = _state(s, coast), [s.get(who, "/v1/notices", all=1) for who in _BOTH]
    since = len(s.world.seen)
    refused = s.refusal(BLUE, "/v1/commands", {"command": "statement", "by": "watch-1", "ch": coast, "text": text})
    s.check(
        "B1", "a statement does not belong on the flight safety line", "refused, the right line named",
        refused.sentence if refused else "taken", refused is not None and group[:12] in refused.sentence,
    )  # fmt: skip
    s.say(BLUE, "statement", ch=group, text=text)
    after = _state(s, coast), [s.get(who, "/v1/notices", all=1) for who in _BOTH]
    kinds = sorted({str(t.tell.get("kind", t.tell["tell"])) for t in s.world.seen[since:]} - {"delivered"})
    s.check(
        "H5", "a statement changes no line and no notice", "nothing else is told", kinds,
        before == after and kinds == ["statement"],
    )  # fmt: skip


def _suspend(s: Scene) -> None:
    coast, before = _ch(s, _COAST), _state(s, _ch(s, _COAST))
    s.say(GREEN, "suspend", by="supervisor", ch=_ch(s, _COAST, 1), text="Until further notice.", from_ms=s.now_ms)
    s.clock(s.now_ms + 60_000)
    agreements = [m["state"] for who in _BOTH for m in s.get(who, "/v1/mechanisms")["mechanisms"]]
    s.check(
        "A4", "the agreement is suspended, that of the other mechanism is not", "SUSPENDED and IN_FORCE at both",
        agreements, sorted(agreements) == ["IN_FORCE", "IN_FORCE", "SUSPENDED", "SUSPENDED"],
    )  # fmt: skip
    s.check("A4", "the line is whatever the checks say", before[0], _state(s, coast)[0], before == _state(s, coast))


def _distress(s: Scene) -> None:
    said = s.give(GREEN, type="DISTRESS", text="boat on fire", line=_ch(s, _COAST))
    rang = s.comes(BLUE, "heard", entry=said["entry"], first=True)
    s.check("G8", "distress passes with the line silent and the agreement suspended", "rings at BLUE", when(rang), rang)
    outside = said["facts"].get("outside", "")
    s.check("A4", "and is marked", "outside the agreement", outside or "not marked", outside)


def _rungs(s: Scene) -> None:
    coast = _ch(s, _COAST)
    for kind in ("ALTERNATE_LINK", "MEDIATOR"):
        s.say(BLUE, "voice", ch=coast, medium="telephone", answer="nobody", outcome="NO_ANSWER", rung=kind)
    view = _view(s, BLUE, coast)
    calls = view["calls"]
    s.check(
        "B8", "calls beside the line are counted", "2 tried, 0 answered, 0 %",
        f"{calls['attempts']} tried, {calls['answered']} answered, {calls['rate_percent']} %",
        (calls["attempts"], calls["answered"], calls["rate_percent"]) == (2, 0, 0),
    )  # fmt: skip
    if _QUIET in s.faults:
        s.same("B4", "then the next rung is proposed", "PUBLIC_NOTICE", (view["fallback"] or {}).get("kind"))


def _goes_down(s: Scene) -> None:
    s.kept["down"] = len(s.world.seen)
    s.world.down(GREEN)


def _transport(s: Scene) -> None:
    began_ns = time.monotonic_ns()
    given = s.give(
        BLUE, line=_ch(s, _COAST), type="TRANSIT", hazard="CREWED_AIRCRAFT", circle="36.20N 37.15E", radius="12km",
        low="SFC", high="FL300", **{"from": _at("13T08:00"), "until": _at("13T10:00")},
    )  # fmt: skip
    s.kept["transport"] = given["ref"]
    s.kept["given_ms"] = s.now_ms
    if _DOWN in s.faults:
        told = s.comes(BLUE, "link", since=s.kept["down"], state="NOT_RELAYED")
        took_s = max(0.0, (told.at_ns - began_ns) / 1e9) if told else 0.0
        s.check(
            "B9", "BLUE is told that its words do not get through", "NOT_RELAYED within 10 s of this machine's time",
            f"told {when(told)}, after {took_s:.1f} s", told and took_s < 10,
            "when NOT_RELAYED is told, go to the telephone",
        )  # fmt: skip


def _comes_back(s: Scene) -> None:
    s.world.up(GREEN)


def _held(s: Scene) -> None:
    s.settle()
    ref = s.kept["transport"]
    heard = s.comes(GREEN, "heard", kind="notice", ref=ref)
    given = [s.notice(who, ref)["versions"][0]["given_ms"] for who in _BOTH] if heard else []
    s.check(
        "B7", "what was said meanwhile arrives with its original time", _at("11T14:00"),
        f"told {when(heard)}, given {words([instant.show(t) for t in given])}", given == [s.kept["given_ms"]] * 2,
    )  # fmt: skip


def _answers(s: Scene) -> None:
    if "never-back" not in s.faults:
        _check_coast(s)
    else:
        s.say(BLUE, "check", ch=_ch(s, _COAST))


def _open_again(s: Scene) -> None:
    s.same("B2", "the line is open when a person answers", ["OPEN", "OPEN"], _state(s, _ch(s, _COAST))[0],
           "GREEN: answer the line check")  # fmt: skip
    s.check("A9", "the other mechanism stayed open throughout", "OPEN at every noon, on both sides",
            s.kept.get("strait", []), set(s.kept.get("strait", [])) == {"OPEN"})  # fmt: skip
    told = [seen.tell["state"] for who in _BOTH for seen in s.told(who, "line", ch=_ch(s, _STRAIT))]
    s.check("A9", "and nobody was told otherwise", "nothing", told, not told)


def _afterwards(s: Scene) -> None:
    hours = range(s.ms(_at("05T22:00")), s.now_ms, 6 * _HOUR)
    check_replay(s, [t + 1 for t in hours])


DRILL: Final = Drill(
    name="SC4",
    title="The line goes quiet while politics shouts",
    source="After lines of April 2023, and an agreement that was suspended in April 2017; what is said is invented.",
    opens="People at one end stop answering, and nobody knows why; meanwhile there is a quarrel.",
    day="2023-04-05",
    begins="22:00:00",
    parties=_BOTH,
    mechanisms=(
        Mechanism(
            _COAST, _BOTH, _COAST_RULES,
            tuple(LineTerms(p, _BOTH) for p in (Purpose.FLIGHT_SAFETY, Purpose.WORKING_GROUP)),
        ),
        Mechanism(_STRAIT, _BOTH, _STRAIT_RULES),
    ),
    mishaps=(
        Mishap(_QUIET, "GREEN's people do not answer the checks from 7 April on", usual=True),
        Mishap(_DOWN, "GREEN's node is down for a day", usual=True),
        Mishap("never-back", "GREEN's people do not answer on 12 April either"),
    ),
    steps=(
        Step(_at("06T00:00"), BLUE, "asks for the line check, and GREEN answers", _check_coast),
        Step(_at("06T07:05"), BLUE, "asks for the line check, and GREEN answers", _check_coast),
        Step(_at("06T12:01"), GREEN, "asks for the check of the other line, and BLUE answers", _check_strait),
        Step(_at("07T00:02"), BLUE, "asks for the line check, and GREEN answers", _check_coast),
        Step(_at("07T07:00"), BLUE, "asks for the line check", _seven),
        Step(_at("07T07:15"), BLUE, "", _degraded),
        Step(_at("07T12:01"), GREEN, "asks for the check of the other line, and BLUE answers", _check_strait),
        Step(_at("08T00:00"), BLUE, "", _midnight),
        Step(_at("08T00:19"), BLUE, "", _silent),
        Step(_at("08T12:01"), GREEN, "asks for the check of the other line, and BLUE answers", _check_strait),
        Step(_at("09T09:00"), BLUE, "posts a statement that condemns GREEN", _statement),
        Step(_at("09T09:05"), GREEN, "suspends the agreement in writing", _suspend),
        Step(_at("09T09:10"), GREEN, "sends distress: a boat is on fire", _distress),
        Step(_at("09T09:30"), BLUE, "tries the alternate line and the mediator; nobody answers", _rungs),
        Step(_at("09T12:01"), GREEN, "asks for the check of the other line, and BLUE answers", _check_strait),
        Step(_at("10T12:01"), GREEN, "asks for the check of the other line, and BLUE answers", _check_strait),
        Step(_at("11T12:01"), GREEN, "asks for the check of the other line, and BLUE answers", _check_strait),
        Step(_at("11T13:00"), GREEN, "its node goes down", _goes_down, only=_DOWN),
        Step(_at("11T14:00"), BLUE, "gives notice of a transport for the 13th", _transport),
        Step(_at("12T06:55"), GREEN, "its node is up again", _comes_back, only=_DOWN),
        Step(_at("12T06:58"), GREEN, "", _held),
        Step(_at("12T07:00"), BLUE, "asks for the line check", _answers),
        Step(_at("12T07:05"), BLUE, "", _open_again),
    ),
    afterwards=_afterwards,
)  # fmt: skip
