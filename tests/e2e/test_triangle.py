# SPDX-License-Identifier: Apache-2.0
"""The triangle (domain.md A10, SC9), between three real node processes on clocks set by hand.

WEST gives notice of a corridor on NORTH, EAST of an area on SOUTH; they clash 40 minutes later. The same hour is lived
four times with the same keys, entropy and clocks: with the clash; with EAST's notice far away; with WEST's far away;
and with the clash while HUB's inner side stands still, so that nobody can be warned. NORTH must be the same, byte for
byte and time for time, whether EAST's notice clashes or not; SOUTH must be, whether WEST's does; both, whether HUB
knows or not.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.cliworld import wideberth
from tests.e2e.nodes import COMMAND, NodeProcess, frozen
from tests.e2e.triangle import LINES, Triangle
from wideberth.drill.search import everything_in, holds

DAY = "2030-01-01"
NEAR, FAR = True, False
# Equal in length to the last digit, 110 km apart and more.
CORRIDOR = {NEAR: "35.3000N 35.2000E; 35.7000N 35.4000E", FAR: "36.5000N 36.8000E; 36.9000N 37.1000E"}
AREA = {NEAR: "35.4500N 35.3500E", FAR: "34.7000N 36.9000E"}
LIVES = {"clash": (NEAR, NEAR), "east far": (NEAR, FAR), "west far": (FAR, NEAR), "nobody warned": (NEAR, NEAR)}


class Life:
    """One hour: `sent` is what left each node on each line until HUB's officer acts; `told` what each told its own."""

    def __init__(self, world: Triangle, west: bool, east: bool, *, blind: bool) -> None:
        self.world = world
        hub = world.hub
        hub.post("/v1/plans", {
            "id": "ferry", "label": "ferry", "circle": "35.5000N 35.3000E", "radius": "2km", "low": "SFC",
            "high": "2000ft AMSL", "from": f"{DAY}T18:40Z", "until": f"{DAY}T20:30Z",
        })  # fmt: skip
        with frozen(hub.inner_pid()) if blind else contextlib.nullcontext():
            self._hour(west, east)
            self.sent = {(p, line): world.outbound(p, line) for line, other in LINES.items() for p in ("HUB", other)}
            assert bool(hub.told("crossed")) is ((west, east) == (NEAR, NEAR) and not blind)
        hub.get("/v1/crossings")  # answered after everything that the inner side was fed before
        for node in world.nodes:
            node.told_up_to_now()
        self.told = {node.party: list(node.tells) for node in world.nodes}

    def _hour(self, west: bool, east: bool) -> None:
        world = self.world
        self.corridor = self._then(
            "18:29:30", world.west, type="TRANSIT", corridor=CORRIDOR[west], half_width="5km", low="FL050",
            high="FL150", text="ferry traffic northbound", **{"from": f"{DAY}T19:10Z", "until": f"{DAY}T19:40Z"},
        )  # fmt: skip
        self.area = self._then(
            "18:30:00", world.east, circle=AREA[east], radius="12km", text="survey of the sea floor",
            **{"from": f"{DAY}T19:00Z", "until": f"{DAY}T19:50Z"},
        )  # fmt: skip
        for clock, ref in (("18:31:00", self.corridor["ref"]), ("18:32:00", self.area["ref"])):
            world.clock(clock)
            world.hub.command("ack", ref=ref)
            world.settle()
        self._then("18:33:00", world.east, ref=self.area["ref"], how="amend", circle=AREA[east], radius="14km")
        wider = {"corridor": CORRIDOR[west], "half_width": "6km"}
        self._then("18:34:00", world.west, ref=self.corridor["ref"], how="amend", **wider)
        world.clock("18:35:00")
        for node in world.nodes:  # line checks and checkpoints, one node after the other
            node.post("/v1/check", {"wait_s": 10})
            world.settle()
        for clock in ("18:40:00", "18:55:00"):
            world.clock(clock)
            world.settle()

    def _then(self, clock: str, node: NodeProcess, **draft: Any) -> dict[str, Any]:
        self.world.clock(clock)
        answer = node.give(**draft)
        self.world.settle()
        return answer


class Acts:
    """What HUB's officer does about it, after the hour with the clash; and what WEST and EAST get of each act."""

    def __init__(self, life: Life) -> None:
        self.life, world = life, life.world
        hub = world.hub
        self.notice = {
            "type": "AREA_ACTIVITY", "hazard": "CREWED_AIRCRAFT", "circle": "35.5200N 35.3300E", "radius": "12km",
            "low": "SFC", "high": "FL100", "from": f"{DAY}T19:10Z", "until": f"{DAY}T19:50Z", "by": "watch-1",
        }  # fmt: skip
        # A screen that shows a notice says so to its author: that is over before anything is counted.
        self.board = self._cli("conflicts"), self._cli("status"), self._cli("watch")
        world.settle()
        self.before = self._sent()
        self.previews = {line: hub.post("/v1/preview", {**self.notice, "line": line}) for line in LINES}
        hub.post("/v1/preview", {"command": "alert", "ch": "SOUTH", "by": "watch-1"})
        self.rows = self._cli("conflicts", "--json").data
        self.looked = self._cli(
            "notice", "give", *self._typed(), "--line", "NORTH", "--preview", "--text", "as EAST says"
        )
        self.stopped = self._at_a_terminal("n\n", "as EAST says")
        with frozen(hub.inner_pid()):
            self.unknown = self._cli("status"), self._cli("status", "--json")
        hub.client.delete("/v1/plans/ferry")
        world.settle()
        self.after_looking = self._sent()
        world.clock("18:56:00")
        self.given = hub.give(line="NORTH", **{k: v for k, v in self.notice.items() if k != "by"})
        world.settle()
        self.after_notice = self._sent()
        self.warned = self._cli("notice", "give", *self._typed(), "--line", "NORTH", "--text", "as EAST says", "--json")
        self.alerted = self._cli("alert", "EAST of the cape", "--line", "NORTH")
        world.settle()
        self.shown = {p: [t for t in n.told("heard") if t["author"] == "HUB"] for p, n in self._others()}

    def _others(self) -> list[tuple[str, NodeProcess]]:
        return [("WEST", self.life.world.west), ("EAST", self.life.world.east)]

    def _sent(self) -> dict[str, int]:
        world = self.life.world
        return {line: len(world.outbound("HUB", line)) + len(world.outbound(p, line)) for line, p in LINES.items()}

    def _cli(self, *args: str) -> Any:
        return wideberth("--dir", str(self.life.world.hub.folder), *args)

    def _typed(self) -> list[str]:
        return [part for k, v in self.notice.items() if k != "by" for part in (f"--{k}", v)]

    def _at_a_terminal(self, answer: str, text: str) -> tuple[int, str]:
        """`notice give` with a keyboard: the exit code, and what stood on the screen."""
        command = [sys.executable, "-c", COMMAND, "--dir", str(self.life.world.hub.folder), "notice", "give"]
        master, slave = os.openpty()
        os.write(master, answer.encode())
        done = subprocess.run(
            [*command, *self._typed(), "--line", "NORTH", "--text", text], stdin=slave, capture_output=True, text=True,
            timeout=60,
        )  # fmt: skip
        os.close(master)
        os.close(slave)
        return done.returncode, done.stdout + done.stderr


class Told:
    """All of it, gathered once."""

    def __init__(self, world: Triangle) -> None:
        self.lives: dict[str, Life] = {}
        for name, (west, east) in LIVES.items():
            with world.afresh():
                self.lives[name] = Life(world, west, east, blind=name == "nobody warned")
                if name == "clash":
                    self.followed = followed(world.hub)
                    self.known = {line: world.secrets(line) for line in LINES}
                    self.acts = Acts(self.lives[name])
                    self.bundles = {
                        (node.party, line): bundle(world, node, line)
                        for line, other in LINES.items() for node in world.nodes if node.party in ("HUB", other)
                    }  # fmt: skip
                    self.secrets = {line: world.secrets(line) for line in LINES}


def followed(hub: NodeProcess) -> str:
    """What an officer who sits down at HUB now reads on `watch --follow`, up to the warning."""
    command = [sys.executable, "-c", COMMAND, "--dir", str(hub.folder), "watch", "--follow", "--silent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as watch:
        assert watch.stdout is not None
        lines = []
        for line in watch.stdout:
            lines.append(line)
            if "TRIANGLE" in line:
                break
        watch.kill()
    return "".join(lines)


def bundle(world: Triangle, node: NodeProcess, line: str) -> bytes:
    path = node.folder.with_name(f"{node.party}-{line}.zip")
    made = wideberth("--dir", str(node.folder), "evidence", "--line", line, "--out", str(path), "--for", "the inquiry")
    assert made.code == 0, made.err
    return path.read_bytes()


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    world = Triangle(clock=f"{DAY}T18:29:00Z", tap=True, seed="same")
    try:
        yield Told(world)
    finally:
        world.__exit__()


# --- HUB's officer alone is warned, with both notices ---


def test_hubs_officer_is_warned_with_both_notices_and_with_the_numbers(told: Told) -> None:
    life = told.lives["clash"]
    first, *later = [t for t in life.told["HUB"] if t["tell"] == "crossed"]
    assert (first["kind"], first["change"], first["known_to"]) == ("TRIANGLE", "APPEARED", "known to us alone")
    sides = [(s["mechanism"], s["author"], s["ref"]) for s in (first["one"], first["other"])]
    assert sorted(sides) == [("NORTH", "WEST", life.corridor["ref"]), ("SOUTH", "EAST", life.area["ref"])]
    assert first["start_ms"] - first["at_ms"] == 40 * 60_000
    assert first["answer"] == "conflict"
    assert {rule.partition(":")[0] for rule in first["rules"]} == {"NORTH", "SOUTH"}
    for words in (
        f"WEST's notice {life.corridor['ref']} (NORTH)",
        f"EAST's notice {life.area['ref']} (SOUTH)",
        "19:10:00Z",
    ):
        assert words in first["sentence"]
    # Both were amended: a wider area and a wider corridor change versions, and numbers where they were not 0 already.
    assert [(t["one"]["version"], t["other"]["version"]) for t in later][-1] == (2, 2)
    assert len(later) == 2


def test_an_own_plan_there_is_told_apart_from_the_clash(told: Told) -> None:
    exposed = [t for t in told.lives["clash"].told["HUB"] if t["tell"] == "exposed"]
    assert {t["plan"] for t in exposed} == {"ferry"}


def test_nobody_else_is_warned_and_nobody_is_told_anything_that_differs(told: Told) -> None:
    for party, away in (("WEST", "east far"), ("EAST", "west far")):
        here = told.lives["clash"].told[party]
        assert here == told.lives[away].told[party] == told.lives["nobody warned"].told[party]
        assert len(here) >= 8
        assert not [t for t in here if t["tell"] in ("crossed", "exposed")]
    assert not [
        t for t in told.lives["east far"].told["HUB"] + told.lives["west far"].told["HUB"] if t["tell"] == "crossed"
    ]


def test_each_line_of_the_warning_says_that_we_alone_know(told: Told) -> None:
    conflicts, status, watch = told.acts.board
    for said in (conflicts.out, status.out, watch.out, told.followed):
        (line,) = [each for each in said.splitlines() if "TRIANGLE" in each]
        assert "[known to us alone]" in line
        assert told.lives["clash"].corridor["ref"] in line
        assert told.lives["clash"].area["ref"] in line
    kinds = [(row["kind"], row["known_to"]) for row in told.acts.rows]
    assert kinds.count(("TRIANGLE", "known to us alone")) == 1
    assert all(known == "known to us alone" for _, known in kinds)


def test_a_status_that_cannot_ask_the_inner_side_says_so_and_never_that_nothing_clashes(told: Told) -> None:
    shown, programs = told.acts.unknown
    assert (shown.code, programs.code) == (0, 0)
    assert "Whether anything clashes is not known now" in shown.out
    assert "conflicts" not in programs.data[0]
    assert programs.data[0]["conflicts_unknown"]


# --- nothing crosses: not in bytes, not in time ---


@pytest.mark.parametrize(
    ("line", "other"),
    [("NORTH", "east far"), ("NORTH", "nobody warned"), ("SOUTH", "west far"), ("SOUTH", "nobody warned")],
)
def test_the_traffic_of_a_line_is_the_same_with_and_without_the_clash(told: Told, line: str, other: str) -> None:
    for party in ("HUB", LINES[line]):
        clash, without = (told.lives[name].sent[party, line] for name in ("clash", other))
        for n, (one, two) in enumerate(zip(clash, without, strict=False)):
            assert one == two, f"the {n}. thing that left {party} on {line} differs"
        assert len(clash) == len(without)
        assert sum(len(o["frames"]) for o in clash) >= 2
        assert sum(len(o["sidecars"]) for o in clash) >= 8
        assert len({o["t_ms"] for o in clash}) >= 4, "times were compared, and there were several"


@pytest.mark.parametrize(("line", "other"), [("SOUTH", "east far"), ("NORTH", "west far")])
def test_the_line_whose_own_notice_moved_differs_by_that_notice_and_in_nothing_else(
    told: Told, line: str, other: str
) -> None:
    """The comparison above compares something: here bytes differ. But not their number, size, order or time."""
    for party in ("HUB", LINES[line]):
        clash, moved = (told.lives[name].sent[party, line] for name in ("clash", other))
        assert clash != moved
        assert shape(clash) == shape(moved)


def shape(sent: list[dict[str, Any]]) -> list[Any]:
    return [
        (o["what"], o["t_ms"], o["to"], o["urgent"], [[len(part) for part in f] for f in o["frames"]],
         [len(s) for s in o["sidecars"]])
        for o in sent
    ]  # fmt: skip


# --- HUB acts, by its own command only ---


def test_looking_at_it_and_changing_an_own_plan_send_nothing(told: Told) -> None:
    assert told.acts.before == told.acts.after_looking
    code, screen = told.acts.stopped
    assert code == 3
    assert "names EAST, which is not on this line (NORTH)" in screen
    assert "stopped by you" in screen


def test_the_preview_shows_each_line_what_it_would_see_and_only_that(told: Told) -> None:
    north, south = (told.acts.previews[line] for line in LINES)
    assert (north["audience"], south["audience"]) == (["WEST"], ["EAST"])
    assert north["sentence"] == south["sentence"], "the same words, and references that say nothing of the other line"
    for line, seen in told.acts.previews.items():
        foreign = set(told.known[next(x for x in LINES if x != line)].values())
        assert not [secret for secret in foreign if holds(str(seen), secret)]
    looked = told.acts.looked
    assert "PREVIEW. Nothing was signed, sent or changed." in looked.out
    assert "It would be seen by WEST, all of it." in looked.out
    assert "Look again: this text names EAST" in looked.err


def test_what_hub_then_says_on_north_is_seen_by_west_as_previewed_and_by_nobody_else(told: Told) -> None:
    acts = told.acts
    assert acts.after_notice["SOUTH"] == acts.before["SOUTH"]
    assert acts.after_notice["NORTH"] > acts.before["NORTH"]
    (heard,) = [t for t in acts.shown["WEST"] if t["ref"] == acts.given["ref"]]
    assert heard["sentence"] == acts.previews["NORTH"]["sentence"]
    assert [t for t in acts.shown["EAST"] if t["at_ms"] >= heard["at_ms"]] == []


def test_a_text_that_names_the_other_line_is_warned_of_and_never_held_back_from_a_program_or_in_an_alert(
    told: Told,
) -> None:
    assert told.acts.warned.code == 0
    assert "Before it is sent: this text names EAST" in told.acts.warned.err
    assert any("names EAST" in w for w in told.acts.warned.data[0]["facts"]["warnings"])
    assert told.acts.alerted.code == 0
    assert "Before it is sent" not in told.acts.alerted.err
    assert "Note: this text names EAST" in told.acts.alerted.err


# --- evidence ---


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("exporter", ["HUB", "its peer"])
def test_a_bundle_of_one_line_holds_nothing_of_the_other(told: Told, line: str, exporter: str) -> None:
    party = LINES[line] if exporter == "its peer" else "HUB"
    text = everything_in(told.bundles[party, line])
    assert "<html" in text, "the report is in it"
    other = next(each for each in LINES if each != line)
    own, foreign = told.secrets[line], told.secrets[other]
    # Where to deliver to is no evidence, and neither are posts that said nothing.
    found = {name for name, secret in own.items() if holds(text, secret)}
    places = {name for name in own if name.startswith("at ")}
    assert len(places) >= 2
    assert {"party", "mechanism", "ch", "ref", "root key", "node key", f"text of {own['ref']}", *places} <= found
    # HUB itself wrote EAST's name to WEST in this story, twice, and was warned; that is WEST's to show.
    said = text.replace("as EAST says", "").replace("EAST of the cape", "")
    assert [name for name, secret in foreign.items() if holds(said, secret)] == []


# --- whatever becomes of one line leaves the other as it is ---

FATES = ("as ever", "suspended", "machine off")


@pytest.fixture(scope="module")
def fates() -> Iterator[dict[str, dict[str, list[Any]]]]:
    """What passes on SOUTH while NORTH is in force, or suspended by HUB, or WEST's machine is off."""
    world = Triangle(clock=f"{DAY}T18:29:00Z", tap=True, seed="same")
    lives = {}
    try:
        for fate in FATES:
            with world.afresh():
                if fate == "machine off":
                    world.west.kill()
                window = {"from": f"{DAY}T19:10Z", "until": f"{DAY}T19:40Z", "radius": "12km"}
                now_ms = world.clock("18:30:00")
                if fate == "suspended":
                    world.hub.command(
                        "suspend", ch="NORTH", by="supervisor", text="in protest", from_ms=now_ms
                    )  # fmt: skip
                given = world.hub.give(line="NORTH", circle="35.5000N 35.3000E", **window)
                assert bool(given["facts"].get("outside")) is (fate == "suspended"), given
                world.settle()
                area = world.east.give(circle="35.4500N 35.3500E", **window)
                world.settle()
                world.hub.command("ack", ref=area["ref"])
                world.settle()
                for clock in ("18:31:00", "18:33:00", "18:40:00"):
                    world.clock(clock)
                    said = world.hub.give(line="SOUTH", circle="34.0000N 35.0000E", text=f"at {clock}", **window)
                    assert not said["facts"].get("outside")
                    world.settle()
                undelivered = world.hub.told("overdue", ch=world.chs["NORTH"], what="UNDELIVERED")
                assert bool(undelivered) is (fate == "machine off")
                lives[fate] = {p: world.outbound(p, "SOUTH") for p in ("HUB", "EAST")}
        yield lives
    finally:
        world.__exit__()


@pytest.mark.parametrize("party", ["HUB", "EAST"])
@pytest.mark.parametrize("fate", FATES[1:])
def test_a_line_that_is_suspended_or_down_leaves_the_other_line_as_it_is(
    fates: dict[str, dict[str, list[Any]]], fate: str, party: str
) -> None:
    plain, befallen = fates["as ever"][party], fates[fate][party]
    assert plain == befallen
    assert sum(len(o["frames"]) for o in plain) >= 2
