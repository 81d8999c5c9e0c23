# SPDX-License-Identifier: Apache-2.0
"""Those to protect, typed as an officer would, over real nodes and sockets (domain.md K1-K5, SC5)."""

from __future__ import annotations

import hashlib
import json
import zipfile

import pytest

from tests.cli.cliworld import T0_MS, World
from wideberth.cli import options
from wideberth.core.say.protect import STANDING, Work
from wideberth.core.tells import Overdue

MINUTE, HOUR = 60_000, 3_600_000
SITE = ("--organisation", "AID", "--work", "HOSPITAL", "--circle", "41.25N 38.55W", "--radius", "150m",
        "--from", "+15m", "--until", "2031-08-14T09:00Z")  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> object:
    made = World(tmp_path_factory.mktemp("protect"))
    yield made
    made.close()


def given(world: World, *args: str) -> str:
    said = world.do("BLUE", *args, "--json")
    assert said.code == 0, said.err
    ref: str = said.data[0]["ref"]
    world.heard("GREEN", ref)
    return ref


def overdue(world: World, name: str, ref: str) -> list[str]:
    """What one node told its own people of a notice that is overdue."""
    told = [each.tell for each in world.services[name].bus.since(0)]
    return [t.sentence for t in told if isinstance(t, Overdue) and (t.ref, t.what) == (ref, "OVERDUE")]


def test_a_site_is_told_verified_by_somebody_else_confirmed_and_withdrawn(world: World, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    photo = tmp_path_factory.mktemp("roof") / "roof.jpg"
    photo.write_bytes(b"a picture of a roof")
    ref = given(world, "protect", "site", *SITE, "--marking", "red roof mark", "--photo", str(photo), "--contacts",
                "+999 2; +999 3", "--address", "41.25N 38.55W")  # fmt: skip
    seen = world.heard("GREEN", ref)
    assert seen["care"]["states"] == ["UNVERIFIED"]
    assert seen["versions"][0]["terms"] is None, "in a list of others it has no place"
    whole = json.loads(world.do("GREEN", "notice", "show", ref, "--json").out)
    who = whole["versions"][0]["terms"]["protected"]
    assert who["photo"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert who["contacts"] == ["+999 2", "+999 3"]
    shown = world.do("GREEN", "notice", "show", ref).out
    for said in (STANDING, "organisation: AID", "marking: red roof mark", "UNVERIFIED", "To be confirmed by"):
        assert said in shown
    for paper in ("script", "form", "mail"):
        assert STANDING in " ".join(world.do("GREEN", "notice", paper, ref).out.split())

    bundle = photo.parent / "case.zip"
    assert world.do("GREEN", "evidence", "--notice", ref, "--out", str(bundle)).code == 0
    with zipfile.ZipFile(bundle) as files:
        reports = [files.read(name).decode() for name in files.namelist() if name.startswith("report.")]
    assert reports
    assert all(STANDING in " ".join(report.split()) for report in reports), "on every export as well"

    same = world.do("BLUE", "protect", "verify", ref, "--point", "41.25N 38.55W")
    assert same.code == 3
    assert "another post" in same.err
    other = world.do("BLUE", "--as", "watch-2", "protect", "verify", ref, "--point", "41.2501N 38.55W")
    assert other.code == 0, other.err
    world.until(lambda: world.heard("GREEN", ref)["care"]["states"] == ["VERIFIED"])
    assert world.do("BLUE", "protect", "confirm", ref).code == 0
    moved = world.do("BLUE", "protect", "change", ref, "--wrong", "--circle", "41.26N 38.55W", "--radius", "150m")
    assert moved.code == 0, moved.err
    assert "Before it is sent: the site moves by" in moved.err
    listed = world.do("BLUE", "protect", "list").out
    assert f"{ref} from BLUE" in listed
    assert "RESURVEY" in listed
    assert STANDING in listed
    assert world.do("BLUE", "protect", "withdraw", ref, "--text", "moved out").code == 0
    world.until(lambda: world.heard("GREEN", ref)["life"] == "CANCELLED")
    late = world.do("BLUE", "protect", "confirm", ref)
    assert (late.code, "withdrawn" in late.err) == (3, True)


def test_what_is_missing_is_named_and_an_emergency_says_why(world: World) -> None:
    place = ("--circle", "41.25N 38.55W", "--radius", "150m")
    bare = world.do("BLUE", "protect", "site", *place, "--marking", "x", "--json")
    assert set(json.loads(bare.err)["details"]["fields"]) == {"organisation", "work", "from", "until"}
    urgent = world.do("BLUE", "protect", "site", *SITE, "--urgency", "EMERGENCY", "--json")
    assert json.loads(urgent.err)["details"]["fields"] == ["why_urgent"]
    for args, word in (
        (("--work", "BARRACKS"), "none of HOSPITAL"), (("--photo", "no-such-file.jpg"), "cannot be read"),
        (("--waypoints", "the bridge"), "no place with a time"), (("--check-in", "1m"), "5 minutes to 24 hours"),
    ):  # fmt: skip
        said = world.do("BLUE", "protect", "site", *SITE, *args)
        assert said.code in (3, 4)
        assert word in said.err, said.err
    stray = world.do("BLUE", "protect", "site", *SITE, "--type", "HAZARD")
    assert "STATIC_SITE or a MOVEMENT" in stray.err


def test_whoever_files_one_hears_who_is_told_and_that_it_is_there_already(world: World) -> None:
    first = world.do("BLUE", "protect", "site", *SITE)
    assert first.code == 0, first.err
    assert "Will be told to: GREEN" in first.err
    assert "beyond any guard" in first.err
    again = world.do("BLUE", "protect", "site", *SITE)
    assert again.code == 0, "a flag holds nothing back"
    assert f"{first.out.split(':')[0]} of ours is a site at the same place" in again.err


def test_the_list_of_the_help_is_that_of_the_core() -> None:
    assert options.WORKS.split(", ") == list(Work.__members__)


def test_sc5_a_convoy_that_does_not_check_in_rings_at_both_ends(world: World) -> None:
    ref = given(
        world, "protect", "move", "--organisation", "AID", "--work", "FOOD", "--vehicles", "truck 1; truck 2; car 3",
        "--corridor", "41.2N 38.6W; 41.25N 38.55W; 41.3N 38.5W", "--half-width", "500m", "--from", "+1h",
        "--until", "+5h",
        "--contacts", "field phone 201", "--waypoints", "41.25N 38.55W at 11:10Z = bridge; 41.3N 38.5W at 13:30Z",
    )  # fmt: skip
    world.set_clock(T0_MS + 2 * HOUR + 25 * MINUTE + 1_000)
    for name in ("BLUE", "GREEN"):
        world.until(lambda name=name: overdue(world, name, ref))  # type: ignore[misc]
        assert "field phone 201" in overdue(world, name, ref)[0]
    assert world.do("BLUE", "protect", "checkin", ref, "--at", "-2m", "--point", "41.25N 38.55W").code == 0
    world.until(lambda: world.heard("GREEN", ref)["care"]["states"] == ["UNVERIFIED"])
    assert "Next check-in by 2031-05-14T13:30:00Z" in world.do("GREEN", "notice", "show", ref).out
