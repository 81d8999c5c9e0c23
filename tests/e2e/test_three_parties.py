# SPDX-License-Identifier: Apache-2.0
"""Three parties, two mechanisms, real processes: who hears what, three signatures, suspension, exit, proof."""

from __future__ import annotations

import pytest

from tests.e2e.nodes import NodeProcess
from tests.e2e.trio import NAMES, Trio
from wideberth import evidence
from wideberth.core.seal.bundle import whole_channel
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.errors import BadInput, NotFound

HERE = {"circle": "35.8N 35.5E", "radius": "12km", "from": "+15m", "until": "+60m"}


@pytest.fixture(scope="module")
def trio():
    with Trio() as made:
        yield made


def on_disk(node: NodeProcess, text: str) -> list[str]:
    """Files of a node's folder in which these bytes stand."""
    files = [p for p in node.folder.rglob("*") if p.is_file()]
    assert any(p.name == "record.db" for p in files)
    return [p.name for p in files if text.encode() in p.read_bytes()]


def test_each_hears_what_is_said_on_its_lines_and_nothing_else(trio):
    said = {
        line: trio.blue.give(**HERE, line=f"Coast/{line}", text=f"ONLY-{line}")["ref"]
        for line in ("FLIGHT_SAFETY", "GROUND")
    }
    given = trio.green.give(**HERE, line="Desert", text="ONLY-DESERT")["ref"]
    trio.settle()
    texts = {
        node.party: {v["text"] for n in node.get("/v1/notices") for v in [n["versions"][0]["terms"]]}
        for node in trio.nodes
    }  # fmt: skip
    assert texts == {
        "BLUE": {"ONLY-FLIGHT_SAFETY", "ONLY-GROUND"},
        "GREEN": {"ONLY-FLIGHT_SAFETY", "ONLY-GROUND", "ONLY-DESERT"},
        "AMBER": {"ONLY-FLIGHT_SAFETY", "ONLY-DESERT"},
    }
    assert said["GROUND"]
    assert given
    # Not a byte of it, neither in the record nor beside it.
    assert on_disk(trio.green, "ONLY-GROUND")
    assert on_disk(trio.amber, "ONLY-GROUND") == []
    assert on_disk(trio.amber, "ONLY-DESERT")
    assert on_disk(trio.blue, "ONLY-DESERT") == []
    assert on_disk(trio.blue, "Desert") == [], "not even that there is such a mechanism"


def test_what_is_listed_as_disclosed_is_what_was_received(trio):
    listed = trio.blue.get("/v1/disclosures", line="GROUND")
    assert {to["party"] for each in listed for to in each["to"]} == {"GREEN"}
    assert all(to["received_ms"] for each in listed for to in each["to"])
    audience = trio.blue.get("/v1/audience", line="GROUND")
    assert audience["members"] == ["GREEN"]
    assert audience["release"] == "Not for release beyond BLUE and GREEN."


def test_a_line_that_nobody_can_mean_is_never_guessed(trio):
    with pytest.raises(BadInput, match="say which line"):
        trio.green.give(**HERE)  # GREEN has two for flight safety
    with pytest.raises(NotFound, match="Coast/WORKING_GROUP"):
        trio.amber.give(**HERE, line="GROUND")


def test_a_changed_number_needs_three_signatures_and_the_late_one_is_named(trio):
    proposed = trio.green.post(
        "/v1/mechanisms/propose", {"by": "watch-1", "mechanism": "Coast", "set": {"lead": "20m"}, "text": "fog"}
    )
    hash_ = proposed["proposal"]["agreement"]
    trio.settle()
    for n, node in enumerate((trio.green, trio.blue), 1):
        trio.sign(node, hash_)
        trio.settle()
        for each in trio.nodes:
            seen = trio.state(each)
            (open_,) = [p for p in seen["proposals"] if p["agreement"] == hash_]
            assert seen["version"] == 1
            assert open_["missing"] == (["AMBER", "BLUE"], ["AMBER"])[n - 1]
    trio.later(1)
    trio.sign(trio.amber, hash_)
    trio.settle()
    trio.later(1)
    for each in trio.nodes:
        seen = trio.state(each)
        assert seen["version"] == 2
        assert seen["versions"][-1]["changes"][-1]["says"] == "lead: 10m becomes 20m"
    late = trio.blue.give(**HERE, line="Coast/")
    assert late["facts"]["lead_given"]["late"], "a quarter of an hour is too short now"
    assert trio.state(trio.green, "Desert")["version"] == 1


def test_suspending_one_mechanism_leaves_the_other_and_every_line(trio):
    before = {n.party: [line["ch"] for line in n.status()["lines"]] for n in trio.nodes}
    trio.green.command("suspend", ch="Coast/", by="supervisor", text="talks have broken off")
    trio.settle()
    trio.later(1)
    for node in trio.nodes:
        assert trio.state(node)["state"] == "SUSPENDED"
    assert trio.state(trio.amber, "Desert")["state"] == "IN_FORCE"
    outside = trio.blue.give(**HERE, line="Coast/", text="during the suspension")
    inside = trio.green.give(**HERE, line="Desert")
    trio.settle()
    seen = {n["ref"] + n["mechanism"]: n["versions"][0]["outside"] for n in trio.amber.get("/v1/notices")}
    assert seen[outside["ref"] + "Coast"].startswith("outside the agreement: suspended by GREEN")
    assert seen[inside["ref"] + "Desert"] == ""
    assert trio.amber.waits_for("heard", entry=outside["entry"])["facts"]["outside"]
    assert {n.party: [line["ch"] for line in n.status()["lines"]] for n in trio.nodes} == before
    trio.green.command("reinstate", ch="Coast/", by="supervisor")
    trio.settle()


def test_after_an_exit_distress_passes_and_history_verifies(trio):
    trio.later(1)
    trio.amber.command("leave", ch="Coast/", by="supervisor", text="the mission ends")
    trio.settle()
    trio.later(1)
    assert trio.state(trio.amber)["state"] == "TERMINATED"
    assert trio.state(trio.blue)["state"] == "IN_FORCE"
    with pytest.raises(BadInput, match="AMBER left it"):
        trio.amber.give(**HERE, line="Coast/")
    assert trio.amber.give(**HERE, line="Desert")["ref"], "the other mechanism goes on"
    call = trio.amber.post(
        "/v1/notices",
        {"type": "DISTRESS", "circle": "35.8N 35.5E", "until": "+60m", "by": "watch-1", "line": "Coast/"},
    )
    trio.settle()
    rung = [t for t in trio.blue.rings() if t["entry"] == call["entry"]]
    assert rung, "it rang at BLUE"
    assert trio.blue.notice(call["entry"])["author"] == "AMBER"
    roots = {p: Ed25519Signer(made.root_seed()).public for p, made in trio.homes.items()}
    assert sorted(roots) == list(NAMES)
    for node in (trio.blue, trio.amber):
        kept = evidence.read_record(node.home.record_path, trio.ch(node, "Coast/FLIGHT_SAFETY"))
        bundle = evidence.make(
            kept, party=node.party, node=Ed25519Signer(node.home.node_seed()), t_ms=trio.now_ms,
            selection=whole_channel(), release=evidence.release_of(kept),
        )  # fmt: skip
        said = evidence.verdict(bundle)
        assert said["verdict"] == "integrity only", said
        assert said["entries"] > 5


def test_a_late_member_is_named_and_with_its_signature_every_line_opens():
    with Trio(late="AMBER") as late:
        (waits,) = late.blue.get("/v1/mechanisms")["foundings"]
        assert (waits["step"], waits["missing"]) == ("SIGNATURES", ["AMBER"])
        assert late.green.status()["waiting"], "it signed, and waits for the rest"
        assert [m["mechanism"] for m in late.green.get("/v1/mechanisms")["mechanisms"]] == ["Desert"]
        late.hand_in()
        late.opened()
        assert [each["foundings"] for each in (n.get("/v1/mechanisms") for n in late.nodes)] == [[], [], []]
        late.blue.give(**HERE)
        late.settle()
        assert len(late.amber.get("/v1/notices")) == 1
