# SPDX-License-Identifier: Apache-2.0
"""SC5, convoy and the last mile (domain.md §5), in a place that is on no map.

AID files movements with COMMAND, and CONDUIT, who works for many like AID, is told as well: that line is theirs. OTHER
is in the same mechanism and not on that line: it was not chosen. COMMAND has four units on the way; U3 does not
confirm.
"""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec

from wideberth.core.say.minima import UTM_OVERLAP
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.protect import STANDING, Protected, Urgency, Waypoint, Work
from wideberth.core.say.rules import LeadFor, Purpose, Rules
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Priority, Terms
from wideberth.core.seal.agreement import LineTerms
from wideberth.drill.model import Drill, Mechanism, Mishap, Step
from wideberth.drill.paged import check_paged
from wideberth.drill.replay import check_replay, entries_of
from wideberth.drill.scene import MINUTE, Scene, hms, rung, when

_AID: Final = "AID"
_COMMAND: Final = "COMMAND"
_CONDUIT: Final = "CONDUIT"
_OTHER: Final = "OTHER"
_PARTIES: Final = (_AID, _CONDUIT, _COMMAND, _OTHER)
_TOLD: Final = (_AID, _COMMAND, _CONDUIT)
_HOUR: Final = 60 * MINUTE
_RULES: Final = Rules(
    area=Polygon.of((40.5, -39.6), (40.5, -37.4), (42.0, -37.4), (42.0, -39.6)), minima=UTM_OVERLAP,
    least_radius_mm=0, leads=(LeadFor(NoticeType.MOVEMENT, 48 * _HOUR), LeadFor(NoticeType.STATIC_SITE, 48 * _HOUR)),
)  # fmt: skip
_WAY: Final = ((41.20, -38.60), (41.25, -38.55), (41.30, -38.50), (41.35, -38.45), (41.40, -38.40))
_ELSEWHERE: Final = ((41.80, -39.40), (41.85, -39.35), (41.90, -39.30), (41.92, -39.25), (41.94, -39.20))
_CHECK_INS: Final = ("18:30:00", "19:10:00", "20:00:00", "21:00:00", "21:50:00")
_UNITS: Final = ("U1", "U2", "U3", "U4")
_SILENT: Final = "u3-silent"
_MISSING: Final = "check-in-missed"
_SAYS_LEAVE: Final = ("APPROV", "AUTHORI", "GRANTED", "PERMITTED")
_UNIT: Final = """
[[units]]
name = "{name}"
circle = "{lat}N {lng}W"
radius = "3km"
pages = ["{url}/{name}"]
supervisor = "S-{name}"
supervisor_pages = ["{url}/S-{name}"]
"""


def _before(s: Scene) -> None:
    """COMMAND's units: four along the way, a fifth far from it."""
    pager, folder = s.world.pager(), s.world.folders[_COMMAND]
    places = [*((f"U{n}", lat, -lng) for n, (lat, lng) in enumerate(_WAY[:4], 1)), ("U5", 40.7, 37.8)]
    units = [_UNIT.format(name=name, lat=lat, lng=lng, url=pager.url) for name, lat, lng in places]
    (folder / "units.toml").write_text("".join(units), "utf-8")
    (folder / "desk.toml").write_text('wake = true\noutside = ["line", "units"]\n', "utf-8")


def _line(s: Scene) -> str:
    return s.world.chs["Port Amal"][0]


def _movement(s: Scene, way: tuple[tuple[float, float], ...], **more: Any) -> dict[str, Any]:
    """A movement of three vehicles from 18:00Z to 22:00Z of the last day, as its terms are signed."""
    start_ms, end_ms = s.ms("18:00:00"), s.ms("22:00:00")
    waypoints = tuple(
        Waypoint(Point.at(*at), s.ms(when_)) for at, when_ in zip(way, _CHECK_INS, strict=True)
    )  # fmt: skip
    protected = Protected(
        _AID, Work.FOOD, contacts=("+999 555 0121",), marking="white, a red roof mark", photo="ab" * 32,
        vehicles=("truck 1", "truck 2", "car 3"), waypoints=waypoints, **more,
    )  # fmt: skip
    low, high = Altitude.surface(), Altitude.metres(300, VerticalRef.AGL)
    volume = Volume4D(Corridor.along(*way, half_width_m=500), low, high, start_ms, end_ms)
    terms = Terms(
        NoticeType.MOVEMENT, Hazard.GROUND_TRAFFIC, "+999 555 0120", (volume,), end_ms,
        priority=Priority.HUMANITARIAN, protected=protected,
    )  # fmt: skip
    found: dict[str, Any] = msgspec.to_builtins(terms)
    return found


def _filed(s: Scene, key: str, terms: dict[str, Any]) -> None:
    s.kept[f"{key} ms"], s.kept[f"{key} ns"] = s.now_ms, time.monotonic_ns()
    s.kept[key] = s.say(_AID, "notice", ch=_line(s), terms=terms)["ref"]


def _lead(s: Scene, key: str, expected: str) -> None:
    leads = [s.notice(who, s.kept[key])["versions"][0]["lead_given"] for who in _TOLD]
    shown = [f"{x['lead_ms'] // _HOUR} h{', LATE by ' + str(x['shortfall_ms'] // _HOUR) + ' h' if x['late'] else ''}"
             for x in leads]  # fmt: skip
    what = f"the lead of a movement filed {expected.partition(',')[0]} ahead, as all three see it"
    s.same("K7", what, [expected] * 3, shown, "AID: file 48 h ahead, or say why not")


def _paged(s: Scene, key: str, id_: str, about: str) -> None:
    check_paged(
        s, id_, _COMMAND, about, units=_UNITS, spared="U5", since_ms=s.kept[f"{key} ms"], began_ns=s.kept[f"{key} ns"]
    )


# --- two days before ---


def _file(s: Scene) -> None:
    _filed(s, "convoy", _movement(s, _WAY))


def _told(s: Scene) -> None:
    _lead(s, "convoy", "52 h")
    _paged(s, "convoy", "E6", "the movement")
    texts = [s.notice(who, s.kept["convoy"])["standing_text"] for who in _TOLD]
    s.check("K5", "the standing text is on every copy", STANDING[:60] + "…", f"{len(texts)} copies",
            texts == [STANDING] * 3)  # fmt: skip


def _confirm(s: Scene, unit: str, how: str = "UNIT") -> dict[str, Any]:
    body = {"ref": s.kept["convoy"], "unit": unit, "by": "watch-1", "how": how}
    found: dict[str, Any] = s.post(_COMMAND, "/v1/desk/relay", body)
    return found


def _relays(s: Scene) -> None:
    s.say(_COMMAND, "ack", ref=s.kept["convoy"])
    _confirm(s, "U1")
    found = _confirm(s, "U2")
    if _SILENT not in s.faults:
        _confirm(s, "U3")
    found = _confirm(s, "U4", "VOICE")
    says = "3/4 relayed, missing U3" if _SILENT in s.faults else "4/4 relayed"
    s.same("E5", "COMMAND's own board says who has it, and who is missing", says, found["says"])
    s.say(_COMMAND, "relay", ref=s.kept["convoy"], relayed=found["relayed"], units=found["of"])
    for who in (_AID, _CONDUIT):
        shown = rung(s.notice(who, s.kept["convoy"]), _COMMAND, "RELAYED")
        facts = shown["facts"] if shown else {}
        text = msgspec.json.encode(s.notice(who, s.kept["convoy"])).decode()
        named = [unit for unit in _UNITS if f'"{unit}"' in text or f"{unit} " in text]
        s.check(
            "E5", f"{who} learns the count, and no unit's name", f"{found['relayed']} of 4",
            f"{facts.get('relayed')} of {facts.get('units')}{', and ' + ', '.join(named) if named else ''}",
            (facts.get("relayed"), facts.get("units")) == (found["relayed"], 4) and not named,
        )  # fmt: skip


def _acknowledged(s: Scene) -> None:
    view = s.notice(_AID, s.kept["convoy"])
    s.same("E7", "COMMAND's acknowledgement says what it is", "This records receipt only.", view["receipt_only"])


def _site(s: Scene) -> None:
    start_ms = s.ms("18:00:00")
    volume = Volume4D(
        Circle.at(lat=41.9, lng=-39.0, radius_m=150), Altitude.surface(), Altitude.metres(30, VerticalRef.AGL),
        start_ms, start_ms + 7 * 24 * _HOUR,
    )  # fmt: skip
    terms = Terms(
        NoticeType.STATIC_SITE, Hazard.PEOPLE_PRESENT, "+999 555 0120", (volume,), volume.end_ms,
        priority=Priority.HUMANITARIAN, protected=Protected(_AID, Work.HOSPITAL, address="41.9000N 39.0000W"),
    )  # fmt: skip
    _filed(s, "site", msgspec.to_builtins(terms))
    s.say(_COMMAND, "ack", ref=s.kept["site"])


def _verify(s: Scene) -> None:
    same = {"command": "verified", "ch": _line(s), "ref": s.kept["site"], "point": [41_900_000_000, -39_000_000_000]}
    refused = s.refusal(_AID, "/v1/commands", {**same, "by": "watch-1"})
    s.say(_AID, "verified", by="supervisor", **{k: v for k, v in same.items() if k != "command"})
    states = [s.notice(who, s.kept["site"])["care"]["states"] for who in _TOLD]
    s.check(
        "K2", "a second person verifies a site, and nobody else", "refused to the first; VERIFIED, as all three see it",
        [("refused" if refused else "taken"), *states[0]], refused and all("VERIFIED" in each for each in states),
    )  # fmt: skip
    (listed,) = [n for n in s.get(_COMMAND, "/v1/notices", all=1) if n["ref"] == s.kept["site"]]
    places = [version["terms"] for version in listed["versions"]]
    s.check("M4", "no list at COMMAND shows the place of AID's site", "one at a time, by its reference",
            "shown" if any(places) else "not in the list", not any(places))  # fmt: skip


# --- late, and in an emergency ---


def _late(s: Scene) -> None:
    _filed(s, "late", _movement(s, _ELSEWHERE))
    _lead(s, "late", "30 h, LATE by 18 h")
    s.say(_COMMAND, "ack", ref=s.kept["late"])


def _emergency(s: Scene) -> None:
    why = {"urgency": Urgency.EMERGENCY, "why_urgent": "the river is rising"}
    _filed(s, "emergency", _movement(s, _ELSEWHERE, **why))
    _lead(s, "emergency", "25 h")
    s.say(_COMMAND, "ack", ref=s.kept["emergency"])


def _late_emergency(s: Scene) -> None:
    why = {"urgency": Urgency.EMERGENCY, "why_urgent": "the river is rising"}
    _filed(s, "late emergency", _movement(s, _ELSEWHERE, **why))
    _lead(s, "late emergency", "23 h, LATE by 1 h")
    s.say(_COMMAND, "ack", ref=s.kept["late emergency"])
    for key in ("late", "emergency", "late emergency"):
        s.say(_AID, "cancel", ch=_line(s), ref=s.kept[key], text="one convoy goes")


# --- the day ---


def _board(s: Scene) -> dict[str, Any]:
    found = [each for each in s.get(_COMMAND, "/v1/desk")["relays"] if each["ref"] == s.kept["convoy"]]
    return found[0] if found else {"says": "not followed", "units": {}}


def _near(s: Scene) -> None:
    if _SILENT not in s.faults:
        return
    pager, before = s.world.pager(), len(s.world.pager().woken("U3"))
    s.clock("17:44:59")
    early = len(pager.woken("U3")) > before
    s.clock("17:45:00")
    called = s.waits(
        "U3 and its supervisor are called", lambda: len(pager.woken("U3")) > before and pager.woken("S-U3")
    )
    others = [unit for unit in ("U1", "U2", "U4") if len(pager.woken(unit)) > 1]
    s.check(
        "E6", "15 minutes before the start the unit that is missing is paged, with its supervisor",
        "U3 and S-U3 at 17:45Z, nobody else",
        f"{'paged' if called else 'not paged'}, {', '.join(others) or 'no other'}",
        called and not early and not others,
    )  # fmt: skip


def _starts(s: Scene) -> None:
    s.say(_AID, "report", ref=s.kept["convoy"], state="STARTED")
    board, at_aid = _board(s), rung(s.notice(_AID, s.kept["convoy"]), _COMMAND, "RELAYED")
    facts = at_aid["facts"] if at_aid else {}
    short = _SILENT in s.faults
    s.check(
        "E5", "at the start both see whether it got to the last unit", "NOT FULLY RELAYED, and 3 of 4" if short
        else "4 of 4", f"COMMAND: {board['says']}; AID: {facts.get('relayed')} of {facts.get('units')}",
        ("NOT FULLY RELAYED" in board["says"]) is short and (facts.get("relayed") == 4) is not short,
        "COMMAND: tell the unit by voice, and enter it",
    )  # fmt: skip
    lives = [s.notice(who, s.kept["convoy"])["life"] for who in _TOLD]
    s.same("E6", "it is information and bars nothing: the movement is under way", ["ACTIVE"] * 3, lives)


def _first_check_in(s: Scene) -> None:
    s.say(_AID, "checkin", ch=_line(s), ref=s.kept["convoy"])
    states = [s.notice(who, s.kept["convoy"])["care"]["states"] for who in _TOLD]
    s.check("K4", "it checked in", "not OVERDUE, as all three see it", states[0],
            all("OVERDUE" not in each for each in states))  # fmt: skip


def _second_check_in(s: Scene) -> None:
    if _MISSING not in s.faults:
        s.say(_AID, "checkin", ch=_line(s), ref=s.kept["convoy"])


def _overdue(s: Scene) -> None:
    since = len(s.world.seen)
    s.clock("19:25:00")
    early = [who for who in _TOLD if s.told(who, "overdue", since=since, ref=s.kept["convoy"])]
    s.clock("19:25:01")
    missing = _MISSING in s.faults
    found = [
        s.comes(who, "overdue", since=since, ref=s.kept["convoy"]) if missing else None for who in (_AID, _COMMAND)
    ]
    named = [
        all(number in each.tell["sentence"] for number in ("+999 555 0120", "+999 555 0121")) for each in found if each
    ]
    s.check(
        "K4", "15 minutes later the missing check-in rings at both ends, with both contacts",
        "19:25:01Z at AID and COMMAND" if missing else "nobody", [when(each) for each in found],
        (all(found) and all(named) if missing else not any(found)) and not early,
    )  # fmt: skip


def _hold_off(s: Scene) -> None:
    s.kept["hold since"], s.kept["hold ns"] = len(s.world.seen), time.monotonic_ns()
    s.kept["hold ms"] = s.now_ms
    given = s.give(
        _AID, line=_line(s), type="HOLD_OFF", hazard="PEOPLE_PRESENT", circle="41.28N 38.52W", radius="20km",
        text="our convoy is out there",
    )  # fmt: skip
    s.kept["hold"] = given["ref"]


def _held(s: Scene) -> None:
    rang = s.comes(_COMMAND, "heard", since=s.kept["hold since"], ref=s.kept["hold"], first=True)
    s.check("G1", "the hold-off rings at COMMAND at once", "before it is recorded", when(rang), rang)
    _paged(s, "hold", "G1", "the hold-off")


def _command_answers(s: Scene) -> None:
    s.say(_COMMAND, "ack", ref=s.kept["hold"])
    s.say(_CONDUIT, "ack", ref=s.kept["hold"])


def _answered(s: Scene) -> None:
    timers = [{each["member"]: each for each in s.notice(who, s.kept["hold"])["must_answer"]} for who in _TOLD]
    answers = [f"{timer[_COMMAND]['state']} {hms(timer[_COMMAND]['answered_ms'])}" for timer in timers]
    s.check(
        "G1", "all three see that COMMAND has it", "ANSWERED 19:27:00Z", ", ".join(dict.fromkeys(answers)),
        set(answers) == {"ANSWERED 19:27:00Z"}, "COMMAND: answer a hold-off first, and within two minutes",
    )  # fmt: skip


def _found_again(s: Scene) -> None:
    s.say(_AID, "checkin", ch=_line(s), ref=s.kept["convoy"], text="a tyre")
    states = [s.notice(who, s.kept["convoy"])["care"]["states"] for who in _TOLD]
    s.check("K4", "heard of again, it is no longer overdue", "not OVERDUE", states[0],
            all("OVERDUE" not in each for each in states))  # fmt: skip
    s.say(_AID, "cancel", ch=_line(s), ref=s.kept["hold"])


# --- taken back ---


def _withdraw(s: Scene) -> None:
    given = s.say(_AID, "cancel", ch=_line(s), ref=s.kept["site"], text="moved out")
    views = {who: s.notice(who, s.kept["site"]) for who in _TOLD}
    receipted = [rung(views[_AID], who, "DELIVERED", 2) is not None for who in (_COMMAND, _CONDUIT)]
    s.same("K3", "the withdrawal itself is receipted", [True, True], receipted)
    kept = [[version["kind"] for version in view["versions"]] for view in views.values()]
    s.same("K3", "and the history stays, with all three", [["notice", "cancel"]] * 3, kept)
    body = {"command": "confirm", "by": "watch-1", "ch": _line(s), "ref": s.kept["site"]}
    refused = s.refusal(_AID, "/v1/commands", body)
    s.check("K3", "nothing more is sent about it", "refused", refused.sentence if refused else given["ref"], refused)


def _others(s: Scene) -> None:
    told = [t.tell for t in s.world.seen if t.node == _OTHER]
    screens = msgspec.json.encode([told, s.get(_OTHER, "/v1/notices", all=1)]).decode()
    words = ("MOVEMENT", "STATIC_SITE", "HOLD_OFF", "convoy", "truck", s.kept["convoy"], s.kept["site"])
    found = [word for word in words if word in screens]
    s.check("J1", "who was not chosen is told and shown nothing", "no word of it at OTHER", found, not found)
    given = {d["ref"]: d for d in s.get(_AID, "/v1/disclosures")}
    to = sorted({r["party"] for r in given.get(s.kept["convoy"], {"to": []})["to"]})
    s.same("J1", "AID's list of disclosures says who has it", [_COMMAND, _CONDUIT], to)
    shown = msgspec.json.encode([[t.tell for t in s.world.seen], s.notice(_AID, s.kept["convoy"])]).decode().upper()
    leave = [word for word in _SAYS_LEAVE if word in shown.replace(STANDING.upper(), "")]
    s.check("M2", "nothing told or shown gives or refuses leave", "no such word", leave, not leave)


def _afterwards(s: Scene) -> None:
    kept = entries_of(s, _OTHER)
    found = [word for word in ("MOVEMENT", "truck", "convoy") if any(word in entry for entry in kept)]
    s.check("J1", "nor is anything of it in OTHER's record", f"0 of {len(kept)} entries", found, kept and not found)
    names = [unit for unit in _UNITS if any(f'"{unit}"' in entry for who in _TOLD for entry in entries_of(s, who))]
    s.check("E5", "no unit's name is in any record", "no name", names, not names)
    check_replay(s, [s.ms("18:05:00"), s.ms("19:30:00"), s.now_ms])


DRILL: Final = Drill(
    name="SC5",
    title="Convoy and the last mile",
    source="After humanitarian notification rules, and the convoy of 1 April 2024; place and parties are invented.",
    opens="AID says in good time where its convoy goes. COMMAND acknowledges; one of its four units does not have it.",
    day="2030-06-14",
    begins="2030-06-12T13:50:00Z",
    parties=_PARTIES,
    mechanisms=(
        Mechanism(
            "Port Amal", _PARTIES, _RULES,
            (LineTerms(Purpose.HUMANITARIAN, tuple(sorted(_TOLD))),
             LineTerms(Purpose.FLIGHT_SAFETY, tuple(sorted((_COMMAND, _OTHER)))),
             LineTerms(Purpose.WORKING_GROUP, tuple(sorted(_PARTIES))),),
        ),
    ),
    mishaps=(
        Mishap(_SILENT, "COMMAND's unit U3 does not confirm", usual=True),
        Mishap(_MISSING, "the convoy does not check in at 19:10Z", usual=True),
        Mishap("command-silent", "COMMAND does not answer the hold-off"),
    ),
    steps=(
        Step("2030-06-12T14:00:00Z", _AID, "files a movement, 52 h ahead", _file),
        Step("2030-06-12T14:00:05Z", _COMMAND, "", _told),
        Step("2030-06-12T14:10:00Z", _COMMAND, "acknowledges; U1 and U2 confirm, U4 is told by voice", _relays),
        Step("2030-06-12T14:11:00Z", _AID, "", _acknowledged),
        Step("2030-06-12T14:20:00Z", _AID, "files a site", _site),
        Step("2030-06-12T14:40:00Z", _AID, "has the site looked at by a second person", _verify),
        Step("2030-06-13T12:00:00Z", _AID, "files another movement, 30 h ahead", _late),
        Step("2030-06-13T17:00:00Z", _AID, "files a third one as an emergency, 25 h ahead", _emergency),
        Step("2030-06-13T19:00:00Z", _AID, "and a fourth, 23 h ahead; then cancels all three", _late_emergency),
        Step("17:44:00", _COMMAND, "", _near),
        Step("18:00:00", _AID, "reports that the convoy has started", _starts),
        Step("18:30:00", _AID, "the convoy checks in", _first_check_in),
        Step("19:10:00", _AID, "", _second_check_in),
        Step("19:24:00", _AID, "", _overdue),
        Step("19:26:00", _AID, "asks everybody to hold off", _hold_off),
        Step("19:26:05", _COMMAND, "", _held),
        Step("19:27:00", _COMMAND, "answers, and so does CONDUIT", _command_answers, unless="command-silent"),
        Step("19:27:30", _AID, "", _answered),
        Step("19:40:00", _AID, "the convoy is heard of again", _found_again),
        Step("20:00:00", _AID, "withdraws the site", _withdraw),
        Step("20:05:00", _OTHER, "", _others),
    ),
    before=_before,
    afterwards=_afterwards,
)  # fmt: skip
