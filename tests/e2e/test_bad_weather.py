# SPDX-License-Identifier: Apache-2.0
"""Poor links (domain.md N1): a third of all deliveries lost, a node killed on the way, a cut of two hours.

Nothing is lost, order is restored, both sides end with the same bytes, and after an outage only what is still live
rings. The weather is real TCP between two real processes; the two hours pass on hand-set clocks.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.nodes import NodeProcess, Two
from wideberth.core.say import instant
from wideberth.errors import Fault

DAY = "2030-01-01"


def routine(node: NodeProcess, n: int) -> dict[str, Any]:
    """A notice well ahead, each in a place of its own."""
    return node.give(
        circle=f"{34.7 + 0.02 * (n % 100):.4f}N {34.3 + 0.03 * (n % 90):.4f}E", radius="10km",
        **{"from": f"{DAY}T23:00Z", "until": f"{DAY}T23:30Z"},
    )  # fmt: skip


def without_delivery_times(versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """When a receipt was lost its author's peer learns of the delivery from a later one: a later time, never an earlier
    and never none. Everything else must be the same on both sides."""
    for version in versions:
        for rung in (r for rungs in version["ladder"].values() for r in rungs):
            if rung["step"] == "DELIVERED":
                assert rung["t_ms"] >= version["given_ms"]
                rung.update(t_ms=0, facts={})
    return versions


def soon(two: Two, *, hours: float = 5, **more: Any) -> dict[str, Any]:
    """A notice of BLUE that is too late by the agreement, so it is urgent of itself."""
    start = two.now_ms + 60_000
    window = {"from": instant.show(start), "until": instant.show(start + round(hours * 3_600_000))}
    return two.blue.give(**{"circle": "35.53N 35.78E", "radius": "10km", **window, **more})


def same_strands(two: Two) -> dict[str, list[tuple[int, bytes, bytes]]]:
    """Both stopped: every strand, after checking that both hold the same bytes, dense and in order."""
    for node in two.nodes:
        node.stop()
    blue, green = two.blue.strands(), two.green.strands()
    assert blue == green
    for author, strand in blue.items():
        assert [place for place, _, _ in strand] == list(range(1, len(strand) + 1)), author
    return blue


def test_with_a_third_of_all_deliveries_lost_nothing_is_lost_and_order_is_restored() -> None:
    with Two(clock=f"{DAY}T12:00:00Z", weather=True) as two:
        for weather in two.weather.values():
            weather.loss, weather.delay_s = 0.3, 0.002
        given, answered, killed = [], [], 0
        for n in range(40):
            given.append(routine(two.blue, n)["ref"])
            if n % 5 == 0:
                given.append(routine(two.green, n)["ref"])
            if n == 20:
                two.green.kill()
                two.restart(two.green)
                killed += 1
            for heard in two.green.get("/v1/notices", all=1):
                if heard["author"] == "BLUE" and heard["ref"] not in answered:
                    answered.append(two.green.command("ack", ref=heard["ref"])["ref"])
            two.later(11)
        two.later_until(two.settled, "both sides hold everything, through the loss")
        losses = sum(w.lost for w in two.weather.values())
        turns = sum(w.turns for w in two.weather.values())
        assert turns > 60
        assert losses > 0.2 * turns
        assert all(w.lost_there and w.lost_back for w in two.weather.values())
        for weather in two.weather.values():
            weather.calm()
        views = [{v["ref"]: v["versions"] for v in n.get("/v1/notices", all=1)} for n in two.nodes]
        assert set(given) == set(views[0]) == set(views[1])
        assert list(map(without_delivery_times, views[0].values())) == [
            without_delivery_times(views[1][ref]) for ref in views[0]
        ]
        assert [killed, len(answered) > 20] == [1, True]
        two.green.told_up_to_now()
        heard_refs = [t["ref"] for t in two.green.told("heard", kind="notice")]
        assert len(heard_refs) == len(set(heard_refs))  # told once each, however often it came
        strands = same_strands(two)
        # Two epochs, and every word of every officer.
        assert sum(map(len, strands.values())) == 2 + len(given) + len(answered)


def test_after_a_cut_of_two_hours_everything_comes_in_order_and_only_what_is_live_rings() -> None:
    with Two(clock=f"{DAY}T12:00:00Z", weather=True) as two:
        before = two.now_ms
        two.settle()
        for weather in two.weather.values():
            weather.storm()
        over = soon(two, hours=0.5)
        called_off = soon(two)
        two.blue.command("cancel", ref=called_off["ref"])
        alert = two.blue.command("alert", text="something")
        precise = soon(two, refines=alert["ref"], circle="35.10N 35.10E")
        moved = soon(two, circle="34.90N 36.00E")
        calm = routine(two.blue, 1)
        greens = [routine(two.green, n)["ref"] for n in range(3)]
        two.later(1800)
        moved_v2 = two.blue.give(ref=moved["ref"], how="correct", circle="34.95N 36.40E", radius="10km")
        while two.now_ms < before + 7_200_000:
            two.later(60)
        assert not two.settled()
        assert not two.green.told("heard")
        # Both sides know that nothing went through, and say so.
        undelivered = {t["ref"] for t in two.blue.told("overdue", what="UNDELIVERED")}
        assert {precise["ref"], moved["ref"], calm["ref"]} <= undelivered
        assert {t["ref"] for t in two.green.told("overdue", what="UNDELIVERED")} == set(greens)

        for weather in two.weather.values():
            weather.calm()
        two.later_until(two.settled, "everything comes through when the line is back", most=6)
        two.settle()
        rings = {(r["ref"], r["version"]) for r in two.green.rings()}
        assert rings == {(precise["ref"], 1), (moved["ref"], moved_v2["version"])}
        assert len(two.green.rings()) == len(rings)
        # It came before the version that it corrects, and is told as what it is.
        (correction,) = [r["sentence"] for r in two.green.rings() if r["ref"] == moved["ref"]]
        assert correction.startswith(f"BLUE CORRECTS {moved['ref']}: version 2 holds, earlier answers are void.")
        assert not two.blue.rings()
        # All of it was said, in the order in which it was said.
        seen = [(t["kind"], t["ref"]) for t in two.green.told("heard") if not t["first"]]
        assert seen == [
            ("notice", over["ref"]), ("notice", called_off["ref"]), ("cancel", called_off["ref"]),
            ("alert", alert["ref"]), ("notice", precise["ref"]), ("notice", moved["ref"]), ("notice", calm["ref"]),
            ("correct", moved["ref"]),
        ]  # fmt: skip
        late = [
            s for s in two.blue.notice(precise["ref"])["versions"][0]["ladder"]["GREEN"] if s["step"] == "DELIVERED"
        ]
        assert late[0]["facts"]["lead_delivered"]["lead_ms"] < -6_000_000  # given in time, delivered two hours late
        same_strands(two)


def test_an_alert_overtakes_a_hundred_routine_entries_that_wait_behind_a_gap() -> None:
    with Two(clock=f"{DAY}T12:00:00Z", weather=True) as two:
        # On a slow line everything comes, only slowly.
        two.weather["GREEN"].delay_s = 0.2
        routine(two.green, 1)
        two.settle()
        two.weather["GREEN"].delay_s = 0.0

        two.weather["GREEN"].storm()
        for n in range(130):
            routine(two.blue, n)
        alert = two.blue.command("alert")
        two.weather["GREEN"].calm()
        two.later_until(two.green.rings, "the ALERT rings", most=6)
        (ring,) = two.green.rings()
        assert (ring["ref"], ring["kind"], ring["recorded"]) == (alert["ref"], "alert", False)
        assert "ALERT from BLUE" in ring["sentence"]
        two.later_until(two.settled, "the gap fills", most=20)
        two.settle()
        heard = two.green.told("heard")
        kinds = [(t["kind"], t.get("recorded", True)) for t in heard]
        assert kinds[0] == ("alert", False)
        assert kinds[1:] == [("notice", True)] * 130 + [("alert", True)]
        assert len(two.green.rings()) == 1  # it does not ring again when it is linked
        same_strands(two)


def test_a_node_killed_behind_a_cut_has_lost_nothing_that_it_said_it_did() -> None:
    """What an officer was told is *said* is on the disk: it goes out after SIGKILL and a restart."""
    with Two(clock=f"{DAY}T12:00:00Z", weather=True) as two:
        two.weather["GREEN"].storm()
        said = []
        for n in range(25):
            said.append(routine(two.blue, n)["entry"])
            if n == 12:
                two.blue.kill()
                two.restart(two.blue)
        two.blue.kill()
        with pytest.raises(Fault):
            two.blue.status()
        two.restart(two.blue)
        two.weather["GREEN"].calm()
        two.later_until(two.settled, "everything comes through after the restart", most=10)
        heard = [t["entry"] for t in two.green.told("heard", kind="notice")]
        assert heard == said
        same_strands(two)
