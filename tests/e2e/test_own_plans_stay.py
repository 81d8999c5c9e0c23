# SPDX-License-Identifier: Apache-2.0
"""No output of a node, and no timing of one, depends on own plans (domain.md J4, D6).

One story is lived several times by the same two nodes, on the same clock and with the same seeded entropy, with very
different plans on both sides. Whatever leaves either node must be the same byte for byte, and in the same order.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.nodes import NodeProcess, Two, frozen, until

DAY = "2030-01-01"
Plans = Callable[[NodeProcess], None]


def volume(lat: float, lng: float, **more: str) -> dict[str, str]:
    return {
        "circle": f"{lat:.4f}N {lng:.4f}E", "radius": "12km", "low": "SFC", "high": "FL350",
        "from": f"{DAY}T18:30Z", "until": f"{DAY}T22:00Z", **more,
    }  # fmt: skip


def none(node: NodeProcess) -> None:
    """A side without a single plan."""


def in_the_middle_of_everything(node: NodeProcess) -> None:
    """A plan in every place of the story, all the time, and the drafts of notices that are never given."""
    for n, (lat, lng) in enumerate(((36.20, 37.15), (35.53, 35.78), (35.00, 34.60), (34.80, 36.90))):
        node.post("/v1/plans", {"id": f"here-{n}", "label": "in the middle of it", **volume(lat, lng)})
    node.post("/v1/drafts", {"type": "AREA_ACTIVITY", "text": "a thought", "by": "watch-1"})


def far_and_many(node: NodeProcess) -> None:
    """Sixty plans on a grid, and a track through it; some dropped again."""
    for n in range(60):
        lat, lng = 34.6 + 0.035 * n, 34.1 + 0.23 * (n % 14)
        node.post("/v1/plans", {"id": f"grid-{n}", "label": f"grid {n}", **volume(lat, lng, radius="11km")})
    legs = [(35.80, 36.40, "18:30"), (35.62, 35.70, "18:48"), (35.35, 35.60, "18:58"), (35.401, 35.949, "19:08")]
    track = [{"at": f"{a}N {b}E", "altitude": "5000m AMSL", "time": f"{DAY}T{t}Z"} for a, b, t in legs]
    node.post("/v1/plans", {"id": "track", "label": "track", "track": track})
    for n in range(0, 60, 7):
        node.client.delete(f"/v1/plans/grid-{n}")


def story(two: Two, blues: Plans, greens: Plans) -> None:
    """Notices both ways, a correction, answers, an extension, a cancellation, an ALERT; at rest after each step."""
    blue, green = two.blue, two.green

    def then(clock: str, *steps: Callable[[], Any]) -> list[Any]:
        two.clock(clock)
        answers = []
        for step in steps:
            answers.append(step())
            two.settle()
        return answers

    window = {"from": f"{DAY}T18:40Z", "until": f"{DAY}T19:10Z"}
    blues(blue)
    (late,) = then("18:38:50", lambda: blue.give(circle="36.20N 37.15E", radius="10km", **window))
    ref = late["ref"]
    shown = {"author": "BLUE", "entry": late["entry"]}
    then("18:39:00", lambda: green.post("/v1/shown", shown), lambda: green.command("ack", ref=ref))
    greens(green)  # in the middle of the story, as plans come
    (fixed,) = then("18:39:30", lambda: blue.give(ref=ref, how="correct", circle="35.53N 35.78E", radius="10km"))
    times = {"start_ms": two.now_ms + 30_000, "end_ms": two.now_ms + 1_830_000}
    then(
        "18:39:40",
        lambda: green.command("ack", ref=ref, of=fixed["entry"]),
        lambda: green.command("readback", ref=ref, as_read="35.5/35.8", point=[35_500_000_000, 35_800_000_000],
                              **times),
        lambda: green.command("readback", ref=ref, as_read="35.53/35.78", point=[35_530_000_000, 35_780_000_000],
                              **times),
    )  # fmt: skip
    calm = {"from": f"{DAY}T20:00Z", "until": f"{DAY}T20:30Z"}
    (own,) = then("18:45:00", lambda: green.give(circle="35.00N 34.60E", radius="15km", **calm))
    then(
        "18:46:00",
        lambda: blue.command("ack", ref=own["ref"]),
        lambda: blue.command("objection", ref=own["ref"], text="close to our area"),
        lambda: blue.command("relay", ref=own["ref"], relayed=3, units=4),
    )
    then("18:50:00", lambda: blue.command("extend", ref=ref, until_ms=two.now_ms + 3_600_000))
    (alert,) = then("18:51:00", lambda: green.command("alert", text="something in the east"))
    then("18:51:30", lambda: green.give(refines=alert["ref"], circle="34.80N 36.90E", radius="10km", **calm))
    then("18:52:00", lambda: green.command("cancel", ref=own["ref"], text="not flown"))
    for clock in ("18:55:00", "19:10:00", "19:55:00", "20:31:00", "23:59:00"):
        then(clock)  # deadlines pass, plans and notices end
    for node in two.nodes:
        # The last question to the inner side is answered after everything that it was fed before.
        node.get("/v1/exposures")
        node.told_up_to_now()


def lived(two: Two, blues: Plans, greens: Plans) -> tuple[dict[str, list[Any]], dict[str, int]]:
    """Each side's outbound plaintext in order, and how many exposures its own people were told."""
    with two.afresh():
        story(two, blues, greens)
        outbound = {n.party: [o for o in n.outbound() if o["what"] != "fed"] for n in two.nodes}
        return outbound, {n.party: len(n.told("exposed")) for n in two.nodes}


@pytest.fixture(scope="module")
def told() -> Any:
    """The story with no plans at all, and with two very different sets."""
    with_all = {}
    two = Two(clock=f"{DAY}T18:30:00Z", tap=True, seed="same")
    try:
        for name, (blues, greens) in {
            "none": (none, none),
            "middle": (in_the_middle_of_everything, far_and_many),
            "grid": (far_and_many, in_the_middle_of_everything),
        }.items():
            with_all[name] = lived(two, blues, greens)
    finally:
        two.__exit__()
    return with_all


def test_the_plans_matter_to_own_people_so_the_comparison_compares_something(told: Any) -> None:
    # Without plans there still is one meeting to tell: of the two parties' notices with each other, or none.
    for party in ("BLUE", "GREEN"):
        counts = [told[name][1][party] for name in ("none", "middle", "grid")]
        assert counts[1] > counts[0]
        assert counts[2] > counts[0]
        assert counts[1] != counts[2]


def test_a_whole_story_went_out_of_both_nodes(told: Any) -> None:
    outbound, _ = told["none"]
    for party in ("BLUE", "GREEN"):
        frames = sum(len(o["frames"]) for o in outbound[party])
        receipts = sum(len(o["sidecars"]) for o in outbound[party])
        assert frames >= 7
        assert receipts >= 7


@pytest.mark.parametrize("plans", ["middle", "grid"])
@pytest.mark.parametrize("party", ["BLUE", "GREEN"])
def test_what_leaves_a_node_is_the_same_byte_for_byte_whatever_it_plans(told: Any, plans: str, party: str) -> None:
    without, with_plans = told["none"][0][party], told[plans][0][party]
    for n, (one, other) in enumerate(zip(without, with_plans, strict=False)):
        assert one == other, f"the {n}. thing that left {party} differs"
    assert len(without) == len(with_plans)


def test_the_record_side_cannot_even_name_a_plan() -> None:
    """A fresh interpreter with the whole record side in it has loaded neither plans, nor the judge, nor the inner."""
    code = "import sys, wideberth.core.node, wideberth.runtime; print('\\n'.join(m for m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "wideberth.core.line" in loaded
    inner = ("wideberth.core.judge", "wideberth.core.inner", "wideberth.core.say.plan", "wideberth.inner",
             "wideberth.core.warned", "wideberth.core.crossing")  # fmt: skip
    assert [m for m in loaded if m.startswith(inner)] == []


def test_what_leaves_leaves_before_the_inner_side_hears_of_it() -> None:
    """And it does not wait for it: with the inner process standing still, receipts and answers go out as ever."""
    with Two(clock=f"{DAY}T18:30:00Z", tap=True) as two:
        in_the_middle_of_everything(two.green)
        before = {n.party: len(n.outbound()) for n in two.nodes}
        with frozen(two.green.inner_pid()), frozen(two.blue.inner_pid()):
            given = two.blue.give(
                circle="36.20N 37.15E", radius="10km", **{"from": f"{DAY}T18:40Z", "until": f"{DAY}T19:10Z"}
            )
            two.settle()
            two.green.command("ack", ref=given["ref"])
            two.settle()
            assert two.blue.notice(given["ref"])["standing"] == {"GREEN": "ACKNOWLEDGED"}
            assert not two.green.told("exposed")
        two.green.waits_for("exposed", ref=given["ref"], plan="here-0")
        for node in two.nodes:
            happened = [o["what"] for o in node.outbound()[before[node.party] :]]
            assert "fed" in happened
            assert happened.index("fed") > 0
            assert happened[0] != "fed"


def test_a_dead_inner_side_is_said_loudly_and_the_line_goes_on() -> None:
    with Two(clock=f"{DAY}T18:30:00Z") as two:
        os.kill(two.green.inner_pid(), signal.SIGKILL)
        fault = two.green.waits_for("fault", whose="world")
        assert "own plans are not weighed any more" in fault["sentence"]
        two.blue.command("alert")
        two.settle()
        until(lambda: two.green.rings(), "the ALERT rings all the same")
