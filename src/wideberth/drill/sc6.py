# SPDX-License-Identifier: Apache-2.0
"""SC6, "We have received your information" (domain.md §5): received is one thing, sufficient another.

The source's hours are read as UTC+8 (the source says no zone). Civil drafts are another matter.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import msgspec

from wideberth.core.judge.horizontal import least_distance
from wideberth.core.judge.remedies import remedy
from wideberth.core.say import instant
from wideberth.core.say.conflict import How
from wideberth.core.say.geodesy import middle, point_towards
from wideberth.core.say.place import Point
from wideberth.core.say.rules import Rules
from wideberth.core.say.volume import Circle, Polygon, Volume4D
from wideberth.drill.model import Drill, Mechanism, Mishap, Step
from wideberth.drill.replay import check_replay
from wideberth.drill.sc1 import BLUE, GREEN
from wideberth.drill.scene import MINUTE, Scene, rung, when

_BOTH: Final = (BLUE, GREEN)
_DAY: Final = "2025-12-06"
_CORNERS: Final = ((23, 128), (23, 134), (28, 134), (28, 128))
_RULES: Final = Rules(area=Polygon.of(*_CORNERS), not_covered=("ships and aircraft that are in neither party",))
_WINDOW: Final = {"from": f"{_DAY}T07:00Z", "until": f"{_DAY}T13:00Z"}
_SHIP: Final = Point.at(25.5, 130.5)
_KNOTS: Final = 15
_REACH_M: Final = 60_000
_MISSING: Final = ["area", "extent", "vertical"]


def _calls(s: Scene) -> None:
    s.say(
        GREEN, "voice", medium="radio", frequency="121.500 MHz", at_ms=s.now_ms,
        answer="flights south of our ship from 15:00 local. BLUE: we have received your information",
    )  # fmt: skip
    found = [each for who in _BOTH for line in s.get(who, "/v1/contacts") for each in line["contacts"]]
    lead_s = (s.ms("07:00:00") - found[0]["at_ms"]) // 1000 if found else 0
    s.check(
        "B8", "the radio call is on record at both ends, with time and frequency", "06:10Z, 121.500 MHz; lead 3000 s",
        f"{len(found)} entries; lead {lead_s} s", len(found) == 2 and lead_s == 3000
        and all(each["frequency"] == "121.500 MHz" and each["outcome"] == "ANSWERED" for each in found),
    )  # fmt: skip


def _vague(s: Scene) -> None:
    said = {"type": "EXERCISE", "hazard": "CREWED_AIRCRAFT", "place_name": "primarily south of the ship", **_WINDOW}
    refused = s.refusal(GREEN, "/v1/notices", {"by": "watch-1", **said})
    score = (refused.details.get("complete") if refused else None) or {"missing": [], "permille": 1000, "sentence": ""}
    s.check(
        "C5", "before anything is sent the sender sees what is missing", "below 80 %; area, extent and vertical",
        score["sentence"], score["permille"] < 800 and set(_MISSING) <= set(score["missing"]),
    )  # fmt: skip


def _whole_area(s: Scene) -> None:
    corners = "; ".join(f"{lat} {lng}" for lat, lng in _CORNERS)
    given = s.give(
        GREEN, type="EXERCISE", hazard="CREWED_AIRCRAFT", polygon=corners, low="SFC", high="UNL",
        text="primarily south of the ship", **_WINDOW,
    )  # fmt: skip
    s.kept["ref"] = given["ref"]
    heard = s.comes(BLUE, "heard", entry=given["entry"], first=False)
    scores = [s.notice(who, given["ref"])["versions"][0]["complete"] for who in _BOTH]
    s.check(
        "C5", "it is sent all the same, and flagged at both ends", "delivered; area, extent and vertical missing",
        f"{when(heard)}; {scores[0]['sentence']}",
        heard and all(score["below"] and set(_MISSING) <= set(score["missing"]) for score in scores),
    )  # fmt: skip
    leads = [s.notice(who, given["ref"])["versions"][0]["lead_given"] for who in _BOTH]
    s.same("C3", "in good time, as both see it", [(1_920_000, False)] * 2, [(x["lead_ms"], x["late"]) for x in leads])


def _received(s: Scene) -> None:
    s.say(BLUE, "ack", ref=s.kept["ref"])
    view = s.notice(GREEN, s.kept["ref"])
    s.same("E7", "an acknowledgement says what it is", "This records receipt only.", view["receipt_only"])
    standing = [s.notice(who, s.kept["ref"])["standing"][BLUE] for who in _BOTH]
    s.same("E1", "GREEN knows that it was received", ["ACKNOWLEDGED"] * 2, standing)


def _insufficient(s: Scene) -> None:
    s.say(BLUE, "insufficient", ref=s.kept["ref"], fields=_MISSING, text="where, how far, how high?")


def _not_usable(s: Scene) -> None:
    views = [s.notice(who, s.kept["ref"]) for who in _BOTH]
    s.check(
        "E4", "received is not sufficient: it is shown as not usable, at both ends", "INSUFFICIENT",
        [view["standing"][BLUE] for view in views], all(v["standing"][BLUE] == "INSUFFICIENT" for v in views),
        "BLUE: what is received but cannot be used is answered INSUFFICIENT, with the fields",
    )  # fmt: skip
    answers = [rung(view, BLUE, "INSUFFICIENT", 1) for view in views]
    fields = [list(each["facts"].get("fields", [])) if each else [] for each in answers]
    s.same("E4", "with what is missing", [_MISSING] * 2, fields)
    kept = [rung(view, BLUE, "ACKNOWLEDGED", 1) is not None for view in views]
    s.same("E1", "and both steps stand side by side", [True, True], kept)
    starts = [view["versions"][0]["terms"]["volumes"][0]["start_ms"] for view in views]
    s.same("E4", "the sender's clock goes on", ["07:00:00Z"] * 2, [instant.show(t)[11:] for t in starts])


def _amend(s: Scene) -> None:
    since = len(s.world.seen)
    s.post(BLUE, "/v1/plans", {"id": "patrol", "track": [
        {"at": "24.6N 130.0E", "altitude": "FL200", "time": f"{_DAY}T07:20Z"},
        {"at": "25.3N 130.6E", "altitude": "FL200", "time": f"{_DAY}T07:40Z"},
    ]})  # fmt: skip
    s.give(
        GREEN, ref=s.kept["ref"], how="amend", moving="25.5N 130.5E", speed=f"{_KNOTS}kt", course="200", sector="S",
        radius="60km", low="SFC", high="FL300", scale="MANY", **_WINDOW,
    )  # fmt: skip
    s.kept["amended"] = since


def _sufficient(s: Scene) -> None:
    views = [s.notice(who, s.kept["ref"]) for who in _BOTH]
    scores = [view["versions"][-1]["complete"] for view in views]
    s.check(
        "C5", "now nothing is missing", "100 %", scores[0]["sentence"],
        all(not score["missing"] and not score["below"] for score in scores),
        "GREEN: give place, reach and heights; a ship's course and speed will do",
    )  # fmt: skip
    volumes = msgspec.convert(views[0]["versions"][-1]["terms"]["volumes"], list[Volume4D])
    outside = _outside(s, volumes)
    s.check(
        "C12", "the volumes hold every position south of the moving ship", "0 of 24 outside",
        f"{len(outside)} of 24 outside {len(volumes)} volumes", not outside,
    )  # fmt: skip
    exposed = s.comes(BLUE, "exposed", since=s.kept.get("amended", s.began), ref=s.kept["ref"])
    s.check("D6", "BLUE's own patrol meets it, and BLUE alone is told", "told at BLUE", when(exposed),
            exposed and not s.told(GREEN, "exposed"))  # fmt: skip
    leads = [v["lead_given"]["lead_ms"] // 1000 for v in views[0]["versions"]]
    s.check("C6", "the first version stays visible with its own lead", "1920 s first", leads, leads[:1] == [1920])


def _outside(s: Scene, volumes: list[Volume4D]) -> list[str]:
    """Every quarter of an hour: where the ship is, and a place 30 km south of it."""
    found = []
    for n in range(24):
        t_ms = s.ms("07:00:00") + n * 15 * MINUTE
        sailed_m = _KNOTS * 1852 * (t_ms - s.ms("07:00:00")) / timedelta(hours=1).total_seconds() / 1000
        south = point_towards(point_towards(_SHIP, 200, sailed_m), 180, _REACH_M / 2)
        spot = Circle(south, 1)
        if not any(v.start_ms <= t_ms < v.end_ms and least_distance(spot, v.shape).least_mm <= 0 for v in volumes):
            found.append(instant.show(t_ms))
    return found


def _moves(s: Scene) -> None:
    s.post(BLUE, "/v1/plans", {"id": "patrol", "track": [
        {"at": "24.6N 132.5E", "altitude": "FL200", "time": f"{_DAY}T07:20Z"},
        {"at": "25.3N 133.0E", "altitude": "FL200", "time": f"{_DAY}T07:40Z"},
    ]})  # fmt: skip
    eased = s.comes(BLUE, "eased", ref=s.kept["ref"], plan="patrol")
    s.check("D6", "BLUE moves its own patrol, and need not say so", "no meeting any more", when(eased), eased)
    s.say(BLUE, "ack", ref=s.kept["ref"])
    view: dict[str, Any] = s.notice(BLUE, s.kept["ref"])
    first = msgspec.convert(view["versions"][-1]["terms"]["volumes"][0], Volume4D)
    read = middle(first.shape)  # as it is read off a map: to a hundredth of a degree
    lat, lng = round(read.lat, 2), round(read.lng, 2)
    s.say(
        BLUE, "readback", ref=s.kept["ref"], as_read=f"{lat} N {lng} E", point=[round(lat * 10**9), round(lng * 10**9)],
        start_ms=s.ms("07:00:00"), end_ms=s.ms("13:00:00"),
    )  # fmt: skip


def _understood(s: Scene) -> None:
    standing = [s.notice(who, s.kept["ref"])["standing"][BLUE] for who in _BOTH]
    s.same("E3", "the version that is sufficient was read back", ["READ_BACK"] * 2, standing)


def _clash(s: Scene, who: str, *, found: bool = True) -> dict[str, Any]:
    """The conflict as that side has it; while it is looked for, once its own check has found it."""
    if not found:
        kept: dict[str, Any] = s.get(who, f"/v1/conflicts/{s.kept['clash']}")
        return kept
    views = s.waits(
        f"{who} finds that the two meet", lambda: [v for v in s.get(who, "/v1/conflicts") if v["found"] is not None]
    )
    return views[0] if views else {}


def _says_patrol(s: Scene) -> None:
    given = s.give(
        BLUE, type="TRANSIT", hazard="CREWED_AIRCRAFT", corridor="24.6 130.0; 25.3 130.6", half_width="10km",
        low="FL190", high="FL210", **{"from": f"{_DAY}T07:20Z", "until": f"{_DAY}T07:40Z"},
    )  # fmt: skip
    s.kept["transit"] = given["ref"]
    views = [_clash(s, who) for who in _BOTH]
    ids = [view.get("id", "") for view in views]
    s.check("Q1", "both sides name the conflict alike, without a word said of it", "one id", ids,
            ids[0] != "" and ids[0] == ids[1])  # fmt: skip
    s.same("Q3", "and the same side is asked to move: BLUE, which filed later", [BLUE] * 2,
           [view.get("moves", {}).get("author") for view in views])  # fmt: skip
    s.kept["clash"] = ids[0]


def _proposes(s: Scene) -> None:
    if not s.kept.get("clash"):
        return
    view = _clash(s, GREEN)
    mine, other = (
        msgspec.convert(s.notice(GREEN, ref)["versions"][-1]["terms"]["volumes"], tuple[Volume4D, ...])
        for ref in (s.kept["transit"], s.kept["ref"])
    )
    tried = remedy(How.ASIDE, mine, other, _RULES.minima, pressure_margin_mm=_RULES.pressure_margin_mm)
    found = tried.remedy
    s.check("Q4", "the least way aside is worked out", "a way that keeps apart", found.sentence if found else tried.why,
            found is not None)  # fmt: skip
    if found is None:
        return
    one, two = (notice["entry"] for notice in view["notices"])
    moving = next(n["entry"] for n in view["notices"] if n["author"] == BLUE)
    s.say(GREEN, "remedy", ref=one, other=two, moves=moving, how="ASIDE", volumes=msgspec.to_builtins(found.volumes))
    s.kept["volumes"] = msgspec.to_builtins(found.volumes)
    views = [_clash(s, who, found=False) for who in _BOTH]
    s.same("Q2", "GREEN's proposal is on the record of both", [[GREEN]] * 2,
           [[each["author"] for each in v["proposals"]] for v in views])  # fmt: skip
    s.same("Q2", "and has changed nothing", [1, 1],
           [s.notice(who, s.kept["transit"])["versions"][-1]["version"] for who in _BOTH])  # fmt: skip


def _resolved(s: Scene) -> None:
    if not s.kept.get("volumes"):
        return
    terms = s.notice(BLUE, s.kept["transit"])["versions"][-1]["terms"]
    s.say(BLUE, "revise", ref=s.kept["transit"], how="amend", terms={**terms, "volumes": s.kept["volumes"]})
    view = _clash(s, BLUE, found=False)
    one, other = (notice["entry"] for notice in view["notices"])
    for who in _BOTH:
        s.say(who, "outcome", ref=one, other=other, outcome="RESOLVED_BY_AMEND")
    views = [_clash(s, who, found=False) for who in _BOTH]
    s.same("Q5", "BLUE amended, and each side recorded it for itself, at both ends",
           [{BLUE: "RESOLVED_BY_AMEND", GREEN: "RESOLVED_BY_AMEND"}] * 2, [v["outcomes"] for v in views])  # fmt: skip


def _afterwards(s: Scene) -> None:
    check_replay(s, [s.ms("06:31:00"), s.ms("06:36:00"), s.now_ms])


DRILL: Final = Drill(
    name="SC6",
    title="“We have received your information”",
    source="After a radio notice of 6 December 2025 that was received, and later called insufficient.",
    opens="GREEN says in good time that it will fly south of its ship. BLUE has received it, and cannot use it.",
    day=_DAY,
    begins="06:05:00",
    parties=_BOTH,
    mechanisms=(Mechanism("South-east", _BOTH, _RULES),),
    mishaps=(
        Mishap("only-received", "BLUE's officer says that it was received, and no more"),
        Mishap("never-amended", "GREEN does not say more"),
    ),
    steps=(
        Step("06:10:00", GREEN, "says it by radio; BLUE answers that it received it", _calls),
        Step("06:27:00", GREEN, "types “primarily south of the ship”", _vague),
        Step("06:28:00", GREEN, "sends it for the whole area, at all heights", _whole_area),
        Step("06:30:00", BLUE, "acknowledges", _received),
        Step("06:32:00", BLUE, "answers INSUFFICIENT: area, extent, vertical", _insufficient, unless="only-received"),
        Step("06:35:00", GREEN, "", _not_usable),
        Step("06:40:00", GREEN, "amends: 60 km south of the ship, at 15 kt, SFC to FL300", _amend,
             unless="never-amended"),
        Step("06:41:00", BLUE, "", _sufficient),
        Step("06:45:00", BLUE, "moves its own patrol, acknowledges and reads back", _moves, unless="never-amended"),
        Step("06:50:00", GREEN, "", _understood),
        Step("06:52:00", BLUE, "gives notice of a patrol nearer by", _says_patrol, unless="never-amended"),
        Step("06:54:00", GREEN, "proposes how it could keep apart", _proposes, unless="never-amended"),
        Step("06:58:00", BLUE, "amends it so; both record what became of it", _resolved, unless="never-amended"),
    ),
    afterwards=_afterwards,
)  # fmt: skip
