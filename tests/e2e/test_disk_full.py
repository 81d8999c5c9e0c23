# SPDX-License-Identifier: Apache-2.0
"""A real node on a real, small disk that fills up (design.md §3): it says so, refuses what is routine, keeps room for
what is urgent, never writes half of anything, and goes on as before when there is room again."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.nodes import NodeProcess, Two, until
from wideberth.errors import StoreFull
from wideberth.store.ground import free_bytes
from wideberth.store.reserve import FLOOR_BYTES, MIB, RESERVE_BYTES

DAY = "2030-01-01"
WINDOW = {"from": f"{DAY}T20:00Z", "until": f"{DAY}T21:00Z"}


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, in memory: room for the node, its reserve and its floor, and little more."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system; the store's own tests fill a disk without one")
    place = Path(tempfile.mkdtemp(prefix="wb-disk-"))
    size = RESERVE_BYTES + FLOOR_BYTES + 12 * MIB
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        place.rmdir()
        pytest.skip(f"no small file system can be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


class Ballast:
    """What others put on the same disk."""

    def __init__(self, disk: Path) -> None:
        self._file = disk / "ballast"

    def leave(self, free: int) -> None:
        """Fill the disk until this many bytes are free."""
        with self._file.open("ab") as file, contextlib.suppress(OSError):
            while (more := free_bytes(self._file.parent) - free) > 0:
                file.write(bytes(min(more, MIB)))
                file.flush()

    def go(self) -> None:
        self._file.unlink()


def routine(node: NodeProcess) -> str:
    return str(node.give(circle="35.00N 35.00E", radius="10km", **WINDOW)["ref"])


def refuses_routine(node: NodeProcess) -> None:
    seq = node.line["seq"]
    with pytest.raises(StoreFull, match="full"):
        routine(node)
    assert node.line["seq"] == seq


def test_a_disk_that_fills_stops_routine_entries_first_and_urgent_ones_last(small_disk: Path) -> None:
    with Two(clock=f"{DAY}T12:00:00Z", folders={"GREEN": small_disk / "green"}) as two:
        blue, green, ballast = two.blue, two.green, Ballast(small_disk)
        green.stop()
        green.restore_s = 0.1
        two.restart(green)
        reserve = green.home.record_path.with_name("record.db.reserve")
        assert reserve.stat().st_size == RESERVE_BYTES
        said = [routine(green)]
        assert not green.status()["disk_low"]

        # Nearly full: routine stops, on both ways; urgent goes on.
        ballast.leave(FLOOR_BYTES // 2)
        alert = green.command("alert")
        told = green.waits_for("disk", low=True)
        assert "nearly full" in told["sentence"]
        assert "Make room now" in told["sentence"]
        assert green.status()["disk_low"]
        refuses_routine(green)
        until(lambda: [r for r in blue.rings() if r["ref"] == alert["ref"]], "GREEN's ALERT rings at BLUE")
        held = green.line["peers"][0]["held"]
        waits = routine(blue)
        two.later(1)
        until(lambda: blue.line["peers"][0]["link"] == "reachable", "BLUE's deliveries are answered")
        assert green.line["peers"][0]["held"] == held
        assert blue.notice(waits)["standing"] == {"GREEN": "SENT"}
        # An urgent entry is taken, with the chain up to it.
        urgent = blue.command("alert")
        until(lambda: [r for r in green.rings() if r["ref"] == urgent["ref"]], "BLUE's ALERT rings at GREEN")
        held_by_green = {"GREEN": "DELIVERED"}
        two.later_until(lambda: blue.notice(urgent["ref"])["standing"] == held_by_green, "GREEN holds it", step_s=5)

        # Room again: at once as before.
        ballast.go()
        two.later(5)
        said.append(routine(green))
        assert "room again" in green.waits_for("disk", low=False)["sentence"]
        two.settle()

        # Full to the last byte: urgent entries live on the reserve.
        ballast.leave(0)
        alerts: list[str] = []
        while reserve.stat().st_size and len(alerts) < 600:
            alerts.append(green.command("alert", text="x" * 280)["ref"])
            ballast.leave(0) if reserve.stat().st_size else None
        assert reserve.stat().st_size == 0
        alerts += [green.command("alert")["ref"] for _ in range(20)]
        refuses_routine(green)
        more = [blue.command("alert")["ref"] for _ in range(5)]
        until(lambda: {r["ref"] for r in green.rings()} >= set(more), "BLUE's ALERTs ring on a full disk")
        two.settle()
        assert {r["ref"] for r in blue.rings()} >= set(alerts)

        # The power fails on a full disk: what was said is there, whole, and nothing else.
        line = green.line
        green.kill()
        two.restart(green)
        assert {k: green.line[k] for k in ("seq", "head")} == {k: line[k] for k in ("seq", "head")}
        assert green.line["peers"][0]["held"] == line["peers"][0]["held"]
        refuses_routine(green)
        green.command("alert")

        # Somebody makes room: the reserve is held again, and everything goes on.
        ballast.go()
        until(lambda: reserve.stat().st_size == RESERVE_BYTES, "the reserve is held again")
        said.append(routine(green))
        assert not green.status()["disk_low"]
        waits = routine(blue)
        two.later_until(two.settled, "routine entries pass again", step_s=5, most=20)
        assert blue.notice(waits)["standing"] == {"GREEN": "DELIVERED"}
        assert {v["ref"] for v in blue.get("/v1/notices", all=1)} >= set(said)
        for node in two.nodes:
            node.stop()
        assert blue.strands() == green.strands()
        shutil.rmtree(small_disk / "green")
