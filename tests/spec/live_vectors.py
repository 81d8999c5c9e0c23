# SPDX-License-Identifier: Apache-2.0
"""The examples of live safety in `spec/`, in their one spelling.

`python tests/spec/live_vectors.py` writes them into the pages (the block after `<!-- live: NAME -->`).
"""

from __future__ import annotations

import re

import msgspec
from first_notice import SPEC, at, wrapped

from wideberth.core.say.live import Owner, Whose
from wideberth.core.say.notice import ShortForm, accident
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.words import ActivityReport, Cause, Hazard, Notice, NoticeType, OffNominal, Word
from wideberth.core.seal import canonical

PAGES = (SPEC / "4-notice.md", SPEC / "9-hotline.md")
BLOCK = re.compile(r"(<!-- live: (\w+) -->\n```\w*\n)(.*?)(\n?```)", re.DOTALL)

ASKED = "a5" * 32
GIVEN = "6e" * 32
SIGHTED = "3b" * 32
FORM = ShortForm("+999 555 0110", 5_000_000, Altitude.surface(), Altitude.unlimited())


def words() -> dict[str, Word]:
    begins = at("09:10:00")
    held = accident(
        Hazard.PEOPLE_PRESENT, Point(41_200_000_000, -38_600_000_000), begins + 7_200_000, FORM, now_ms=begins,
        type_=NoticeType.HOLD_OFF,
    )  # fmt: skip
    seen = Whose(
        Point(41_300_000_000, -38_400_000_000), Altitude.surface(), Altitude.feet(1500, VerticalRef.AGL), begins,
        Hazard.UNCREWED_AIRCRAFT, "no lights",
    )  # fmt: skip
    unknown = accident(
        Hazard.UNCREWED_AIRCRAFT, Point(41_250_000_000, -38_500_000_000), begins + 1_800_000, FORM, now_ms=begins,
        type_=NoticeType.UNANNOUNCED_TRAFFIC,
    )  # fmt: skip
    farther = msgspec.structs.replace(
        unknown, type=NoticeType.TRANSIT, expires_ms=begins + 3_600_000,
        volumes=(msgspec.structs.replace(unknown.volumes[0], end_ms=begins + 3_600_000),),
    )  # fmt: skip
    return {
        "offnominal": OffNominal("BLU-0004-J", GIVEN, 2, Cause.OVERRUN, farther),
        "sighting": Notice("BLU-0003-Z", unknown),
        "suspended": ActivityReport("GRE-0001-A", GIVEN, "SUSPENDED", begins, SIGHTED),
        "holdoff": Notice("BLU-0002-P", held),
        "whose": seen,
        "owner": Owner(ASKED, "UNKNOWN"),
    }


def examples() -> dict[str, str]:
    return {name: canonical.encode(word).decode() for name, word in words().items()}


if __name__ == "__main__":
    made = examples()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(BLOCK.sub(lambda m: m[1] + wrapped(made[m[2]]) + "\n```", text), encoding="utf-8")
