# SPDX-License-Identifier: Apache-2.0
"""SC2, twenty-seven minutes on hold (domain.md §5, with the ladder of §8).

BLUE's notice is 9 km off, and people of GREEN's are in its true place. GREEN asks BLUE to hold off; BLUE's usual
contact is away. The rules of 2016, a room with one man in it, are the fault `rules-of-2016`: the old failure, 1,620 s
on one man, comes only there.
"""

from __future__ import annotations

import time
from typing import Any, Final

from wideberth.core.say import reference
from wideberth.core.say.rules import Rules
from wideberth.core.say.volume import Polygon
from wideberth.drill.model import Drill, Mechanism, Mishap, Step
from wideberth.drill.paged import check_paged
from wideberth.drill.replay import check_replay, entries_of
from wideberth.drill.sc1 import BLUE, GREEN
from wideberth.drill.scene import MINUTE, SECOND, Scene, hms, rung, when

_BOTH: Final = (BLUE, GREEN)
_DAY: Final = "2030-09-17"
_T0: Final = "13:00:00"
_RULES: Final = Rules(area=Polygon.of((34.5, 39.0), (34.5, 41.5), (36.5, 41.5), (36.5, 39.0)))
_AWAY: Final = "usual-contact-away"
_PAGER: Final = "broken-pagers"
_OLD: Final = "rules-of-2016"
_NOBODY: Final = "nobody-takes-it"
# Nobody waits on one person for longer than this (domain.md SC2).
_LONGEST_MS: Final = 120 * SECOND
# From the last rung of the ladder, the telephone script at 180 s, a person has a minute to pick it up.
_HEARD_MS: Final = 240 * SECOND

_PERSON: Final = """
[[people]]
name = "{name}"
role = "{role}"
post = "{post}"
languages = ["en"{more}]
pages = ["{url}/{name}", "tel:+999 555 01{n:02}"]
"""
_SHIFT: Final = """
[[shifts]]
person = "{name}"
start = 2030-09-16T00:00:00Z
end = 2030-09-19T00:00:00Z
backup = {backup}
"""
_UNIT: Final = """
[[units]]
name = "{name}"
circle = "{lat}N 40.176E"
radius = "2km"
pages = ["{url}/{name}"]
"""
_NEAR: Final = ("U1", "U2", "U3")
_PEOPLE: Final = (
    ("W1", "WATCH_OFFICER", "watch-1", "", "false"),
    ("W2", "WATCH_OFFICER", "watch-2", "", "true"),
    ("S1", "SUPERVISOR", "supervisor", "", "false"),
    ("L1", "LINGUIST", "linguist-1", ', "ru"', "false"),
)


def _before(s: Scene) -> None:
    """BLUE's roster: W1 is the usual contact, W2 stands behind, S1 above, L1 translates; and its units, U4 far away."""
    pager = s.world.pager()
    people = _PEOPLE[:1] if _OLD in s.faults else _PEOPLE
    roster = "".join(
        _PERSON.format(name=name, role=role, post=post, more=more, url=pager.url, n=n)
        + _SHIFT.format(name=name, backup=backup)
        for n, (name, role, post, more, backup) in enumerate(people, 1)
    )
    folder = s.world.folders[BLUE]
    (folder / "roster.toml").write_text(roster, "utf-8")
    (folder / "desk.toml").write_text('wake = true\noutside = ["line", "units"]\n', "utf-8")
    places = (*((f"U{n}", 35.19 + n / 100) for n in range(1, 4)), ("U4", 36.2))
    units = "".join(_UNIT.format(name=name, lat=round(lat, 3), url=pager.url) for name, lat in places)
    (folder / "units.toml").write_text(units, "utf-8")
    if _PAGER in s.faults or _OLD in s.faults:
        pager.broken |= {name for name, *_ in people}


def _alone(s: Scene) -> bool:
    """Whether W1 is not there to take it, so that the ladder is climbed."""
    return bool({_AWAY, _PAGER, _OLD, _NOBODY} & s.faults)


def _item(s: Scene) -> dict[str, Any] | None:
    found = [item for item in s.get(BLUE, "/v1/desk")["items"] if item["urgency"] == "FLASH"]
    return found[0] if found else None


def _called(s: Scene, who: str, how: str = "RING") -> int | None:
    """When BLUE's desk first called somebody in this way, ms UTC by BLUE's clock; None: never."""
    at = [seen.at_ms for seen in s.told(BLUE, "rung", how=how) if who in seen.tell["people"]]
    return min(at, default=None)


def _after(s: Scene, at_ms: int | None) -> str:
    return "never" if at_ms is None else f"after {(at_ms - s.ms(_T0)) / 1000:.0f} s"


# --- before ---


def _notice(s: Scene) -> None:
    given = s.give(
        BLUE, type="AREA_ACTIVITY", hazard="FALLING_OBJECTS", circle="35.285N 40.176E", radius="10km", low="SFC",
        high="FL200", **{"from": f"{_DAY}T12:30Z", "until": f"{_DAY}T16:00Z"},
    )  # fmt: skip
    s.kept["ref"] = given["ref"]
    s.say(GREEN, "ack", ref=given["ref"])
    s.say(
        GREEN, "readback", ref=given["ref"], as_read="35 17 06 N 40 10 34 E", point=[35_285_000_000, 40_176_000_000],
        start_ms=s.ms("12:30:00"), end_ms=s.ms("16:00:00"),
    )  # fmt: skip
    standing = [s.notice(who, given["ref"])["standing"][GREEN] for who in _BOTH]
    s.same("E3", "before: the notice was read back, as wrong as it is", ["READ_BACK"] * 2, standing)


# --- T+0 ---


def _hold_off(s: Scene) -> None:
    since, began_ns = len(s.world.seen), time.monotonic_ns()
    given = s.give(GREEN, type="HOLD_OFF", hazard="PEOPLE_PRESENT", circle="35.204N 40.176E", radius="3km")
    s.kept["hold"] = given["ref"]
    rang = s.comes(BLUE, "heard", since=since, entry=given["entry"], first=True)
    s.check("G1", "the hold-off rings at BLUE, before it is recorded", "at once", when(rang), rang)
    timers = [s.notice(who, given["ref"])["must_answer"] for who in _BOTH]
    by = [hms(each["by_ms"]) for timer in timers for each in timer]
    s.same("G1", "both see the same timer", ["13:02:00Z"] * 2, by, "GREEN: watch the timer of a hold-off")
    s.comes(BLUE, "rung", how="RING")
    woken = s.waits("W1's pager is called", lambda: s.world.pager().woken("W1")) or []
    s.check(
        "B6", "whoever is on shift is called at once, and the phone card shown", "W1 after 0 s, card after 0 s",
        f"W1 {_after(s, _called(s, 'W1'))}, card {_after(s, _called(s, 'W1', 'PHONE_CARD'))}, pager tried",
        _called(s, "W1") == _called(s, "W1", "PHONE_CARD") == s.ms(_T0) and woken,
    )  # fmt: skip
    since_ms = s.ms(_T0)
    check_paged(
        s, "G1", BLUE, "the hold-off", units=_NEAR, spared="U4", since_ms=since_ms, began_ns=began_ns
    )  # fmt: skip
    found = _item(s)
    s.kept["item"] = found["item"] if found else ""


def _w1_takes(s: Scene) -> None:
    if not _alone(s):
        _take(s, "W1", "watch-1")


def _take(s: Scene, person: str, post: str) -> None:
    took = s.post(BLUE, "/v1/desk/take", {"item": s.kept["item"], "person": person})
    s.kept["owned"] = (took["owner"], s.now_ms)
    s.note(BLUE, f"{person} takes {s.kept['item']}")
    s.say(BLUE, "ack", by=post, ref=s.kept["hold"])
    times = s.notice(BLUE, s.kept["hold"])["versions"][-1]["terms"]["volumes"][0]
    s.say(
        BLUE, "readback", by=post, ref=s.kept["hold"], as_read="35 12 14 N 40 10 34 E",
        point=[35_204_000_000, 40_176_000_000], start_ms=times["start_ms"], end_ms=times["end_ms"],
    )  # fmt: skip
    s.say(BLUE, "report", by=post, ref=s.kept["ref"], state="SUSPENDED")
    for unit in _NEAR:
        s.post(BLUE, "/v1/desk/relay", {"ref": s.kept["hold"], "unit": unit, "by": post})
    _takes_the_rest(s, BLUE, person)


def _takes_the_rest(s: Scene, who: str, person: str) -> None:
    """What else rings, and nobody has."""
    for item in s.get(who, "/v1/desk")["items"]:
        if not item["owner"]:
            s.post(who, "/v1/desk/take", {"item": item["item"], "person": person})


def _green_takes(s: Scene) -> None:
    _takes_the_rest(s, GREEN, "watch-1")


# --- the ladder ---


def _climbs(s: Scene) -> None:
    """Second by second where it matters: what is due is told at its very second, for the clock waits."""
    if not _alone(s):
        return
    for at, who in (("13:00:30", "S1"), ("13:01:00", "W2")):
        s.clock(s.ms(at) - SECOND)
        s.clock(at)
        s.waits(f"{who} is called", lambda who=who: _called(s, who), within_s=1.0 if _OLD in s.faults else 8.0)  # type: ignore[misc]
    train = "put a supervisor and a backup on the roster"
    for who, what, within_s in (("S1", "the supervisor is called", 30), ("W2", "a second person has it", 61)):
        at_ms = _called(s, who)
        in_time = at_ms is not None and at_ms - s.ms(_T0) <= within_s * SECOND
        s.check("B6", what, f"within {within_s} s", f"{who} {_after(s, at_ms)}", in_time, train)


def _w2_takes(s: Scene) -> None:
    if _AWAY in s.faults and not {_PAGER, _OLD, _NOBODY} & s.faults:
        _take(s, "W2", "watch-2")


def _script(s: Scene) -> None:
    """T+180 s: nobody has taken it, whatever the reason."""
    if not {_PAGER, _OLD, _NOBODY} & s.faults:
        return
    s.clock("13:02:00")
    late = [s.comes(who, "overdue", ref=s.kept["hold"]) for who in _BOTH]
    s.check("G1", "the timer is over: both sides are told OVERDUE", "13:02Z", [when(each) for each in late], all(late))
    s.clock("13:02:59")
    early = s.told(BLUE, "rung", how="PHONE_SCRIPT")
    s.clock("13:03:00")
    script = s.comes(BLUE, "rung", how="PHONE_SCRIPT")
    lines = list(script.tell["lines"]) if script else []
    spelled = reference.spell(s.kept["item"]) if s.kept["item"] else "-"
    s.check(
        "B6", "the telephone script comes after 180 s, with a reference and its check letter", "13:03:00Z",
        f"{when(script)}: {lines[0] if lines else ''}",
        script and not early and script.at_ms == s.ms("13:03:00") and any(spelled in line for line in lines)
        and reference.check(s.kept["item"]) == s.kept["item"],
    )  # fmt: skip
    if _PAGER in s.faults:
        failed = [line for line in s.get(BLUE, "/v1/desk/log", item=s.kept["item"]) if line["event"] == "FAILED"]
        s.check("B6", "every pager that failed is written down", "4 at least", len(failed), len(failed) >= 4)


def _w2_reads_the_script(s: Scene) -> None:
    if _PAGER in s.faults and not {_OLD, _NOBODY} & s.faults:
        _take(s, "W2", "watch-2")


def _w1_comes_back(s: Scene) -> None:
    if _OLD in s.faults:
        s.pass_to("13:27:00", step_ms=30 * SECOND)
        _take(s, "W1", "watch-1")


# --- what came of it ---


def _owned(s: Scene) -> None:
    owner, at_ms = s.kept.get("owned", ("nobody", s.now_ms))
    waited = at_ms - s.ms(_T0)
    train = "whoever hears it takes it: taking an alarm asks nobody's leave"
    alone = _on_one_man(s, at_ms)
    s.check(
        "E8", "no path waits on one person longer than the ladder", f"{_LONGEST_MS // SECOND} s at most",
        f"{alone // SECOND} s", alone <= _LONGEST_MS, "never let one man be the only way in",
    )  # fmt: skip
    s.check(
        "E8", "somebody has it", f"within {_HEARD_MS // SECOND} s", f"{owner} after {waited // SECOND} s",
        owner != "nobody" and waited <= _HEARD_MS, train,
    )  # fmt: skip
    answers = [s.notice(who, s.kept["hold"])["must_answer"][0] for who in _BOTH]
    s.check(
        "G1", "both sides see that a person has it", "ANSWERED at both, at the same time",
        [f"{each['state']} {hms(each['answered_ms'])}" for each in answers],
        answers[0] == answers[1] and answers[0]["state"] == "ANSWERED", train,
    )  # fmt: skip
    log = s.get(BLUE, "/v1/desk/log", item=s.kept["item"], last=5000)
    rungs = [line["note"] for line in log if line["event"] == "RUNG"]
    hands = [line["event"] for line in log if line["event"] in ("RANG", "TAKEN", "ANSWERED")]
    s.check(
        "B6", "every rung and every hand is written down", "rungs, RANG, TAKEN, ANSWERED",
        f"{len(rungs)} rungs, {', '.join(dict.fromkeys(hands))}",
        rungs and set(hands) == {"RANG", "TAKEN", "ANSWERED"}, train,
    )  # fmt: skip
    said = {tuple(sorted(call.said)) for call in s.world.pager().calls}
    s.check("J2", "a wake-up says a reference and an urgency, and no more", "nothing else", sorted(said),
            said == {("reference", "urgency")})  # fmt: skip


def _on_one_man(s: Scene, owned_ms: int) -> int:
    """How long, until it was owned, only one person had been called, in ms."""
    calls = [(seen.at_ms, who) for seen in s.told(BLUE, "rung", item=s.kept["item"]) for who in seen.tell["people"]]
    if not calls:
        return owned_ms - s.ms(_T0)
    first_ms, first = min(calls)
    return min([at_ms for at_ms, who in calls if who != first and at_ms < owned_ms] or [owned_ms]) - first_ms


# --- the nine kilometres ---


def _correct(s: Scene) -> None:
    since = len(s.world.seen)
    given = s.give(BLUE, by="watch-2", ref=s.kept["ref"], how="correct", circle="35.204N 40.176E", radius="10km")
    moved_km = given["facts"].get("shift_mm", 0) / 1e6
    s.check("C7", "the correction says how far it moved", "9.0 km", f"{moved_km:.1f} km", abs(moved_km - 9.0) < 0.05)
    s.comes(GREEN, "heard", since=since, entry=given["entry"], first=False)
    standing = [s.notice(who, s.kept["ref"])["standing"][GREEN] for who in _BOTH]
    s.same("C7", "what GREEN read back is void, at both ends", ["DELIVERED"] * 2, standing)


def _again(s: Scene) -> None:
    s.say(GREEN, "ack", ref=s.kept["ref"])
    step = [rung(s.notice(who, s.kept["ref"]), GREEN, "ACKNOWLEDGED", 2) for who in _BOTH]
    s.check("C7", "and GREEN acknowledges anew", "version 2, at both ends", "yes" if all(step) else "no", all(step))


def _afterwards(s: Scene) -> None:
    kept = entries_of(s, GREEN)
    told = [str(seen.tell) for seen in s.world.seen if seen.node == GREEN]
    names = [name for name, *_ in _PEOPLE if any(f'"{name}"' in text or f"'{name}'" in text for text in (*kept, *told))]
    s.check("E5", "GREEN learns posts, and no names", "no name", names, kept and not names)
    check_replay(s, [s.ms(_T0) + MINUTE, s.now_ms])


DRILL: Final = Drill(
    name="SC2",
    title="Twenty-seven minutes on hold",
    source="After a call of 17 September 2016 that waited 27 minutes for one man; parties and people are invented.",
    opens="BLUE's place is 9 km off. GREEN has people there, and calls. BLUE's usual contact is away.",
    day=_DAY,
    begins="12:10:00",
    parties=_BOTH,
    mechanisms=(Mechanism("Valley", _BOTH, _RULES),),
    mishaps=(
        Mishap(_AWAY, "W1, who is on shift, is away from the desk", usual=True),
        Mishap(_PAGER, "every pager of BLUE's people fails"),
        Mishap(_NOBODY, "nobody at BLUE takes it"),
        Mishap(_OLD, "the room of 2016: W1 alone is on the roster, away for 27 minutes, with a dead pager"),
    ),
    steps=(
        Step("12:15:00", BLUE, "gives notice of a circle; GREEN acknowledges and reads it back", _notice),
        Step("12:30:00", BLUE, "", lambda s: s.settle()),
        Step(_T0, GREEN, "asks BLUE to hold off: people of ours are in your volume", _hold_off),
        Step("13:00:05", BLUE, "", _w1_takes),
        Step("13:00:28", BLUE, "", _climbs),
        Step("13:01:05", BLUE, "", _w2_takes),
        Step("13:01:20", GREEN, "takes what rings at its own desk", _green_takes),
        Step("13:01:50", BLUE, "", _script),
        Step("13:03:20", BLUE, "", _w2_reads_the_script),
        Step("13:05:00", BLUE, "", _w1_comes_back),
        Step("13:29:00", BLUE, "", _owned),
        Step("13:30:00", BLUE, "corrects its notice by 9 km", _correct),
        Step("13:31:00", GREEN, "acknowledges anew", _again),
    ),
    before=_before,
    afterwards=_afterwards,
)  # fmt: skip
