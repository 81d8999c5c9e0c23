# SPDX-License-Identifier: Apache-2.0
"""The examples of those to protect in `spec/4-notice.md`: a site, a movement, and the words about them.

`python tests/spec/protect_vectors.py` writes them into the page (the block after `<!-- protect: NAME -->`).
"""

from __future__ import annotations

import re

from first_notice import SPEC, at, wrapped

from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.protect import CheckIn, Confirmation, Protected, Urgency, Verification, Waypoint, Work
from wideberth.core.say.volume import Circle, Corridor, Shape, Volume4D
from wideberth.core.say.words import Hazard, Notice, NoticeType, Priority, Terms, Word
from wideberth.core.seal import canonical

PAGE = SPEC / "4-notice.md"
BLOCK = re.compile(r"(<!-- protect: (\w+) -->\n```\w*\n)(.*?)(\n?```)", re.DOTALL)

OF = "c1" * 32
CLINIC = Point.at("41.25", "-38.55")


def _terms(type_: NoticeType, hazard: Hazard, shape: Shape, protected: Protected) -> Terms:
    volume = Volume4D(
        shape, Altitude.surface(), Altitude.metres(300, VerticalRef.AGL), at("18:00:00"), at("22:00:00")
    )  # fmt: skip
    return Terms(
        type_, hazard, "+999 555 0120", (volume,), at("22:00:00"), priority=Priority.HUMANITARIAN, protected=protected
    )  # fmt: skip


def words() -> dict[str, Word]:
    site = Protected(
        "AID", Work.HOSPITAL, ("+999 555 0121",), "red roof mark", photo="ab" * 32, address="2 Hill Road, Port Amal"
    )  # fmt: skip
    convoy = Protected(
        "AID", Work.FOOD, vehicles=("truck 1", "truck 2", "car 3"),
        waypoints=(Waypoint(CLINIC, at("19:10:00"), "bridge"),), urgency=Urgency.EMERGENCY, why_urgent="flood",
    )  # fmt: skip
    route = Corridor.along(("41.2", "-38.6"), ("41.25", "-38.55"), ("41.3", "-38.5"), half_width_m=500)
    return {
        "site": Notice(
            "AID-0001-X",
            _terms(NoticeType.STATIC_SITE, Hazard.PEOPLE_PRESENT, Circle(CLINIC, 150_000), site),
        ),
        "movement": Notice("AID-0002-J", _terms(NoticeType.MOVEMENT, Hazard.GROUND_TRAFFIC, route, convoy)),
        "verified": Verification("AID-0001-X", OF, CLINIC),
        "confirm": Confirmation("AID-0001-X", OF),
        "checkin": CheckIn("AID-0002-J", OF, at("19:05:00"), CLINIC, "on our way"),
    }


def examples() -> dict[str, str]:
    return {name: canonical.encode(word).decode() for name, word in words().items()}


if __name__ == "__main__":
    made, text = examples(), PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda m: m[1] + wrapped(made[m[2]]) + "\n```", text), encoding="utf-8")
