# SPDX-License-Identifier: Apache-2.0
"""Screening from columns says what screening one by one says, byte for byte and in the same order."""

import random

import msgspec
import pytest

from wideberth.core.judge.columns import Columns
from wideberth.core.judge.screen import Operation, meetings, screen
from wideberth.core.judge.screen_many import Many
from wideberth.core.say.geodesy import point_towards
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.errors import BadInput

NEAR = SeparationMinima("50 m / 15 m", 50_000, 15_000)
LATER = SeparationMinima("300 m / 0 m / 60 s", 300_000, 0, 60_000)
REFS = [VerticalRef.W84, VerticalRef.W84, VerticalRef.AMSL, VerticalRef.AGL, VerticalRef.FL]


HUB = Point.at(47.4, 8.5)


def crowd(seed, count=150, at=HUB):
    """Many volumes in little room, so that most operations meet some others, at several places of each."""
    rng, found = random.Random(seed), []
    for i in range(count):
        volumes = []
        for _ in range(rng.randint(1, 4)):
            here = point_towards(at, rng.uniform(0, 360), rng.uniform(0, 6_000))
            there = point_towards(here, rng.uniform(0, 360), rng.uniform(300, 2_000))
            corners = sorted(rng.uniform(0, 360) for _ in range(rng.randint(3, 7)))
            shape = rng.choice([
                Circle(here, rng.randint(20_000, 300_000)),
                Corridor((here, there), rng.randint(20_000, 100_000)),
                Polygon(tuple(point_towards(here, a, rng.uniform(200, 400)) for a in corners)),
            ])  # fmt: skip
            ref, low, start = rng.choice(REFS), rng.randint(0, 500_000), rng.randint(0, 3_000_000)
            band = Altitude(low, ref), Altitude(low + rng.choice([0, 40_000]), ref)
            volumes.append(Volume4D(shape, *band, start, start + rng.randint(1, 600_000)))
        found.append(Operation(f"op{i}", tuple(volumes)))
    return found


def as_bytes(found):
    return b"\n".join(msgspec.json.encode(meeting.finding) for meeting in found)


@pytest.mark.parametrize("minima", [NEAR, LATER], ids=lambda m: m.name)
@pytest.mark.parametrize("at", [HUB, Point.at(-16.5, 179.99), Point.at(89.98, 0)], ids=str)
def test_all_against_all_byte_for_byte(minima, at):
    operations = crowd(7, at=at)
    slow = list(meetings(operations, minima))
    assert len(slow) > 50
    assert as_bytes(Many(Columns.of(operations), [o.id for o in operations]).meetings(minima)) == as_bytes(slow)


def test_two_sets_against_each_other_byte_for_byte():
    ours, theirs = crowd(1), crowd(2)  # the same names in both: they are two sets of names
    slow = list(meetings(ours, NEAR, against=theirs))
    many = Many(Columns.of([*ours, *theirs]), [o.id for o in (*ours, *theirs)], first_against=len(ours))
    assert as_bytes(many.meetings(NEAR)) == as_bytes(slow)
    assert any(m.a.id == m.b.id for m in slow)


def test_two_sets_find_the_pairs_across_and_no_others():
    ours, theirs = crowd(1), [msgspec.structs.replace(o, id="t" + o.id) for o in crowd(2)]
    across = [(f.a, f.b) for f in screen([*ours, *theirs], NEAR) if (f.a[0] == "t") != (f.b[0] == "t")]
    found = [(f.a, f.b) for f in screen(ours, NEAR, against=theirs)]
    assert sorted(found) == sorted(across)
    assert len(found) == len(set(found)) > 50


def test_pairs_come_in_the_order_of_the_input():
    ours, theirs = crowd(3), crowd(4)
    place = {o.id: i for i, o in enumerate(ours)}
    later = [(place[f.b], place[f.a]) for f in screen(ours, NEAR)]
    assert later == sorted(later)
    across = [(place[f.a], place[f.b]) for f in screen(ours, NEAR, against=theirs)]
    assert across == sorted(across)


def test_a_name_may_stand_in_both_sets_and_once_in_each():
    one = crowd(5, 1)
    assert [(f.a, f.b) for f in screen(one, NEAR, against=one)] == [("op0", "op0")]
    for ours, theirs in ((one * 2, one), (one, one * 2)):
        with pytest.raises(BadInput, match="twice"):
            list(screen(ours, NEAR, against=theirs))


def test_a_meeting_carries_the_volumes_that_a_picture_needs():
    operations = crowd(6)
    many = Many(Columns.of(operations), [o.id for o in operations])
    for meeting in many.meetings(NEAR):
        assert operations[int(meeting.a.id[2:])].volumes == meeting.a.volumes
        assert operations[int(meeting.b.id[2:])].volumes == meeting.b.volumes
