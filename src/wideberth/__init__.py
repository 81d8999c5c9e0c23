# SPDX-License-Identifier: Apache-2.0
"""wideberth: a deconfliction mechanism as software. Two parties warn each other in time, and can prove it afterwards.

    import wideberth as wb

    ours = wb.Volume4D(wb.Circle.at(lat=36.2, lng=37.15, radius_km=10), wb.Altitude.surface(),
                       wb.Altitude.flight_level(300), start_ms, end_ms)
    wb.judge(ours, theirs, wb.RULE_OF_THREES).answer

The names below are the public ones. They load when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wideberth.core.batch import Batch, Now
    from wideberth.core.judge.picture import Picture
    from wideberth.core.judge.screen import Finding, Operation, screen
    from wideberth.core.judge.separation import Answer, Verdict, judge
    from wideberth.core.node import Node
    from wideberth.core.say.minima import FAA_SUA, PRESETS, RULE_OF_THREES, UTM_OVERLAP, SeparationMinima
    from wideberth.core.say.place import Altitude, Point, VerticalRef
    from wideberth.core.say.rules import Mode, Purpose, Rules
    from wideberth.core.say.volume import Circle, Corridor, Leg, Polygon, Track, Volume4D
    from wideberth.core.say.words import Hazard, NoticeType, Terms
    from wideberth.errors import Fault

_WHERE = {
    "Altitude": "core.say.place",
    "Answer": "core.judge.separation",
    "Batch": "core.batch",
    "Circle": "core.say.volume",
    "Corridor": "core.say.volume",
    "FAA_SUA": "core.say.minima",
    "Fault": "errors",
    "Finding": "core.judge.screen",
    "Hazard": "core.say.words",
    "Leg": "core.say.volume",
    "Mode": "core.say.rules",
    "Node": "core.node",
    "NoticeType": "core.say.words",
    "Now": "core.batch",
    "Operation": "core.judge.screen",
    "PRESETS": "core.say.minima",
    "Picture": "core.judge.picture",
    "Point": "core.say.place",
    "Polygon": "core.say.volume",
    "Purpose": "core.say.rules",
    "RULE_OF_THREES": "core.say.minima",
    "Rules": "core.say.rules",
    "SeparationMinima": "core.say.minima",
    "Terms": "core.say.words",
    "Track": "core.say.volume",
    "UTM_OVERLAP": "core.say.minima",
    "Verdict": "core.judge.separation",
    "VerticalRef": "core.say.place",
    "Volume4D": "core.say.volume",
    "judge": "core.judge.separation",
    "screen": "core.judge.screen",
}

__all__ = [
    "FAA_SUA", "PRESETS", "RULE_OF_THREES", "UTM_OVERLAP", "Altitude", "Answer", "Batch", "Circle", "Corridor",
    "Fault", "Finding", "Hazard", "Leg", "Mode", "Node", "NoticeType", "Now", "Operation", "Picture", "Point",
    "Polygon", "Purpose", "Rules", "SeparationMinima", "Terms", "Track", "Verdict", "VerticalRef", "Volume4D",
    "judge", "screen",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"wideberth has no public name {name!r}")
    return getattr(import_module(f"wideberth.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
