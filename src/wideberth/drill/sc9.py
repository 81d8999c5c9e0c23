# SPDX-License-Identifier: Apache-2.0
"""SC9, the triangle (domain.md §8): HUB has mechanism NORTH with WEST and SOUTH with EAST, in areas that overlap.

That what leaves HUB is the same byte for byte with and without the clash needs the same hour lived twice with the same
keys and entropy; `tests/e2e/test_triangle.py` does that. A drill sees what people see, and what stands in the records.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from wideberth import evidence, home
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.rules import Rules
from wideberth.core.say.volume import Polygon
from wideberth.core.seal.bundle import whole_channel
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.drill import sc1
from wideberth.drill.model import Drill, Mechanism, Mishap, Step
from wideberth.drill.replay import check_replay, entries_of
from wideberth.drill.scene import Scene, when
from wideberth.drill.search import everything_in, holds

_HUB: Final = "HUB"
_LINES: Final = {"NORTH": "WEST", "SOUTH": "EAST"}
_DAY: Final = "2030-01-01"
_SOUTH_RULES: Final = Rules(
    area=Polygon.of((33.0, 34.0), (33.0, 37.5), (36.8, 37.5), (36.8, 34.0)),
    minima=SeparationMinima("FIVE_MILES", 9_260_000, 304_800),
)
_WINDOW: Final = {"from": f"{_DAY}T19:10Z", "until": f"{_DAY}T19:40Z"}


def _signed(s: Scene) -> dict[str, int]:
    """How much HUB has signed on each line."""
    chs = {name: s.world.chs[name][0] for name in _LINES}
    seqs = {line["ch"]: line["seq"] for line in s.world.lines_of(_HUB)}
    return {name: seqs[ch] for name, ch in chs.items()}


def _corridor(s: Scene) -> None:
    s.kept["corridor"] = s.give(
        "WEST", type="TRANSIT", hazard="CREWED_AIRCRAFT", corridor="35.3000N 35.2000E; 35.7000N 35.4000E",
        half_width="5km", low="FL050", high="FL150", text="ferry traffic northbound", **_WINDOW,
    )["ref"]  # fmt: skip


def _area(s: Scene) -> None:
    s.kept["signed"], s.kept["since"] = _signed(s), len(s.world.seen)
    s.kept["area"] = s.give(
        "EAST", type="AREA_ACTIVITY", hazard="CREWED_AIRCRAFT", circle="35.4500N 35.3500E", radius="12km", low="SFC",
        high="FL300", text="survey of the sea floor",
        **{"from": f"{_DAY}T19:10Z", "until": f"{_DAY}T19:50Z"},
    )["ref"]  # fmt: skip


def _warned(s: Scene) -> None:
    crossed = s.comes(_HUB, "crossed")
    tell: dict[str, Any] = crossed.tell if crossed else {}
    refs = {tell[side]["ref"] for side in ("one", "other")} if tell else set()
    s.check(
        "A10", "HUB's officer is warned, with both notices and both mechanisms", "a TRIANGLE, at once",
        tell.get("sentence", "nothing was told"),
        tell.get("kind") == "TRIANGLE" and refs == {s.kept["corridor"], s.kept["area"]},
    )  # fmt: skip
    start = tell.get("start_ms", 0)
    s.check(
        "A10", "40 minutes ahead", "19:10Z", f"told {when(crossed)}", start == s.ms("19:10:00"),
        "HUB: decide early whom to tell what",
    )  # fmt: skip
    told = [seen.node for seen in s.world.seen if seen.tell["tell"] == "crossed" and seen.node != _HUB]
    s.check("A10", "nobody else is warned", "nobody", told or "nobody", not told)
    s.clock(s.now_ms + 60_000)
    s.settle()
    s.same("J4", "HUB's node says nothing by itself", s.kept["signed"], _signed(s))


def _preview(s: Scene) -> None:
    draft = {
        "by": "watch-1", "line": "NORTH", "type": "CAUTION_AREA", "hazard": "UNSPECIFIED", "low": "SFC",
        "high": "FL200", "circle": "35.4500N 35.3500E", "radius": "15km", **_WINDOW,
    }  # fmt: skip
    s.kept["draft"] = draft
    seen = s.post(_HUB, "/v1/preview", draft)
    shown = msgspec.json.encode(seen).decode()
    s.check(
        "A10", "a preview shows what WEST would see, and signs nothing", "no word of EAST or SOUTH",
        f"{len(shown)} characters", not holds(shown, "EAST") and not holds(shown, "SOUTH")
        and _signed(s) == s.kept["signed"],
    )  # fmt: skip
    named = s.post(_HUB, "/v1/preview", {**draft, "text": "because of EAST"})
    warned = msgspec.json.encode(named).decode()
    s.check("A10", "a text that names EAST is warned of before it goes", "a warning", "named" if "names EAST" in warned
            else "no warning", "names EAST" in warned, "HUB: look at the preview before speaking")  # fmt: skip


def _speaks(s: Scene) -> None:
    said = dict(s.kept["draft"])
    if "careless" in s.faults:
        said["text"] = "because of EAST"
    s.kept["caution"] = s.give(_HUB, **said)["ref"]


def _suspends(s: Scene) -> None:
    s.say(_HUB, "suspend", by="supervisor", ch="NORTH/", text="in protest", from_ms=s.now_ms)
    s.clock(s.now_ms + 60_000)
    states = {m["mechanism"]: m["state"] for m in s.get(_HUB, "/v1/mechanisms")["mechanisms"]}
    s.same("A9", "a suspended NORTH leaves SOUTH untouched", {"NORTH": "SUSPENDED", "SOUTH": "IN_FORCE"}, states)
    given = s.give("EAST", ref=s.kept["area"], how="amend", radius="14km", circle="35.4500N 35.3500E")
    heard = s.comes(_HUB, "heard", entry=given["entry"], first=False)
    outside = heard.tell.get("facts", {}).get("outside", "") if heard else "not heard"
    s.check("A9", "EAST's words on SOUTH are not marked", "heard, no mark", outside or "heard", heard and not outside)


def _silence(s: Scene) -> None:
    for party, other, line in (("WEST", "EAST", "SOUTH"), ("EAST", "WEST", "NORTH")):
        screens = s.get(party, "/v1/notices", all=1), [seen.tell for seen in s.world.seen if seen.node == party]
        told = msgspec.json.encode(screens).decode()
        found = [word for word in (other, line) if holds(told, word)]
        s.check("A2", f"{party} is told and shown nothing of {other}", "no word", found, not found,
                f"HUB: what {other} says stays on {line}")  # fmt: skip


def _afterwards(s: Scene) -> None:
    for line, party in _LINES.items():
        (other_line,) = set(_LINES) - {line}
        other = _LINES[other_line]
        secrets = (other, other_line, s.world.chs[other_line][0])
        text = "\n".join(entries_of(s, party))
        found = [word for word in secrets if holds(text, word)]
        s.check("A2", f"nothing in {party}'s record names {other}", "no word", found, text and not found)
        house = home.load(s.world.folders[_HUB])
        ch = s.world.chs[line][0]
        kept = evidence.read_record(house.record_path, ch)
        node = Ed25519Signer(house.node_seed())
        data = evidence.make(kept, party=_HUB, node=node, t_ms=s.now_ms, selection=whole_channel())
        inside = everything_in(data)
        found = [word for word in secrets if holds(inside, word)]
        s.check("A2", f"HUB's evidence of {line} contains nothing of {other_line}", "no word", found, not found)
    check_replay(s, [s.ms("18:35:00"), s.now_ms])


DRILL: Final = Drill(
    name="SC9",
    title="The triangle",
    source="After the two separate lines of one party in 2015 to 2022; parties and places are invented.",
    opens="WEST and EAST have no line with each other. HUB has one with each, and sees what neither can see.",
    day=_DAY,
    begins="18:29:00",
    parties=("WEST", _HUB, "EAST"),
    mechanisms=(
        Mechanism("NORTH", (_HUB, "WEST"), sc1.RULES),
        Mechanism("SOUTH", ("EAST", _HUB), _SOUTH_RULES),
    ),
    mishaps=(Mishap("careless", "HUB's officer names EAST to WEST, in spite of the warning"),),
    steps=(
        Step("18:29:30", "WEST", "gives notice of a corridor on NORTH", _corridor),
        Step("18:30:00", "EAST", "gives notice of an area on SOUTH", _area),
        Step("18:30:10", _HUB, "", _warned),
        Step("18:35:00", _HUB, "looks at what a word to WEST would show", _preview),
        Step("18:36:00", _HUB, "gives WEST notice of a caution area", _speaks),
        Step("18:50:00", _HUB, "suspends its agreement with WEST", _suspends),
        Step("18:55:00", _HUB, "", _silence),
    ),
    afterwards=_afterwards,
)  # fmt: skip
