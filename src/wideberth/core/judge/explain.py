# SPDX-License-Identifier: Apache-2.0
"""A verdict as one plain sentence (domain.md D12): who, which rule, how near, how high, when. UTC, NM and km, feet.

The picture is in `judge/draw.py`. Nothing here decides anything.
"""

from __future__ import annotations

from typing import Final

from wideberth.core.judge.exposure import Exposure
from wideberth.core.judge.separation import Answer, Verdict
from wideberth.core.judge.vertical import NO_BOUND_MM
from wideberth.core.say import instant
from wideberth.core.say.coordinates import show_decimal
from wideberth.core.say.minima import SeparationMinima

_OPENING: Final = {
    Answer.CONFLICT: "conflict",
    Answer.TOO_CLOSE_TO_CALL: "are too close to call, so this counts as a conflict",
    Answer.SEPARATE: "are separate",
}


def distance(mm: int) -> str:
    """`2.90 NM (5.37 km)`; metres below a kilometre; `12 mm` below a metre."""
    if abs(mm) < 1000:
        return f"{mm} mm"
    if abs(mm) < 1_000_000:
        return f"{mm / 1000:,.1f} m"
    digits = 2 if abs(mm) < 100_000_000 else 1
    return f"{mm / 1_852_000:,.{digits}f} NM ({mm / 1_000_000:,.{digits}f} km)"


def height(mm: int) -> str:
    return f"{mm / 304.8:,.0f} ft"


def clock(t_ms: int) -> str:
    """`2018-09-17 18:44:10Z`, to the second."""
    return instant.show(t_ms - t_ms % 1000).replace("T", " ")


def span(start_ms: int, end_ms: int) -> str:
    """From and until; the date once when it is the same day."""
    start, end = clock(start_ms), clock(end_ms)
    return f"from {start} to {end[11:] if start[:10] == end[:10] else end}"


def apart_in_height(vertical_mm: int) -> str:
    if abs(vertical_mm) >= NO_BOUND_MM // 2:
        return "heights overlap without limit" if vertical_mm < 0 else "heights are far apart"
    if vertical_mm < 0:
        return f"heights overlap by {height(-vertical_mm)}"
    return f"{height(vertical_mm)} apart in height" if vertical_mm else "heights touch"


def rule(minima: SeparationMinima) -> str:
    """`RULE_OF_THREES: 3 NM (5.56 km), 3,000 ft`."""
    parts = [distance(minima.horizontal_mm), height(minima.vertical_mm)]
    if minima.time_ms:
        parts.append(instant.show_span(minima.time_ms))
    return f"{minima.name} ({', '.join(parts)})"


def explain(verdict: Verdict, one: str, other: str, minima: SeparationMinima) -> str:
    """One sentence for two named volumes."""
    head = f"{one} and {other} {_OPENING[verdict.answer]} under {rule(minima)}"
    facts = []
    if verdict.horizontal_mm is not None:
        near = distance(verdict.horizontal_mm)
        facts.append("their areas meet" if verdict.horizontal_mm == 0 else f"{near} apart on the ground")
    facts.append(apart_in_height(verdict.vertical_mm))
    if verdict.widened_mm and verdict.vertical_mm < NO_BOUND_MM // 2:
        facts.append("their heights have different references, so both were widened")
    when = span(verdict.start_ms, verdict.end_ms)
    facts.append(f"together {when}" if verdict.time_overlap_ms > 0 else f"one over before the other begins, {when}")
    if verdict.answer is Answer.SEPARATE:
        clause = verdict.rule.rpartition(": ")[2]
        facts.append(f"{clause} separates them")
    return f"{head}: {'; '.join(facts)}."


def explain_exposure(exposure: Exposure, plan: str, author: str, ref: str, minima: SeparationMinima) -> str:
    """One sentence for an own plan and a notice of another party. For own people only."""
    notice = f"{author}'s notice {ref}" if author else f"notice {ref}"
    if exposure.closest_at_ms is None:
        return f"Our {plan} and {notice} are separate: they never share a moment."
    head = {
        Answer.CONFLICT: f"Our {plan} meets {notice} under {rule(minima)}",
        Answer.TOO_CLOSE_TO_CALL: (
            f"Our {plan} and {notice} are too close to call under {rule(minima)}, so this counts as a meeting"
        ),
        Answer.SEPARATE: f"Our {plan} keeps its distance from {notice} under {rule(minima)}",
    }[exposure.answer]
    facts = []
    if exposure.horizontal_mm is not None:
        where = (
            "inside its area" if exposure.horizontal_mm == 0 else f"{distance(exposure.horizontal_mm)} from its area"
        )
        if exposure.core_mm is not None and exposure.core_mm != exposure.horizontal_mm:
            where += f", {distance(exposure.core_mm)} from its centre"
        if exposure.closest is not None:
            where += f", at {show_decimal(exposure.closest)}"
        facts.append(f"nearest at {clock(exposure.closest_at_ms)}, {where}")
    facts.append(apart_in_height(exposure.vertical_mm))
    if exposure.inside:
        spans = [span(a, b) for a, b in exposure.inside[:3]]
        if len(exposure.inside) > 3:
            spans.append(f"and {len(exposure.inside) - 3} times more")
        facts.append(f"inside the minima {', '.join(spans)}")
        if minima.exposure_ms:
            limit = instant.show_span(minima.exposure_ms)
            word = "longer than" if exposure.breaches_limit else "within"
            facts.append(f"in all {instant.show_span(exposure.inside_ms // 1000 * 1000)}, {word} the limit of {limit}")
    return f"{head}: {'; '.join(facts)}."


def explain_crossing(exposure: Exposure, one: str, other: str, minima: SeparationMinima, mechanism: str) -> str:
    """One sentence for two notices that meet, each by its name, under the minima of one mechanism."""
    head = f"{one} and {other} {_OPENING[exposure.answer]} under {rule(minima)} of {mechanism}"
    facts = []
    if exposure.horizontal_mm is not None:
        near = f"{distance(exposure.horizontal_mm)} apart on the ground"
        facts.append("their areas meet" if exposure.horizontal_mm == 0 else near)
    facts.append(apart_in_height(exposure.vertical_mm))
    if exposure.inside:
        facts.append(f"inside the minima {span(exposure.inside[0][0], exposure.inside[-1][1])}")
    if exposure.closest is not None:
        facts.append(f"nearest at {show_decimal(exposure.closest)}")
    return f"{head}: {'; '.join(facts)}."
