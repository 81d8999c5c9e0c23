# SPDX-License-Identifier: Apache-2.0
"""The agreement from the command line: read, proposed, countered, signed by three, suspended, left; and who is told."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.cli.cliworld import NOTICE, WINDOW, Group
from wideberth import join

TRIO = ("AMBER", "BLUE", "GREEN")


@pytest.fixture(scope="module")
def trio(tmp_path_factory):
    """BLUE, GREEN and AMBER with three lines, founded by typing; GREEN and AMBER with another mechanism."""
    made = Group(tmp_path_factory.mktemp("g"), TRIO)
    found(made, "BLUE", ("GREEN", "AMBER"), "Coast", "--line", "FLIGHT_SAFETY", "--line", "GROUND:BLUE,GREEN",
          "--working-group", "--speaks-for", "GREEN=ALFA,BRAVO", "--set", "fallback=TELEPHONE=+999 1")  # fmt: skip
    made.start()
    yield made
    made.close()


def found(group: Group, founder: str, others: tuple[str, ...], name: str, *more: str) -> None:
    """Every file and every word that it takes, as typed."""
    words = {party: join.words(group.homes[party]) for party in group.homes}
    base = group.path
    to = [arg for party in others for arg in ("--to", party)]
    area = ("--area", "40,-40,43,-37", "--mode", "EXERCISE", "--mechanism", name)
    typed(group, founder, "invite", *to, *area, *more, "--out", base / "offer")
    for party in others:
        typed(group, party, "accept", base / "offer", "--words", words[founder], "--out", base / f"joining-{party}")
        typed(group, founder, "accept", base / f"joining-{party}", "--words", words[party], "--out", base / "charter")
    for party in others:
        heard = [a for other in others if other != party for a in ("--words", f"{other}={words[other]}")]
        typed(group, party, "accept", base / "charter", *heard, "--out", base / f"signature-{party}")
        typed(group, founder, "accept", base / f"signature-{party}")


def typed(group: Group, who: str, *args: Any, code: int = 0) -> Any:
    said = group.do(who, *map(str, args))
    assert said.code == code, (args, said.err, said.out)
    return said


def data(group: Group, who: str, *args: str) -> Any:
    return typed(group, who, *args, "--json").data[0]


def state(group: Group, who: str) -> dict[str, Any]:
    return dict(data(group, who, "--mechanism", "Coast", "agreement", "status"))


# --- founding ---


def test_three_lines_are_open_and_each_shows_only_its_own(trio):
    seen = {party: data(trio, party, "mechanism")["mechanisms"] for party in TRIO}
    lines = {party: sorted(line["purpose"] for line in seen[party][0]["lines"]) for party in TRIO}
    assert lines == {
        "AMBER": ["FLIGHT_SAFETY", "WORKING_GROUP"],
        "BLUE": ["FLIGHT_SAFETY", "GROUND", "WORKING_GROUP"],
        "GREEN": ["FLIGHT_SAFETY", "GROUND", "WORKING_GROUP"],
    }
    assert all(each["foundings"] == [] for each in (data(trio, party, "mechanism") for party in TRIO))
    out = typed(trio, "AMBER", "mechanism").out
    assert "Coast" in out
    assert "GREEN, who speaks for ALFA, BRAVO" in out
    assert "IN_FORCE since" in out


def test_a_founding_shows_who_is_missing_without_a_node(tmp_path):
    group = Group(tmp_path, ("BLUE", "GREEN", "AMBER"))
    words = join.words(group.homes["BLUE"])
    area = ("--area", "40,-40,43,-37", "--mechanism", "Late")
    said = typed(group, "BLUE", "invite", "GREEN", "AMBER", *area, "--out", tmp_path / "offer")
    assert "Each sends a joining file back" in said.out
    typed(group, "GREEN", "accept", tmp_path / "offer", "--words", words, "--out", tmp_path / "joining")
    assert "waits for the charter" in typed(group, "GREEN", "mechanism").out
    assert "AMBER, GREEN" in typed(group, "BLUE", "mechanism").out
    typed(group, "BLUE", "accept", tmp_path / "joining", "--words", f"GREEN={join.words(group.homes['GREEN'])}")
    out = typed(group, "BLUE", "mechanism").out
    assert "waits for the joining files of AMBER" in out
    assert "The node is not up" in typed(group, "BLUE", "mechanism").err
    # Asked for on a terminal, one after the other; wrong ones are named.
    said = group.do("AMBER", "accept", str(tmp_path / "offer"), stdin="twelve wrong words\n")
    assert said.code == 3
    assert "claims to be from BLUE" in said.err
    said = group.do("AMBER", "accept", str(tmp_path / "offer"), "--out", str(tmp_path / "j2"), stdin=words + "\n")
    assert said.code == 0, said.err


def test_who_could_not_be_a_member_is_said(tmp_path):
    group = Group(tmp_path, ("BLUE",))
    for args, words in (
        (("--to", "BLUE"), "does not invite itself"),
        (("--to", "GREEN", "--line", "TALK"), "the purpose is one of"),
        (("--to", "GREEN", "--line", "SEA:GREEN"), "two members or more"),
        (("--to", "GREEN", "--line", "SEA:GREEN,PINK"), "not a member"),
        (("--to", "GREEN", "--speaks-for", "PINK=ALFA"), "with a member's name"),
        (("--to", "GREEN", "--set", "lead"), "not of the form"),
        (("--to", "GREEN", "--set", "lend=1m"), "an agreement has no"),
        ((), "say whom to invite"),
    ):
        said = group.do("BLUE", "invite", *args, "--area", "1,1,2,2", "--mechanism", "X")
        assert said.code == 3, args
        assert words in said.err, said.err
    assert not (group.folder("BLUE") / "foundings").exists()


# --- numbers ---


def test_every_number_is_shown_in_units_that_people_use(trio):
    out = typed(trio, "GREEN", "agreement", "show").out
    for part in ("10m", "10 km", "RULE_OF_THREES", "TELEPHONE=+999 1", "GROUND with BLUE, GREEN", "30d"):
        assert part in out, part
    assert data(trio, "GREEN", "agreement", "show", "--version", "1")["signed"]["version"] == 1
    assert trio.do("GREEN", "agreement", "show", "--version", "9").code == 4


def test_a_number_changes_with_three_signatures_and_a_late_member_is_named(trio):
    trio.tick()
    said = data(trio, "GREEN", "agreement", "propose", "--set", "lead=15min", "--set", "ack-urgent=60s", "--text", "x")
    first = said["proposal"]["agreement"]
    assert [c["says"] for c in said["proposal"]["changes"]][-2:] == [
        "lead: 10m becomes 15m",
        "ack-urgent: 2m becomes 1m",
    ]
    trio.until(lambda: state(trio, "AMBER")["proposals"])
    # AMBER would rather have 12 minutes: it starts from what GREEN proposed.
    said = data(trio, "AMBER", "agreement", "propose", "--counters", first[:12], "--set", "lead=12m")
    second = said["proposal"]["agreement"]
    assert "ack-urgent: 2m becomes 1m" in [c["says"] for c in said["proposal"]["changes"]]
    trio.until(lambda: len(state(trio, "BLUE")["proposals"]) == 2)
    assert "AMBER" in typed(trio, "BLUE", "agreement", "status").out
    refused = trio.do("AMBER", "agreement", "sign", first[:12], "--yes")
    assert refused.code == 3, "who countered a proposal has declined it"
    for n, party in enumerate(TRIO, 1):
        signed = data(trio, party, "agreement", "sign", second[:12], "--yes")
        assert signed["facts"]["missing"] == list(TRIO[n:])
        for other in TRIO:
            trio.until(
                lambda other=other, n=n: next(
                    p for p in state(trio, other)["proposals"] if p["agreement"] == second
                )["signed"] == sorted(TRIO[:n])
            )  # fmt: skip
        if n == 2:
            out = typed(trio, "BLUE", "agreement", "status").out
            assert "missing: GREEN" in out
            assert state(trio, "BLUE")["version"] == 1
    for party in TRIO:
        trio.until(lambda party=party: state(trio, party)["version"] == 2)
    assert "12m" in typed(trio, "BLUE", "agreement", "show").out
    late = typed(trio, "BLUE", "notice", "give", *NOTICE, "--from", "+13m", "--until", "+20m").out
    assert "not late" in late, "twelve minutes are enough now"


def test_the_root_key_may_be_elsewhere(trio, tmp_path):
    proposed = data(trio, "BLUE", "agreement", "propose", "--set", "readback=6m")["proposal"]["agreement"]
    kept = trio.homes["BLUE"].keys.root_file().path
    away = tmp_path / kept.name
    shutil.move(kept, away)
    try:
        gone = trio.do("BLUE", "agreement", "sign", proposed[:12], "--yes")
        assert gone.code == 4
        assert "the root key is not in this folder" in gone.err
        assert data(trio, "BLUE", "agreement", "sign", proposed[:12], "--yes", "--root-key", str(away))["facts"]
    finally:
        shutil.move(away, kept)


def test_a_line_may_be_opened_and_closed_by_a_version(trio):
    said = data(trio, "BLUE", "agreement", "propose", "--add-line", "SEA", "--drop-line", "GROUND:BLUE,GREEN")
    changes = [c["says"] for c in said["proposal"]["changes"]]
    assert changes[-2:] == ["lines: GROUND with BLUE, GREEN goes", "lines: SEA with AMBER, BLUE, GREEN is new"]
    assert trio.do("BLUE", "agreement", "propose").code == 3
    assert trio.do("BLUE", "agreement", "propose", "--drop-line", "HUMANITARIAN").code == 3


# --- which line ---


def test_a_notice_goes_to_flight_safety_unless_a_line_is_named(trio):
    given = typed(trio, "BLUE", "notice", "give", *NOTICE, *WINDOW)
    assert "Will be told to: AMBER, GREEN (Coast, FLIGHT_SAFETY)." in given.err
    assert "Not for release beyond AMBER, BLUE and GREEN." in given.err
    said = data(trio, "BLUE", "--line", "ground", "notice", "give", *NOTICE, *WINDOW)
    assert said["told_to"] == ["GREEN"]
    listed = typed(trio, "BLUE", "--line", "GROUND", "notice", "list", "--json").data
    assert [n["purpose"] for n in listed] == ["GROUND"]
    wrong = trio.do("BLUE", "--line", "SEA", "notice", "give", *NOTICE, *WINDOW)
    assert wrong.code == 4
    assert "Coast/FLIGHT_SAFETY (AMBER, BLUE, GREEN" in wrong.err
    assert trio.do("BLUE", "--mechanism", "Coast", "--line", "GROUND", "notice", "list").code == 0
    assert trio.do("BLUE", "--mechanism", "Desert", "notice", "list").code == 4


def test_what_is_said_on_the_small_line_is_not_on_the_third_ones_disk(trio):
    said = data(trio, "BLUE", "--line", "GROUND", "notice", "give", *NOTICE, *WINDOW, "--text", "SMALL-LINE-ONLY")
    trio.heard("GREEN", said["ref"])
    files = [p for p in trio.folder("AMBER").iterdir() if p.is_file()]
    assert any(p.name == "record.db" for p in files)
    assert not [p.name for p in files if b"SMALL-LINE-ONLY" in p.read_bytes()]
    assert [p.name for p in trio.folder("GREEN").iterdir() if p.is_file() and b"SMALL-LINE-ONLY" in p.read_bytes()]


# --- umbrella, release, disclosures ---


def test_whom_a_notice_covers_is_shown_at_both_ends(trio):
    given = typed(trio, "GREEN", "notice", "give", *NOTICE, *WINDOW, "--covers", "ALFA,CHARLIE", "--release", "INQUIRY")
    assert "CHARLIE: not covered, for the agreement does not name them for GREEN" in given.err
    assert "not covered by this notice: BRAVO" in given.err
    ref = given.out.split(":")[0]
    trio.heard("BLUE", ref)
    for party in ("GREEN", "BLUE", "AMBER"):
        trio.heard(party, ref)
        out = typed(trio, party, "notice", "show", ref).out
        assert "About the presence of: ALFA, CHARLIE." in out
        assert "NOT COVERED: CHARLIE is not named in the agreement" in out
        assert "NOT COVERED by this notice: BRAVO." in out
        assert "Not for release beyond AMBER, BLUE and GREEN, except to an inquiry." in out


def test_who_received_what_and_when_is_listed(trio):
    said = data(trio, "BLUE", "notice", "give", *NOTICE, *WINDOW)
    for party in ("GREEN", "AMBER"):
        trio.heard(party, said["ref"])

    def mine() -> dict[str, Any]:
        found = typed(trio, "BLUE", "disclosures", "--json").data
        return next(each for each in found if each["ref"] == said["ref"])

    trio.until(lambda: all(to["received_ms"] for to in mine()["to"]))
    assert [to["party"] for to in mine()["to"]] == ["AMBER", "GREEN"]
    theirs = typed(trio, "GREEN", "disclosures", "--json").data
    assert said["ref"] not in {each["ref"] for each in theirs}, "only what we ourselves said"
    assert said["ref"] in typed(trio, "BLUE", "disclosures").out


# --- readiness ---


def test_the_checklist_says_what_is_red_and_only_a_supervisor_goes_on(trio):
    seen = trio.do("GREEN", "agreement", "ready", "--json")
    assert seen.code == 1
    items = {each["item"]: each["ok"] for each in seen.data[0]["items"]}
    assert items["fallback"]
    assert items["contacts"]
    assert items["fingerprints"]
    assert not items["backup"]
    assert not items["line checks"], "no person has asked anybody yet"
    red = trio.do("GREEN", "agreement", "ready", "--declare")
    assert red.code == 3
    assert "only a supervisor's post" in red.err
    bare = trio.do("GREEN", "agreement", "ready", "--declare", "--as", "supervisor")
    assert bare.code == 3
    assert "say why" in bare.err
    declared = data(trio, "GREEN", "agreement", "ready", "--text", "the stick is on its way", "--as", "supervisor")
    assert "backup" in declared["facts"]["red"]
    assert declared["not_declared"] == ["AMBER", "BLUE"]
    typed(trio, "GREEN", "backup", trio.path / "green.db")
    trio.check("GREEN")
    for purpose, others in (("FLIGHT_SAFETY", ("AMBER", "BLUE")), ("GROUND", ("BLUE",)),
                            ("WORKING_GROUP", ("AMBER", "BLUE"))):  # fmt: skip
        for other in others:
            typed(trio, other, "--line", purpose, "linecheck", "ask")
            trio.until(lambda other=other, purpose=purpose: trio.do(
                "GREEN", "--line", purpose, "linecheck", "answer", other).code == 0)  # fmt: skip
    items = {each["item"]: each for each in trio.do("GREEN", "agreement", "ready", "--json").data[0]["items"]}
    assert items["backup"]["ok"], items
    assert items["line checks"]["ok"], items
    assert items["clocks"]["ok"], items


# --- the agreement's own life, last: it is suspended and left for good ---


def test_suspended_is_marked_everywhere_and_changes_no_line(trio):
    before = {line["purpose"]: line["ch"] for line in state(trio, "BLUE")["lines"]}
    wrong = trio.do("GREEN", "agreement", "suspend", "--text", "talks broke off")
    assert wrong.code == 3
    assert "only a supervisor's post" in wrong.err
    typed(trio, "GREEN", "agreement", "suspend", "--text", "talks broke off", "--as", "supervisor")
    trio.until(lambda: state(trio, "BLUE")["state"] == "SUSPENDED")
    trio.tick()
    given = typed(trio, "BLUE", "notice", "give", *NOTICE, *WINDOW)
    assert "Marked: outside the agreement: suspended by GREEN" in given.err
    ref = given.out.split(":")[0]
    trio.heard("AMBER", ref)
    for party in ("BLUE", "AMBER"):
        assert "Outside the agreement: suspended by GREEN" in typed(trio, party, "notice", "show", ref).out
        assert "Outside the agreement: suspended by GREEN" in typed(trio, party, "watch").out
        out = typed(trio, party, "status").out
        assert "SUSPENDED since" in out
        assert "talks broke off" in typed(trio, party, "agreement", "status").out
    typed(trio, "AMBER", "ack", ref)
    trio.until(lambda: "ACKNOWLEDGED" in str(data(trio, "BLUE", "notice", "show", ref)["standing"]))
    rung = data(trio, "BLUE", "notice", "show", ref)["versions"][0]["ladder"]["AMBER"][-1]
    assert "suspended by GREEN" in rung["facts"]["outside"]
    for paper in ("script", "form", "mail"):
        assert "outside the agreement" in typed(trio, "BLUE", "notice", paper, ref).out
    assert {line["purpose"]: line["ch"] for line in state(trio, "BLUE")["lines"]} == before
    trio.tick()
    typed(trio, "GREEN", "agreement", "resume", "--as", "supervisor")
    trio.until(lambda: state(trio, "BLUE")["state"] == "IN_FORCE")


def test_after_an_exit_only_distress_is_said(trio):
    trio.tick()
    typed(trio, "AMBER", "agreement", "leave", "--text", "we go our own way", "--as", "supervisor")
    trio.until(lambda: state(trio, "BLUE")["exits"])
    trio.tick()
    refused = trio.do("AMBER", "notice", "give", *NOTICE, *WINDOW)
    assert refused.code == 3
    assert "AMBER left it on" in refused.err
    said = data(trio, "AMBER", "distress", "--at", "41.2N 38.6W", "--until", "+60m")
    trio.heard("BLUE", said["ref"])
    assert state(trio, "AMBER")["state"] == "TERMINATED"
    assert state(trio, "BLUE")["state"] == "IN_FORCE", "two are left"
