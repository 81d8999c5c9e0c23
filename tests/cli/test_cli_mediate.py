# SPDX-License-Identifier: Apache-2.0
"""A mediator and the ways to it, typed as people would."""

from __future__ import annotations

import json

from tests.cli.cliworld import wideberth
from wideberth import join


def made(tmp_path, name="HOST"):
    """A mediator's folder; its card's file and its words."""
    said = wideberth("--dir", str(tmp_path / name), "mediate", "init", name, "--contact", "line 300", "--json")
    assert said.code == 0, said.err
    return said.data[0]


def test_a_mediator_is_set_up_with_two_parties_and_says_whom_it_serves(world, tmp_path):
    host = made(tmp_path)
    folder = str(tmp_path / "HOST")
    assert wideberth("--dir", folder, "mediate", "up").err.startswith(
        "Not done: a mediator serves at least two parties"
    )
    for party in ("BLUE", "GREEN"):
        home = world.services[party].home
        card = tmp_path / f"{party}.json"
        card.write_bytes(join.own_card(home).encoded())
        said = wideberth("--dir", folder, "mediate", "add", str(card), "--words", "one two three")
        assert said.code == 3
        assert "not the words of the key on this card" in said.err
        said = wideberth("--dir", folder, "mediate", "add", str(card), "--words", join.words(home), "--json")
        assert said.data[0]["party"] == party
    said = wideberth("--dir", folder, "mediate", "card", "--json").data[0]
    assert (said["words"], set(said["members"])) == (host["words"], {"BLUE", "GREEN"})
    assert "Serves:" in wideberth("--dir", folder, "mediate", "card").out
    assert "No stamp was given yet" in wideberth("--dir", folder, "mediate", "log").out
    assert wideberth("--dir", folder, "mediate", "init", "HOST").code == 3  # never written over


def test_a_party_takes_a_mediator_in_and_sets_its_ways(world, tmp_path):
    host = made(tmp_path)
    said = world.do("BLUE", "way", "trust", host["card"], "--words", "one two three")
    assert (said.code, "It was not taken in" in said.err) == (3, True)
    assert world.do("BLUE", "way", "trust", host["card"], "--words", host["words"]).code == 0
    assert world.do("BLUE", "way", "set", "GREEN", "direct", "HOST").out.startswith("To GREEN: direct, then HOST.")
    peer = world.client("BLUE").get("/v1/status")["lines"][0]["peers"][0]
    assert peer["relay"]["ways"] == ["direct", "HOST"]  # the running node took it at once
    assert "To GREEN: direct, then HOST" in world.do("BLUE", "way", "list").out
    assert world.do("BLUE", "way", "list", "--json").data[0]["ways"] == {"GREEN": ["direct", "HOST"]}
    on_line = world.do("BLUE", "way", "set", "GREEN", "HOST", "--line", "Cape", "--json").data[0]
    assert on_line["line"] == world.client("BLUE").get("/v1/status")["lines"][0]["ch"]
    assert world.do("BLUE", "way", "set", "GREEN", "HOST", "--line", "Horn").code == 4
    assert world.do("BLUE", "way", "set", "GREEN", "HOST", "HOST").code == 3
    for more in (("--line", "Cape"), ()):
        assert world.do("BLUE", "way", "set", "GREEN", *more).code == 0
    assert world.client("BLUE").get("/v1/status")["lines"][0]["peers"][0]["relay"]["ways"] == ["direct"]
    assert "Nothing was spoiled" in world.do("BLUE", "way", "proofs").out


def test_a_card_that_was_changed_is_not_taken_in(world, tmp_path):
    host = made(tmp_path)
    file = tmp_path / "changed.json"
    card = json.loads((tmp_path / "HOST" / "card.json").read_bytes())
    card["signatures"][0]["sig"] = "A" * 86 + "=="
    file.write_text(json.dumps(card, separators=(",", ":"), sort_keys=True))
    said = world.do("BLUE", "way", "trust", str(file), "--words", host["words"])
    assert said.code == 5
    assert world.do("BLUE", "way", "set", "GREEN", "direct", "OTHER").code == 4
