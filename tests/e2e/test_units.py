# SPDX-License-Identifier: Apache-2.0
"""The last mile between real nodes (domain.md E5, E5b, E6, SC5): every own unit that a notice meets is called at once,
again before it begins and at its start; who is missing is known at home, and only the count goes to the other side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cliworld import wideberth
from tests.e2e.hooks import Hooks, furnish
from tests.e2e.nodes import NodeProcess, Two, until
from tests.e2e.test_desk import BEGIN, START, after, items
from wideberth.core.say import instant
from wideberth.errors import BadInput, NotFound

UNIT = """
[[units]]
name = "{name}"
circle = "{lat}N 37.15E"
radius = "2km"
pages = ["{url}/{name}"]
supervisor = "S-{name}"
supervisor_pages = ["{url}/S-{name}"]
"""
PLACE = {"circle": "36.2N 37.15E", "radius": "15km"}


def with_units(node: NodeProcess, hooks: Hooks) -> None:
    """U1 to U4 are in the place of these tests, U5 is far away."""
    furnish(node, hooks, "line", "units")
    near = [UNIT.format(name=f"U{n}", lat=36.15 + 0.02 * n, url=hooks.url) for n in range(1, 5)]
    (node.folder / "units.toml").write_text("".join([*near, UNIT.format(name="U5", lat=34.9, url=hooks.url)]))


def relays(node: NodeProcess) -> dict[str, Any]:
    return dict(until(lambda: node.get("/v1/desk")["relays"], "the notice is followed to the units")[0])


def window(minutes: int) -> dict[str, str]:
    start = instant.parse(BEGIN) + minutes * 60_000
    return {"from": instant.show(start), "until": instant.show(start + 4 * 3_600_000)}


def confirm(node: NodeProcess, ref: str, unit: str, how: str = "UNIT") -> dict[str, Any]:
    return dict(node.post("/v1/desk/relay", {"ref": ref, "unit": unit, "by": "watch-1", "how": how}))


def test_a_hold_off_calls_all_units_in_its_area_within_ten_seconds() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        with_units(two.green, hooks)
        two.blue.post("/v1/notices", {"type": "HOLD_OFF", "hazard": "PEOPLE_PRESENT", "by": "watch-1", **PLACE})
        units = ("U1", "U2", "U3", "U4")
        until(lambda: all(hooks.woken(unit) for unit in units), "all four are woken up")
        arrived = two.green.waits_for("heard", kind="notice", first=True)["at_ms"]
        called = [line for line in two.green.get("/v1/desk/log") if line["event"] in ("CALLED", "PAGED")]
        assert {line["person"] for line in called} >= set(units)
        assert max(line["at_ms"] for line in called) - arrived < 10_000, "by the clock of the node, which stood still"
        found = relays(two.green)
        assert set(found["units"]) == set(units)
        for unit in units:
            (said,) = hooks.woken(unit)
            assert set(said) == {"reference", "urgency"}
            assert said["urgency"] == "FLASH"
        assert not hooks.woken("U5")
        assert confirm(two.green, hooks.woken("U1")[0]["reference"], "U1")["relayed"] == 1, "by what it was woken with"


def test_three_of_four_have_it_the_fourth_is_called_before_the_start_and_at_it_and_the_other_side_gets_a_count() -> (
    None
):
    with Hooks() as hooks, Two(clock=START) as two:
        blue, green = two.blue, two.green
        with_units(green, hooks)
        ref = blue.give(**PLACE, **window(60))["ref"]
        assert relays(green)["says"] == "0/4 relayed, missing U1, U2, U3, U4"
        for unit, how in (("U1", "UNIT"), ("U2", "UNIT"), ("U4", "VOICE")):
            confirm(green, ref, unit, how)
        found = relays(green)
        assert found["says"] == "3/4 relayed, missing U3"
        assert found["units"] == {"U1": "RELAYED", "U2": "RELAYED", "U3": "WAITING", "U4": "VOICED"}
        assert green.notice(ref)["units"]["says"] == found["says"], "and the board at home says so"
        shown = wideberth("--dir", str(green.folder), "notice", "show", ref)
        assert "own units: 3/4 relayed, missing U3" in shown.out
        until(lambda: hooks.woken("U3"), "U3 was called when it came")
        assert not hooks.woken("S-U3")
        after(two, 45 * 60)
        until(lambda: len(hooks.woken("U3")) == 2, "U3 is called 15 minutes before the start")
        until(lambda: len(hooks.woken("S-U3")) == 1, "and its supervisor")
        assert len(hooks.woken("U1")) == 1, "who has it is left alone"
        until(lambda: any("NOT FULLY RELAYED" in i["sentence"] for i in items(green)), "the desk is told as well")
        after(two, 60 * 60)
        until(lambda: len(hooks.woken("U3")) == 3, "and at the start")
        until(lambda: relays(green)["units"]["U3"] == "OVERDUE", "it began without U3")
        assert "NOT FULLY RELAYED" in relays(green)["says"]
        # Nothing of this has left: the other side hears a count when an officer says it.
        assert "RELAYED" not in str(blue.notice(ref)["standing"])
        words = relays(green)["count"].split()[1:]
        said = wideberth("--dir", str(green.folder), "--as", "watch-1", *words)
        assert said.code == 0, said.err
        two.settle()
        told = blue.waits_for("climbed", step="RELAYED")
        assert (told["facts"]["relayed"], told["facts"]["units"]) == (3, 4)
        assert "U3" not in json.dumps(blue.notice(ref))
        confirm(green, ref, "U3")
        until(lambda: not [i for i in items(green) if "RELAYED" in i["sentence"]], "with the last unit it is seen to")


def test_a_pager_that_a_unit_does_not_take_is_a_matter_for_the_desk() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        with_units(green, hooks)
        hooks.broken.add("U2")
        ref = two.blue.give(**PLACE, **window(60))["ref"]
        item = until(lambda: [i for i in items(green) if "U2 was not reached" in i["sentence"]], "the desk hears of it")
        assert "--by-voice" in item[0]["sentence"]
        confirm(green, ref, "U2", "VOICE")
        until(lambda: not [i for i in items(green) if "U2" in i["sentence"]], "told by voice")


def test_relays_survive_a_restart_and_end_with_the_notice() -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        with_units(green, hooks)
        ref = two.blue.give(**PLACE, **window(60))["ref"]
        relays(green)
        confirm(green, ref, "U1")
        until(lambda: len(hooks.calls) == 4, "four units are called")
        green.kill()
        two.restart(green)
        assert relays(green)["says"] == "1/4 relayed, missing U2, U3, U4"
        green.told_up_to_now()
        with pytest.raises(BadInput, match="U1, U2, U3, U4"):
            confirm(green, ref, "U5")
        two.blue.command("cancel", ch=two.ch, ref=ref)
        until(lambda: not green.get("/v1/desk")["relays"], "what is cancelled is followed no longer")
        with pytest.raises(NotFound):
            confirm(green, ref, "U1")
        assert len(hooks.calls) == 4, "and nobody was called twice"


def test_units_that_cannot_be_read_are_told_of_and_checked_from_the_command_line(tmp_path: Path) -> None:
    with Hooks() as hooks, Two(clock=START) as two:
        green = two.green
        with_units(green, hooks)
        listed = wideberth("--dir", str(green.folder), "units")
        assert (listed.code, "U5: 1 areas" in listed.out) == (0, True)
        (green.folder / "units.toml").write_text("[[units]]\nname = 'U1'\n")
        assert wideberth("--dir", str(green.folder), "units").code == 3
        two.blue.give(**PLACE, **window(60))
        assert "U1, area 1" in green.waits_for("fault", fault="BadUnits")["sentence"]
