# SPDX-License-Identifier: Apache-2.0
"""Two live notices that meet: of two authors on one line, or on two lines of which only we are on both (domain.md A10).

    crossed = cross(west, east, before, draw=True)      # Crossed, or None while they keep apart

Between two agreements the rule is *either's* minima: each is asked by itself, so nothing is warned of that keeps apart
by both. One author's two notices are its own affair, and a mode is never weighed against another (`inner.py` keeps a
picture for each). What is found is for own officers; nothing here can send.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core.feed import Weigh
from wideberth.core.judge.draw import Drawn, few, picture
from wideberth.core.judge.explain import explain_crossing
from wideberth.core.judge.exposure import Exposure, expose
from wideberth.core.judge.separation import Answer
from wideberth.core.judge.severity import depth_permille, share_permille
from wideberth.core.say import instant
from wideberth.core.tells import Level
from wideberth.core.warned import Change, Crossed, Exposed, Nearer, Side, Uncrossed

NoticeKey = tuple[str, str]  # (ch, ref)
PairKey = tuple[NoticeKey, NoticeKey]

_SURER: Final = (Answer.CONFLICT, Answer.TOO_CLOSE_TO_CALL, Answer.SEPARATE)


def in_order(a: Weigh, b: Weigh) -> tuple[Weigh, Weigh]:
    """Never our own first; else by line and reference."""
    first, second = sorted((a, b), key=lambda n: (n.by_us, n.ch, n.ref))
    return first, second


def pair_key(a: Weigh, b: Weigh) -> PairKey:
    first, second = in_order(a, b)
    return (first.ch, first.ref), (second.ch, second.ref)


def cross(a: Weigh, b: Weigh, before: Crossed | None, *, draw: bool) -> Crossed | None:
    """Weigh two notices. `before` is what was last told of them; it is returned itself when nothing changed."""
    if a.author == b.author or a.mode is not b.mode:
        return None
    first, second = in_order(a, b)
    found = _under_each(first, second)
    if not found:
        return None
    (worst, at), *_ = found
    both = [party for party in first.others if party in second.others]
    known_to = "known to us alone"
    if both:
        known_to += f" as a warning; {' and '.join(both)} {'hold' if both[1:] else 'holds'} both and may find it too"
    assert worst.closest_at_ms is not None
    one, other = _side(first), _side(second)
    sentence = explain_crossing(worst, _named(one), _named(other), at.rules.minima, at.mechanism)
    crossed = Crossed(
        kind="CROSSING" if both else "TRIANGLE",
        one=one,
        other=other,
        change="APPEARED",
        answer=worst.answer.value,
        rules=tuple(f"{n.mechanism}: {exposure.rule}" for exposure, n in found),
        horizontal_mm=worst.horizontal_mm or 0,
        vertical_mm=worst.vertical_mm,
        start_ms=worst.inside[0][0],
        end_ms=worst.inside[-1][1],
        inside_ms=worst.inside_ms,
        closest_at_ms=worst.closest_at_ms,
        closest=worst.closest,
        known_to=known_to,
        sentence=sentence,
        svg=_drawn(first, second, worst, sentence) if draw else "",
        not_covered=tuple(dict.fromkeys((*first.rules.not_covered, *second.rules.not_covered))),
        depth_permille=depth_permille(at.rules.minima, worst.horizontal_mm or 0, worst.vertical_mm),
        share_permille=share_permille(
            (first.volumes[worst.volume],), (second.volumes[worst.own],),
            pressure_margin_mm=at.rules.pressure_margin_mm,
        ),
    )  # fmt: skip
    if before is None:
        return crossed
    if msgspec.structs.replace(crossed, change=before.change, level=before.level) == before:
        return before
    change = _change(before, crossed)
    level = Level.RING if change == "GREW" else Level.NOTE
    return msgspec.structs.replace(crossed, change=change, level=level)


def uncross(before: Crossed, why: str) -> Uncrossed:
    """The tell that a meeting is over, and why."""
    one, other = before.one, before.other
    return Uncrossed(one, other, f"{_named(one)} and {_named(other, within=True)} no longer meet: {why}.")


def against(now: Exposed, before: Exposed | None) -> Exposed:
    """What was found of an own plan and a notice, marked against what was told of them before; `before` itself when
    nothing changed."""
    if before is None:
        return now
    if msgspec.structs.replace(now, change=before.change, level=before.level) == before:
        return before
    change = _worse(
        (_SURER.index(Answer(now.answer)), _SURER.index(Answer(before.answer))),
        (now.horizontal_mm, before.horizontal_mm),
        (now.vertical_mm, before.vertical_mm),
        (now.start_ms, before.start_ms),
        (-_inside_ms(now), -_inside_ms(before)),
    )
    return msgspec.structs.replace(now, change=change, level=Level.RING if change == "GREW" else Level.NOTE)


def nearer_exposed(told: Exposed, before_ms: int) -> Nearer:
    """An exposure that was told crosses a threshold."""
    sentence = f"{_when(told.start_ms, before_ms)}: {told.sentence}"
    return Nearer(
        told.ch, told.ref, before_ms, told.start_ms, told.end_ms, sentence, plan=told.plan, not_covered=told.not_covered
    )  # fmt: skip


def nearer_crossed(told: Crossed, before_ms: int) -> Nearer:
    """A crossing that was told crosses a threshold."""
    sentence = f"{_when(told.start_ms, before_ms)}: {told.sentence}"
    one, other = told.one, told.other
    return Nearer(
        one.ch, one.ref, before_ms, told.start_ms, told.end_ms, sentence, other_ch=other.ch, other_ref=other.ref,
        not_covered=told.not_covered,
    )  # fmt: skip


def _when(start_ms: int, before_ms: int) -> str:
    if not before_ms:
        return f"INSIDE since {instant.show(start_ms)}"
    return f"NEARER, less than {before_ms // 60_000} min before {instant.show(start_ms)}"


def _inside_ms(exposed: Exposed) -> int:
    return sum(end - start for start, end in exposed.inside)


def _under_each(first: Weigh, second: Weigh) -> list[tuple[Exposure, Weigh]]:
    """Under whose agreements they meet, the worst first. On one line it is mostly one and the same."""
    found = []
    for side in (first,) if (first.ch, first.rules) == (second.ch, second.rules) else (first, second):
        rules = side.rules
        exposure = expose(
            second.volumes, first.volumes, rules.minima, pressure_margin_mm=rules.pressure_margin_mm
        )  # fmt: skip
        if exposure.open:
            found.append((exposure, side))
    return sorted(found, key=lambda each: (_SURER.index(each[0].answer), -each[0].inside_ms))


def _change(before: Crossed, after: Crossed) -> Change:
    return _worse(
        (_SURER.index(Answer(after.answer)), _SURER.index(Answer(before.answer))),
        (after.horizontal_mm, before.horizontal_mm),
        (after.vertical_mm, before.vertical_mm),
        (after.start_ms, before.start_ms),
        (-after.inside_ms, -before.inside_ms),
        (-len(after.rules), -len(before.rules)),
    )


def _worse(*pairs: tuple[int, int]) -> Change:
    """Now and then, smaller is worse. Worse in anything is GREW: an officer who looked at the old numbers must look
    again."""
    if any(now < then for now, then in pairs):
        return "GREW"
    return "EASED" if any(now > then for now, then in pairs) else "CHANGED"


def _side(n: Weigh) -> Side:
    return Side(n.ch, n.mechanism, n.author, n.ref, n.version, n.by_us, n.entry)


def _named(side: Side, *, within: bool = False) -> str:
    whose = ("our" if within else "Our") if side.by_us else f"{side.author}'s"
    return f"{whose} notice {side.ref} ({side.mechanism})"


def _drawn(first: Weigh, second: Weigh, worst: Exposure, says: str) -> str:
    labels = [f"{n.author} {n.ref}" for n in (first, second)]
    things = (
        Drawn(labels[0], few(first.volumes, worst.volume), own=False),
        Drawn(labels[1], few(second.volumes, worst.own), own=True),
    )
    return picture(" and ".join(labels), things, mark=worst.closest, mark_ms=worst.closest_at_ms, says=says)
