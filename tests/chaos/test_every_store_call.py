# SPDX-License-Identifier: Apache-2.0
"""kill -9 at every store call: a real node dies right before, or right after, its n-th commit, and starts again.

The other node is never told. After each death the disk is held to what was answered; at the end both disks are held to
each other (`record_check.py`).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from chaosworld import PARTIES, NodeProcess, make_homes
from record_check import Disk, Witness

from wideberth.core.say.place import Altitude
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.errors import Unreachable

# Opening the line, its first words, their receipts, and the commands below make some twelve commits a life.
CALLS = 14


def story(node: NodeProcess, answered: list[dict[str, Any]], life: int) -> None:
    """Say things until the node dies; what was answered is written down."""
    try:
        for n in range(CALLS):
            start = time.time_ns() // 1_000_000 + 7_200_000 + n * 1000
            volume = Volume4D(
                Circle.at(lat=35.5, lng=35.5 + n / 50, radius_km=12), Altitude.surface(), Altitude.flight_level(200),
                start, start + 900_000,
            )  # fmt: skip
            terms = Terms(
                NoticeType.AREA_ACTIVITY,
                Hazard.CREWED_AIRCRAFT,
                "watch room",
                (volume,),
                start + 900_000,
                text=f"word {life}-{n}",
            )
            said: dict[str, Any] = {"command": "alert", "text": f"word {life}-{n}"} if n % 5 == 4 else {
                "command": "notice", "terms": msgspec.to_builtins(terms)
            }  # fmt: skip
            answered.append(node.client.post("/v1/commands", {"ch": "", "by": f"{node.party}/watch-1", **said}))
    except Unreachable:
        return


def deaths(folder: Path, calls: range) -> int:
    homes = make_homes(folder)
    witness = Witness({p: Ed25519Signer(homes[p].root_seed()).public for p in PARTIES})
    green = NodeProcess(homes["GREEN"])
    answered: list[dict[str, Any]] = []
    died = 0
    lives: list[NodeProcess] = [green]
    try:
        green.spawn()
        green.wait_up()
        for n in calls:
            for when in ("before", "after"):
                blue = NodeProcess(homes["BLUE"], f"die-{when}:{n}")
                lives.append(blue)
                blue.spawn()
                try:
                    blue.wait_up()
                except AssertionError:
                    pass  # it died on its way up, at one of the first commits
                else:
                    story(blue, answered, died)
                blue.bury()
                died += 1
                assert witness.look(Disk("BLUE", homes["BLUE"].record_path), answered) == []
        blue = NodeProcess(homes["BLUE"])
        lives.append(blue)
        blue.spawn()
        blue.wait_up()
        story(blue, answered, died)
        until_at_rest(blue, green)
        for node in (blue, green):
            node.stop()
        disks = {p: Disk(p, homes[p].record_path) for p in PARTIES}
        wrong = [w for disk in disks.values() for w in witness.look(disk, [])] + witness.compare(disks)
        assert wrong == []
        assert not [f for f in blue.faults + green.faults if f["fault"] in ("Equivocation", "OutOfPlace")]
        return died
    finally:
        for node in lives:
            node.end()


def until_at_rest(blue: NodeProcess, green: NodeProcess) -> None:
    end = time.monotonic() + 60
    while True:
        states = [node.client.get("/v1/status") for node in (blue, green)]
        lines = [state["lines"][0] for state in states if state["lines"]]
        if len(lines) == 2 and all(
            one["peers"][0]["outstanding"] == 0 and one["seq"] == other["peers"][0]["held"]
            for one, other in (lines, lines[::-1])
        ):
            return
        assert time.monotonic() < end, f"the nodes never came to rest: {states}"
        time.sleep(0.05)


def test_a_death_at_one_of_the_first_commits_loses_nothing_and_signs_no_place_twice(tmp_path: Path) -> None:
    assert deaths(tmp_path, range(1, 4)) == 6


@pytest.mark.chaos
def test_a_death_at_every_store_call_loses_nothing_and_signs_no_place_twice(tmp_path: Path) -> None:
    assert deaths(tmp_path, range(1, CALLS + 1)) == 2 * CALLS
