# SPDX-License-Identifier: Apache-2.0
"""SC7, a fire traffic area with a drone (domain.md §5): rings, stack, unannounced traffic, and minutes lost.

Fictional, at a test point; the height of the ground is assumed. FIRE keeps the rings on its own machine. Proposals of
who moves, and forms that others fill, are another matter.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from wideberth.core.say.minima import UTM_OVERLAP
from wideberth.core.say.rules import Rules
from wideberth.core.say.volume import Polygon
from wideberth.drill.model import Drill, Mechanism, Mishap, Step
from wideberth.drill.replay import check_replay, entries_of
from wideberth.drill.scene import Scene, rung, when

_FIRE: Final = "FIRE"
_MEDEVAC: Final = "MEDEVAC"
_POLICE: Final = "POLICE"
_PARTIES: Final = (_FIRE, _MEDEVAC, _POLICE)
_DAY: Final = "2030-01-09"
_RULES: Final = Rules(
    area=Polygon.of((33.5, -118.6), (33.5, -117.4), (34.5, -117.4), (34.5, -118.6)), minima=UTM_OVERLAP,
    lead_ms=300_000, least_radius_mm=500_000, not_covered=("anybody who takes no part",),
)  # fmt: skip
_STACK: Final = [
    {"name": "helicopters", "low": "SFC", "high": "1000ft AGL"},
    {"name": "tankers", "low": "1000ft AGL", "high": "2000ft AGL"},
    {"name": "lead", "low": "2500ft AGL", "high": "2500ft AGL"},
]
_DRONE: Final = "unknown drone"
_BLAME: Final = ("violat", "intruder", "offender")


def _latitude(miles: float) -> str:
    """So many nautical miles north of the fire: a minute of latitude is one, within 0.5 %."""
    return f"{34 + miles / 60:.4f}N 118.0000W"


def _reported(s: Scene, aircraft: str, miles: float, altitude: str, *, contact: bool = False) -> dict[str, Any]:
    body = {"aircraft": aircraft, "at": _latitude(miles), "altitude": altitude, "contact": contact}
    found: dict[str, Any] = s.post(_FIRE, "/v1/rings/ridge/positions", body)
    return found


def _block(s: Scene) -> None:
    s.post(_FIRE, "/v1/rings", {"id": "ridge", "at": _latitude(0), "ground": "1900ft", "blocks": _STACK})
    s.kept["block"] = s.give(
        _FIRE, type="AREA_ACTIVITY", hazard="CREWED_AIRCRAFT", circle=_latitude(0), radius="5nm", low="SFC",
        high="1000ft AGL", text="helicopters", **{"from": f"{_DAY}T19:45Z", "until": f"{_DAY}T23:00Z"},
    )["ref"]  # fmt: skip


def _corridor(s: Scene) -> None:
    s.kept["corridor"] = s.give(
        _MEDEVAC, type="TRANSIT", hazard="CREWED_AIRCRAFT", priority="MEDICAL", half_width="1km", low="2000ft AGL",
        high="3000ft AGL", corridor=f"{_latitude(14)}; {_latitude(1)}",
        **{"from": f"{_DAY}T19:56Z", "until": f"{_DAY}T20:20Z"},
    )["ref"]  # fmt: skip
    s.say(_FIRE, "ack", ref=s.kept["corridor"])
    seen = [s.notice(who, s.kept["corridor"])["versions"][-1]["terms"].get("priority") for who in _PARTIES]
    s.same("Q3", "MEDEVAC's priority is shown to all", ["MEDICAL"] * 3, seen)


def _inbound(s: Scene) -> None:
    for at, miles in (("19:57:00", 13.0), ("19:58:00", 11.0), ("19:59:30", 6.5)):
        s.clock(at)
        row = _reported(s, "MEDEVAC-4", miles, "2500ft AGL", contact="medevac-does-not-call" not in s.faults)
        s.kept["medevac"] = [*s.kept.get("medevac", []), row["advice"]]


def _called(s: Scene) -> None:
    s.check(
        "L4", "MEDEVAC called at 13 NM, and needs no advice at either ring", "none", s.kept["medevac"],
        s.kept["medevac"] == ["NONE"] * 3, "MEDEVAC: call in before 12 NM",
    )  # fmt: skip


def _police(s: Scene) -> None:
    s.give(
        _POLICE, type="AREA_ACTIVITY", hazard="UNCREWED_AIRCRAFT", circle=_latitude(4), radius="600m", low="SFC",
        high="300ft AGL", **{"from": f"{_DAY}T20:06Z", "until": f"{_DAY}T20:40Z"},
    )  # fmt: skip
    row = _reported(s, "POLICE drone", 4, "300ft AGL", contact=True)
    s.same("L4", "a drone with a notice and in contact needs no advice", "NONE", row["advice"])


def _nears(s: Scene) -> None:
    row = _reported(s, _DRONE, 11.5, "300ft AGL")
    told = s.comes(_FIRE, "ring", aircraft=_DRONE)
    says = told.tell["sentence"] if told else "nothing"
    s.check(
        "L4", "12 NM without contact is an advisory", "CALL_IN, a note", f"{row['advice']}: {says}",
        row["advice"] == "CALL_IN" and told and told.tell.get("level", "NOTE") == "NOTE",
    )  # fmt: skip


def _inside(s: Scene) -> None:
    since = len(s.world.seen)
    row = _reported(s, _DRONE, 2.1, "300ft AGL")
    told = s.comes(_FIRE, "ring", since=since, aircraft=_DRONE)
    miles = row["distance_mm"] / 1_852_000
    s.check(
        "L4", "7 NM without contact is an alert", "NO_COMM, rings", f"{row['advice']} at {miles:.1f} NM, {when(told)}",
        row["advice"] == "NO_COMM" and abs(miles - 2.1) < 0.02 and told and told.tell.get("level") == "RING",
    )  # fmt: skip
    s.same("D2", "300 ft above ground meets the helicopters, not the tankers", ["helicopters"], row["blocks"])
    same = _reported(s, _DRONE, 2.1, "2200ft AMSL")
    s.same("D2", "and so does 2,200 ft above the sea, over ground at 1,900 ft", ["helicopters"], same["blocks"])


def _whose(s: Scene) -> None:
    ask: dict[str, Any] = {
        "lower": {"mm": 0, "ref": "SFC"},
        "upper": {"mm": 304_800, "ref": "AGL"},
        "hazard": "UNCREWED_AIRCRAFT",
    }
    asked = s.say(_FIRE, "whose", point=[34_035_000_000, -118_000_000_000], **ask)
    for who in (_MEDEVAC, _POLICE):
        s.say(who, "owner", ref=asked["ref"], whose="UNKNOWN", ch=s.world.chs["Ridge"][0])
    view = s.get(_FIRE, f"/v1/messages/{asked['ref']}")
    s.same("G2", "asked whose it is, both say UNKNOWN, and so it stays", ["UNKNOWN"], view["whose"])


def _sighting(s: Scene) -> None:
    since = len(s.world.seen)
    given = s.give(_FIRE, type="UNANNOUNCED_TRAFFIC", hazard="UNCREWED_AIRCRAFT", circle=_latitude(2.1), radius="2km")
    s.kept["sighting"] = given["ref"]
    rang = [s.comes(who, "heard", since=since, entry=given["entry"], first=True) for who in (_MEDEVAC, _POLICE)]
    s.check("G4", "unannounced traffic rings at everybody else", "both", [when(each) for each in rang], all(rang))


def _suspend(s: Scene) -> None:
    s.post(_POLICE, "/v1/plans", {
        "id": "look-round", "circle": _latitude(1), "radius": "500m", "low": "SFC", "high": "300ft AGL",
        "from": f"{_DAY}T20:10Z", "until": f"{_DAY}T20:20Z",
    })  # fmt: skip
    s.say(_FIRE, "report", ref=s.kept["block"], state="SUSPENDED", at_ms=s.ms("20:05:00"), why=s.kept["sighting"])
    shown = [[r["state"] for r in s.notice(who, s.kept["block"])["reports"]] for who in _PARTIES]
    s.same("G4", "FIRE's low block is suspended, and everybody sees it", [["SUSPENDED"]] * 3, shown)
    exposed = s.comes(_POLICE, "exposed", ref=s.kept["block"])
    s.check("G4", "a suspended notice stays a warning", "POLICE's own plan meets it", when(exposed), exposed)


def _gone(s: Scene) -> None:
    since = len(s.world.seen)
    s.post(_FIRE, "/v1/rings/ridge/positions", {"aircraft": _DRONE, "at": _latitude(13), "altitude": "300ft AGL"})
    over = s.comes(_FIRE, "ring", since=since, aircraft=_DRONE, advice="NONE")
    s.check("L4", "outside the rings the alert is over", "told once", when(over), over)


def _restore(s: Scene) -> None:
    s.say(_FIRE, "report", ref=s.kept["block"], state="RESTORED", at_ms=s.ms("20:27:00"))


def _lost(s: Scene) -> None:
    minutes = [s.get(who, "/v1/lost")[0]["lost_min"] for who in _PARTIES]
    s.same("G4", "time lost, as all three count it", [22, 22, 22], minutes, "FIRE: restore what was suspended")
    told = [seen.tell for seen in s.world.seen]
    shown = msgspec.json.encode([told, [s.get(who, "/v1/notices", all=1) for who in _PARTIES]]).decode().lower()
    found = [word for word in _BLAME if word in shown]
    s.check("M2", "who takes no part is blamed for nothing", "no such word", found, not found)
    view = s.notice(_FIRE, s.kept["corridor"])
    acked = rung(view, _FIRE, "ACKNOWLEDGED")
    s.check("E1", "MEDEVAC knows that FIRE has its corridor", "ACKNOWLEDGED", "yes" if acked else "no", acked)


def _afterwards(s: Scene) -> None:
    kept = [entry for party in _PARTIES for entry in entries_of(s, party)]
    found = [name for name in (_DRONE, "MEDEVAC-4", "ridge", "tankers") if any(name in entry for entry in kept)]
    s.check("J4", "nothing of FIRE's rings is in any record", f"0 of {len(kept)} entries", found, kept and not found)
    check_replay(s, [s.ms("20:06:00"), s.now_ms])


DRILL: Final = Drill(
    name="SC7",
    title="A fire traffic area with a drone",
    source="After the wildfire community's rules (NWCG) and a day in January 2025; the rest is invented.",
    opens="Helicopters work low round a fire. Somebody who takes no part flies a drone into it.",
    day=_DAY,
    begins="19:30:00",
    parties=_PARTIES,
    mechanisms=(Mechanism("Ridge", _PARTIES, _RULES),),
    mishaps=(
        Mishap("medevac-does-not-call", "MEDEVAC's pilot does not call in"),
        Mishap("not-restored", "FIRE forgets to restore its block"),
    ),
    steps=(
        Step("19:35:00", _FIRE, "sets its rings, and gives notice of the helicopters' block", _block),
        Step("19:50:00", _MEDEVAC, "gives notice of its corridor; FIRE acknowledges", _corridor),
        Step("19:56:00", _MEDEVAC, "is inbound; FIRE enters where it was reported", _inbound),
        Step("20:00:00", _FIRE, "", _called),
        Step("20:01:00", _POLICE, "gives notice of its own drone, and calls in", _police),
        Step("20:02:30", _FIRE, "is told of a drone at 11.5 NM, and enters it", _nears),
        Step("20:04:00", _FIRE, "is told that it is 2.1 NM away, at 300 ft above ground", _inside),
        Step("20:04:20", _FIRE, "asks everybody whose it is", _whose),
        Step("20:04:40", _FIRE, "warns of unannounced traffic", _sighting),
        Step("20:05:00", _FIRE, "suspends its low block", _suspend),
        Step("20:26:00", _FIRE, "is told that the drone has left", _gone),
        Step("20:27:00", _FIRE, "restores its low block", _restore, unless="not-restored"),
        Step("20:40:00", _FIRE, "", _lost),
    ),
    afterwards=_afterwards,
)  # fmt: skip
