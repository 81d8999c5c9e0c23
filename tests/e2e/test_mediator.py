# SPDX-License-Identifier: Apache-2.0
"""A neutral host between two real nodes (domain.md A7, B9): a real mediator process, honest and not, over real sockets.

On the system's clock but where a test says otherwise: what a mediator does to the time is part of what is tested.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mediators import ByMediator
from tests.e2e.nodes import COMMAND, NodeProcess, Two, frozen, until
from wideberth.core.records import SidecarRecord
from wideberth.core.say import instant
from wideberth.core.seal import mediation
from wideberth.core.seal.envelope import pae
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier, key_id, unb64
from wideberth.errors import Malformed, NotFound

# Domain.md B9: the sender sees NOT_RELAYED in less.
TOLD_S = 10.0


def routine(node: NodeProcess, **more: Any) -> dict[str, Any]:
    start = time.time_ns() // 1_000_000 + 3_600_000
    window = {"from": instant.show(start), "until": instant.show(start + 1_800_000)}
    return node.give(circle="35.10N 35.10E", radius="10km", **window, **more)


def links(node: NodeProcess) -> list[tuple[str, str]]:
    """Every state of the link that was told so far, and how loudly."""
    return [(t["state"], t.get("level", "NOTE")) for t in node.told("link")]


def relay(node: NodeProcess) -> dict[str, Any]:
    return dict(node.line["peers"][0]["relay"])


def quiet(three: Two) -> None:
    """The line works, and what was told at the start is behind us."""
    until(lambda: all(relay(n)["state"] == "WORKS" for n in three.nodes), "both ways work")
    for node in three.nodes:
        node.told_up_to_now()
        node.tells.clear()


def told_in(node: NodeProcess, state: str) -> float:
    """Seconds until the node tells this state of its link."""
    began = time.monotonic()
    node.waits_for("link", state=state)
    return time.monotonic() - began


def kept(node: NodeProcess, kind: str) -> list[SidecarRecord]:
    return [r for r in node.records() if isinstance(r, SidecarRecord) and r.kind == kind]


def memory_of(pid: int) -> bytes:
    """Everything that a process of ours holds now."""
    found = bytearray()
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            try:
                memory.seek(start)
                found += memory.read(end - start)
            except OSError:  # a page that the kernel keeps to itself
                continue
    return bytes(found)


def test_a_notice_goes_through_with_its_answers_and_both_sides_keep_the_mediators_stamps() -> None:
    with ByMediator() as three:
        quiet(three)
        given = routine(three.blue)
        three.green.waits_for("heard", ref=given["ref"])
        three.green.command("ack", ref=given["ref"])
        three.blue.waits_for("climbed", step="ACKNOWLEDGED", ref=given["ref"])
        three.settle()
        assert relay(three.blue)["way"] == relay(three.green)["way"] == "HOST"
        assert three.blue.line["peers"][0]["link"] == "reachable by way of HOST"
        for node in three.nodes:
            node.stop()
        three.mediator.stop()
        card, verifier = three.mediator.card, Ed25519Verifier()
        stamps = {
            n.party: {
                r.envelope: mediation.read_stamp(r.envelope, card, verifier) for r in kept(n, mediation.KEPT_STAMP)
            }
            for n in three.nodes
        }
        for sender, recipient in (("BLUE", "GREEN"), ("GREEN", "BLUE")):
            # The very stamp that came with a delivery is held by who sent it and by who got it.
            both = stamps[sender].keys() & stamps[recipient].keys()
            assert any(s.sender == sender and not s.why for e, s in stamps[sender].items() if e in both)
        logged = {r.envelope for r in _log(three)}
        assert set().union(*stamps.values()) <= logged
        audited = subprocess.run(
            [sys.executable, "-c", COMMAND, "--dir", str(three.blue.folder), "--json", "doctor", "--audit"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert '"audit"' in audited.stdout
        assert "not known here" not in audited.stdout
        for stamp in stamps["BLUE"].values():
            assert stamp.received_ms <= (stamp.passed_ms or stamp.received_ms) <= stamp.received_ms + 1000


def _log(three: ByMediator) -> list[Any]:
    from wideberth.mediator.log import read_log

    return list(read_log(three.mediator.home.log_path, newest=10_000))


def test_a_mediator_holds_no_word_of_a_notice_and_no_key_that_opens_one() -> None:
    words = "zanzibar kettle umbrella"
    with ByMediator() as three:
        quiet(three)
        alert = three.blue.command("alert", text=words)
        three.green.waits_for("heard", ref=alert["ref"])
        assert words.encode() in memory_of(three.green.pid)  # the search finds what is there
        held = memory_of(three.mediator.pid)
        assert b"HOST" in held
        secrets = [words.encode(), alert["ref"].encode()]
        for node in three.nodes:
            for key in node.home.sealing_keys():
                text = key.to_bytes()
                secrets += [text, unb64(text.decode().partition(":")[2], "key")]
            seed = node.home.node_seed()
            secrets += [seed, Ed25519Signer(seed)._secret]
        three.mediator.stop()
        files = {p.relative_to(three.mediator.home.path): p for p in three.mediator.home.path.rglob("*") if p.is_file()}
        assert {str(name) for name in files} == {
            "mediator.json", "card.json", "keys/stamp.seed", "keys/tls.key", "keys/tls.crt",
            *(f"members/{party}-{key_id(c.node)}.json" for party, (c,) in three.mediator.home.members().items()),
            "log.db",
        }  # fmt: skip
        places = {"memory": held, **{str(name): p.read_bytes() for name, p in files.items()}}
        assert [(where, s) for where, data in places.items() for s in secrets if s in data] == []
        assert all(p.stat().st_mode & 0o077 == 0 for p in files.values())


def check_proof(shows: dict[str, Any], three: ByMediator, by: str) -> None:
    """As a stranger would, with nothing but DSSE, Ed25519 and the two public keys."""
    slip, stamp = (json.loads(unb64(shows[part]["payload"], part)) for part in ("slip", "stamp"))
    cards = {party: each[0] for party, each in three.mediator.home.members().items()}
    for part, key in (("slip", cards[slip["from"]].node), ("stamp", three.mediator.card.key)):
        text = pae(shows[part]["payloadType"], unb64(shows[part]["payload"], part))
        signature = unb64(shows[part]["signatures"][0]["sig"], part)
        assert Ed25519Verifier().verify(key, text, signature)
    whole = json.dumps(shows["slip"], separators=(",", ":"), sort_keys=True).encode()
    assert stamp["slip"] == hashlib.sha256(whole).hexdigest()
    assert stamp["sha256"] == shows["sha256"]
    assert (slip["sha256"] != stamp["sha256"]) is (by == "HOST")
    assert shows["by"] == by


def test_one_altered_byte_names_the_mediator_with_a_proof_that_stands_alone() -> None:
    with ByMediator() as three:
        quiet(three)
        three.mediator.how("alter")
        given = routine(three.blue)
        fault = three.green.waits_for("fault", fault="Spoiled")
        assert (fault["whose"], fault["details"]["by"], fault["peer"]) == ("theirs", "HOST", "BLUE")
        assert "HOST stamped and handed over, as of BLUE, what BLUE did not sign" in fault["sentence"]
        assert fault["level"] == "RING"
        (spoiled, *_) = three.green.get("/v1/spoiled")
        assert (spoiled["by"], spoiled["proof"]) == ("HOST", fault["details"]["proof"])
        check_proof(spoiled["shows"], three, "HOST")
        # The sender is told that it did not get through, and GREEN has heard nothing.
        assert three.blue.waits_for("link", state="NOT_RELAYED")["details"]["reason"].startswith("not relayed REFUSED")
        assert not three.green.told("heard")
        three.mediator.how("")
        three.green.waits_for("heard", ref=given["ref"])
        three.blue.waits_for("link", state="WORKS")
        assert [s for s, _ in links(three.blue)] == ["NOT_RELAYED", "WORKS"]
        three.green.stop()
        assert [r.author for r in kept(three.green, mediation.KEPT_PROOF)][:1] == ["HOST"]  # it is in the record


def test_an_altered_answer_names_the_mediator_at_the_sender() -> None:
    with ByMediator() as three:
        quiet(three)
        three.mediator.how("alter-answer")
        given = routine(three.blue)
        fault = three.blue.waits_for("fault", fault="Spoiled", peer="GREEN")
        assert fault["details"]["by"] == "HOST"
        (spoiled, *_) = three.blue.get("/v1/spoiled")
        check_proof(spoiled["shows"], three, "HOST")
        three.blue.waits_for("link", state="NOT_RELAYED")
        three.green.waits_for("heard", ref=given["ref"])  # only the answer was spoiled


def test_what_is_altered_behind_the_stamp_is_refused_and_nobody_is_accused() -> None:
    """Whoever saw a stamp could send it along with other bytes: the sender itself, for one."""
    with ByMediator() as three:
        quiet(three)
        three.mediator.how("alter-late")
        routine(three.blue)
        fault = three.green.waits_for("fault", fault="BadSignature")
        assert "stamp of HOST that is over other bytes" in fault["sentence"]
        assert "nothing proves by whom" in fault["sentence"]
        assert three.green.get("/v1/spoiled") == []
        three.blue.waits_for("link", state="NOT_RELAYED")


def test_a_sender_whose_own_signature_is_over_the_bad_bytes_is_named_itself() -> None:
    import asyncio

    from tests.e2e.mediator_child import altered
    from wideberth.link.delivery import Delivery, seal_delivery
    from wideberth.link.tls import client_context
    from wideberth.link.way import Mediated, Route
    from wideberth.service import HomeSigners

    with ByMediator() as three:
        quiet(three)
        three.blue.stop()  # from now on we are BLUE, with its keys
        cards = {party: each[0] for party, each in three.mediator.home.members().items()}

        async def story() -> None:
            way = Mediated(
                three.mediator.card, client_context(three.mediator.card.tls_pem, three.blue.home.identity()),
                us="BLUE", to="GREEN", node=lambda: HomeSigners(three.blue.home).node, verifier=Ed25519Verifier(),
                peer_keys=lambda: (cards["GREEN"].node,), now_ms=lambda: 1, keep=lambda *_: None,
            )  # fmt: skip
            wire = altered(seal_delivery(Delivery(three.ch, "BLUE", "GREEN"), cards["GREEN"].sealing))
            with pytest.raises(Exception, match="REFUSED 400 Spoiled"):
                await way.post(wire, Route(three.ch, "BLUE", "GREEN"))
            way.close()

        asyncio.run(story())
        fault = three.green.waits_for("fault", fault="Spoiled")
        assert fault["details"]["by"] == "BLUE"
        assert "BLUE signed a delivery that cannot be used" in fault["sentence"]
        (spoiled,) = three.green.get("/v1/spoiled")
        check_proof(spoiled["shows"], three, "BLUE")


def test_a_mediator_that_swallows_is_noticed_by_the_receipt_that_does_not_come_and_by_the_line_check() -> None:
    with ByMediator() as three:
        quiet(three)
        three.mediator.how("swallow")
        began = time.monotonic()
        alert = three.blue.command("alert", text="something")
        overdue = until(
            lambda: three.blue.told("overdue", ref=alert["ref"], what="UNDELIVERED"), "not delivered is told", 40
        )
        assert 29 <= time.monotonic() - began <= 36
        assert "treat it as not delivered and use the telephone" in overdue[0]["sentence"]
        (state, level), *more = links(three.blue)
        assert (state, level, more) == ("NOT_RELAYED", "RING", [])  # by the silence, before the receipt was due
        checked = three.blue.post("/v1/check", {"wait_s": 1})
        assert [c["checked"] for c in checked] == [None]
        three.mediator.how("")
        until(lambda: three.green.told("heard", ref=alert["ref"]), "the alert arrives when it is honest again", 60)
        until(lambda: links(three.blue)[1:] == [("WORKS", "NOTE")], "it is told again, once", 30)


def test_an_old_answer_is_no_answer() -> None:
    """A mediator that keeps what it should pass on, and hands back a genuine answer to something else."""
    with ByMediator() as three:
        quiet(three)
        routine(three.blue)
        three.settle()
        three.mediator.how("old-answer")
        given = routine(three.blue)
        fault = three.blue.waits_for("fault", fault=Malformed.__name__)
        assert "an old answer as the answer to this delivery" in fault["sentence"]
        three.blue.waits_for("link", state="NOT_RELAYED")
        assert not three.green.told("heard", ref=given["ref"])


def test_a_mediator_that_delays_is_noticed_by_the_line_check() -> None:
    with ByMediator() as three:
        quiet(three)
        three.mediator.how("delay")
        three.blue.post("/v1/check", {"wait_s": 0})
        fault = three.blue.waits_for("fault", fault="LineSlow")
        assert fault["whose"] == "world"
        assert "the line is slow, or somebody on it delays what passes" in fault["sentence"]
        assert three.blue.line["peers"][0]["checked"]["offset"]["bound_ms"] > 2_000


def test_repeated_and_reordered_deliveries_change_nothing() -> None:
    with ByMediator() as three:
        quiet(three)
        three.mediator.how("repeat")
        given = [routine(three.blue)["ref"] for _ in range(4)]
        alert = three.blue.command("alert", text="once")
        for ref in given:
            three.green.waits_for("heard", ref=ref)
            three.green.command("ack", ref=ref)
        until(lambda: len(three.blue.told("climbed", step="ACKNOWLEDGED")) == len(given), "every answer comes")
        three.settle()
        heard = [t["ref"] for t in three.green.told("heard", kind="notice")]
        assert sorted(heard) == sorted(given)
        assert [r["ref"] for r in three.green.rings()] == [alert["ref"]]
        assert not three.green.told("fault")
        for node in three.nodes:
            node.stop()
        assert three.blue.strands() == three.green.strands()


def test_a_killed_mediator_is_told_within_ten_seconds_once_and_so_is_its_return() -> None:
    with ByMediator() as three:
        quiet(three)
        three.mediator.kill()
        for node in three.nodes:  # nobody says anything meanwhile
            assert told_in(node, "NOT_RELAYED") < TOLD_S
        assert relay(three.blue)["state"] == "NOT_RELAYED"
        assert three.blue.line["peers"][0]["link"].startswith("NOT_RELAYED: nobody answers at the address of HOST")
        said = routine(three.blue)
        assert any(w.startswith("NOT_RELAYED: what this node says does not reach GREEN") for w in _warnings(said))
        time.sleep(7)  # two probes, and repeats of the notice
        assert links(three.blue) == [("NOT_RELAYED", "NOTE")]
        three.blue.command("alert", text="urgent behind it")
        until(lambda: links(three.blue) == [("NOT_RELAYED", "NOTE"), ("NOT_RELAYED", "RING")], "it rings once")
        three.mediator.start()
        for node in three.nodes:
            assert told_in(node, "WORKS") < TOLD_S
        three.settle()
        assert [s for s, _ in links(three.blue)] == ["NOT_RELAYED", "NOT_RELAYED", "WORKS"]
        assert [s for s, _ in links(three.green)] == ["NOT_RELAYED", "WORKS"]
        assert three.green.told("heard", ref=said["ref"])


def _warnings(said: dict[str, Any]) -> list[str]:
    return list(said["facts"].get("warnings", ()))


def test_a_mediator_that_does_not_reach_the_recipient_says_so_at_once() -> None:
    with ByMediator() as three:
        quiet(three)
        three.green.kill()
        began = time.monotonic()
        routine(three.blue)
        told = three.blue.waits_for("link", state="NOT_RELAYED")
        assert time.monotonic() - began < 2
        assert told["details"]["reason"] in ("not relayed UNREACHABLE", "not relayed NO_ANSWER")
        assert "HOST is up" in told["sentence"]  # a probe's word, or the delivery's: whichever was first
        # It signed that it had it and could not pass it on: testimony of the sender's.
        three.restart(three.green)
        three.blue.waits_for("link", state="WORKS")
        three.settle()
        three.blue.stop()
        whys = {
            mediation.read_stamp(r.envelope, three.mediator.card, Ed25519Verifier()).why
            for r in kept(three.blue, mediation.KEPT_STAMP)
        }
        assert whys & {"UNREACHABLE", "NO_ANSWER"}
        assert [s for s, _ in links(three.blue)] == ["NOT_RELAYED", "WORKS"]


def test_a_frozen_peer_on_the_direct_line_is_told_within_ten_seconds_too() -> None:
    with Two(clock="") as two:
        quiet(two)
        with frozen(two.green.pid):
            assert told_in(two.blue, "NOT_RELAYED") < TOLD_S
        assert told_in(two.blue, "WORKS") < TOLD_S
        assert [s for s, _ in links(two.blue)] == ["NOT_RELAYED", "WORKS"]


def test_where_the_first_way_fails_the_next_one_is_taken_and_told() -> None:
    with ByMediator(via=("HOST", "direct")) as three:
        quiet(three)
        assert relay(three.blue)["ways"] == ["HOST", "direct"]
        three.mediator.kill()
        alert = three.blue.command("alert", text="by the other way")
        three.green.waits_for("heard", ref=alert["ref"])
        told = three.blue.waits_for("link", state="WORKS", way="direct")
        assert told["sentence"] == "What this node says now reaches GREEN directly."
        assert not three.blue.told("link", state="NOT_RELAYED")
        three.mediator.start()
        until(lambda: routine(three.blue) and relay(three.blue)["way"] == "HOST", "the preferred way again", 30)


def test_ways_can_be_changed_while_the_nodes_run_and_a_mediator_that_is_not_known_is_not_heard() -> None:
    from wideberth import ways

    with ByMediator(via=("direct",)) as three:
        quiet(three)
        assert relay(three.blue)["way"] == "direct"
        with pytest.raises(NotFound, match="does not know a mediator OTHER"):
            ways.set_ways(three.blue.folder, "GREEN", ["OTHER"])
        ways.set_ways(three.blue.folder, "GREEN", ["HOST"], three.ch)
        three.blue.post("/v1/ways", {})
        given = routine(three.blue)
        three.green.waits_for("heard", ref=given["ref"])
        until(lambda: relay(three.blue)["way"] == "HOST", "BLUE goes by HOST")
        # GREEN forgets the mediator: what comes by it is refused, with what to do.
        (three.green.folder / "mediators" / "HOST.json").unlink()
        three.green.post("/v1/ways", {})
        routine(three.blue)
        fault = three.green.waits_for("fault", fault="Stranger")
        assert "wideberth way trust" in fault["sentence"]
        three.blue.waits_for("link", state="NOT_RELAYED")
