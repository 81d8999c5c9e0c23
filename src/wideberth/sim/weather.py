# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, how often. Each seed draws its own weather, so that some runs see much of one thing and none of
another: faults that hide behind each other are found that way (swarm testing; Groce and others, ISSTA 2012).

Message faults happen to one delivery: lost, repeated (at once or minutes later), delayed, overtaken, corrupted.
Hard faults happen to a node or to a line: crash, lost write, partition (one way or both), clock jump, full disk, and a
record that is replaced by an old backup of it.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from wideberth.sim.dice import Dice

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

Hard = Literal["crash", "cut_one_way", "cut_both_ways", "clock_jump", "disk_full", "restore"]
MESSAGE_FAULTS: Final = ("lost", "repeated", "delayed", "overtaken", "corrupted")
# What a bad mediator does to them, where there is one (`mediators.py`).
MEDIATOR_FAULTS: Final = (
    "dropped_by_mediator", "delayed_by_mediator", "reordered_by_mediator", "altered_by_mediator",
)  # fmt: skip
# `lost_write`: a crash took a write with it that was under way.
HARD_FAULTS: Final = ("crash", "lost_write", "cut_one_way", "cut_both_ways", "clock_jump", "disk_full", "restore")


class Weather(msgspec.Struct, frozen=True):
    """Chances are per delivery; `storm_ms` is the mean time between two hard faults; `pace_ms` between two commands of
    the officers of one line at one node. `burst` is the most commands that one officer gives at once."""

    lasts_ms: int
    lost: float
    repeated: float
    delayed: float
    overtaken: float
    corrupted: float
    storm_ms: int
    storms: tuple[tuple[Hard, float], ...]
    pace_ms: int
    burst: int

    @property
    def restores(self) -> bool:
        """Whether backups are taken, and put back."""
        return any(kind == "restore" and weight for kind, weight in self.storms)

    def without_restores(self) -> Weather:
        storms = tuple((kind, weight) for kind, weight in self.storms if kind != "restore") or (("crash", 1.0),)
        return msgspec.structs.replace(self, storms=storms if any(w for _, w in storms) else (("crash", 1.0),))

    @classmethod
    def drawn(cls, dice: Dice) -> Weather:
        storms: list[tuple[Hard, float]] = [
            ("crash", dice.pick((0.0, 0.5, 1.0))),
            ("cut_one_way", dice.pick((0.0, 1.0))),
            ("cut_both_ways", dice.pick((0.0, 1.0))),
            ("clock_jump", dice.pick((0.0, 0.5, 1.0))),
            ("disk_full", dice.pick((0.0, 0.0, 0.3))),
            ("restore", dice.pick((0.0, 0.0, 0.3, 1.0))),
        ]
        if not any(weight for _, weight in storms):
            storms = [("crash", 1.0)]
        # A board with orphans is folded anew with every late entry: long strands and restores apart.
        long = dice.chance(0.015) and not storms[-1][1]
        return cls(
            lasts_ms=dice.between(8, 25) * MINUTE,
            lost=dice.pick((0.02, 0.15, 0.35, 0.6)),
            repeated=dice.pick((0.0, 0.15, 0.5)),
            delayed=dice.pick((0.1, 0.4)),
            overtaken=dice.pick((0.0, 0.2, 0.4)),
            corrupted=dice.pick((0.0, 0.02, 0.15)),
            storm_ms=dice.pick((10, 20, 40)) * SECOND,
            storms=tuple(storms),
            pace_ms=dice.pick((20, 45, 90)) * SECOND,
            burst=150 if long else dice.pick((1, 1, 1, 3, 3, 12)),
        )


KIND: Final = Weather(
    lasts_ms=0, lost=0, repeated=0, delayed=0, overtaken=0, corrupted=0, storm_ms=DAY, storms=(), pace_ms=DAY, burst=0
)
