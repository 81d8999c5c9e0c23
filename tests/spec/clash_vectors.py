# SPDX-License-Identifier: Apache-2.0
"""The examples of `spec/10-conflicts.md`, in their one spelling.

`python tests/spec/clash_vectors.py` writes them into the page (the block after `<!-- clash: NAME -->`).
"""

from __future__ import annotations

import re
from typing import Any

from first_notice import SPEC, agreement, at, build, wrapped

from wideberth.core.call.dialogue import CLASH, conflict_id
from wideberth.core.call.hotline import reference_of
from wideberth.core.call.moves import lot
from wideberth.core.say.claim import area_mm2
from wideberth.core.say.conflict import How, Outcome, Remedy
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.volume import Circle, Corridor, Polygon, Shape, Volume4D
from wideberth.core.say.words import Word
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import agreement_hash

PAGE = SPEC / "10-conflicts.md"
BLOCK = re.compile(r"(<!-- clash: ([\w-]+) -->\n```\w*\n)(.*?)(\n?```)", re.DOTALL)

ONE, LATER = "5e" * 32, "c1" * 32
OTHER = build()["strands"]["BLUE"][1]["hash"]
DAY_MS = 86_400_000

SHAPES: dict[str, Shape] = {
    "circle": Circle(Point(41_000_000_000, -38_500_000_000), 10_000_000),
    "corridor": Corridor((Point(-1_000_000_000, 179_500_000_000), Point(2_000_000_000, -179_000_000_000)), 5_000_000),
    "polygon": Polygon.of((40, -40), (40, -37), (43, -37), (43, -40)),
    "polar": Polygon.of((80, 0), (81, 90), (80, 180), (80, -90)),
}


def words() -> dict[str, Word]:
    volume = Volume4D(
        Circle(Point(41_200_000_000, -38_600_000_000), 9_260_000), Altitude.surface(), Altitude.flight_level(300),
        at("10:15:00"), at("11:15:00"),
    )  # fmt: skip
    return {
        "remedy": Remedy(ONE, OTHER, OTHER, How.LATER, (volume,), "a quarter of an hour later?"),
        "outcome": Outcome(ONE, OTHER, "RESOLVED_BY_AMEND", LATER),
    }


def id_of() -> dict[str, Any]:
    """Written out, and not by the code that it checks."""
    rules = agreement().rules
    return {
        "agr": agreement_hash(agreement()),
        "notices": [ONE, OTHER],
        "rule": {
            "horizontal_mm": 5_556_000, "minima": "RULE_OF_THREES", "pressure_margin_mm": rules.pressure_margin_mm,
            "time_ms": 0, "vertical_mm": 914_400,
        },
    }  # fmt: skip


def examples() -> dict[str, str]:
    agr = agreement_hash(agreement())
    id_ = conflict_id(OTHER, ONE, agr, agreement().rules)
    authors = ["BLUE", "GREEN"]
    days = [at("10:15:00") // DAY_MS + n for n in range(3)]
    return {
        **{name: canonical.encode(word).decode() for name, word in words().items()},
        "id-of": canonical.encode(id_of()).decode(),
        "id": id_,
        "reference": reference_of(CLASH, id_),
        "lot": ", ".join(f"{day}: {authors[lot(agr, day, ('BLUE', 'GREEN'))]}" for day in days),
        "claims": canonical.encode({name: str(area_mm2(shape)) for name, shape in SHAPES.items()}).decode(),
    }


if __name__ == "__main__":
    made = examples()
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda m: m[1] + wrapped(made[m[2]]) + "\n```", text), encoding="utf-8")
