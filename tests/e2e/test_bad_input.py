# SPDX-License-Identifier: Apache-2.0
"""What a real node does with everything that it should not get, over its real sockets.

Each test ends where it should: the fault has its name and says whose it is, and the node goes on. One GREEN is battered
by all of them in turn; the last tests ask whether it lost anything.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.dishonest import Dishonest, inside
from tests.e2e.nodes import NodeProcess, Two, until
from wideberth.cli.client import _UnixConnection
from wideberth.core import events as ev
from wideberth.core.limits import DELIVERY_BYTES_MAX, FRAME_BYTES_MAX
from wideberth.core.records import SidecarRecord
from wideberth.core.say import reference
from wideberth.core.seal import entry as entries
from wideberth.core.seal import receipt as receipts
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.errors import BadInput, Misuse, NotFound, Oversized
from wideberth.link.sealing import SealingKey

DAY = "2030-01-01"


@pytest.fixture(scope="module")
def bad() -> Iterator[Dishonest]:
    with Two(clock=f"{DAY}T12:00:00Z") as two:
        two.blue.give(circle="36.20N 37.15E", radius="10km", **{"from": f"{DAY}T20:00Z", "until": f"{DAY}T21:00Z"})
        two.settle()
        yield Dishonest(two)


@pytest.fixture
def green(bad: Dishonest) -> Iterator[NodeProcess]:
    """GREEN, which must still answer own people and peers after each test, holding no less than before."""
    node = bad.two.green
    before = node.line["peers"][0]["held"]
    yield node
    assert node.running
    assert node.line["peers"][0]["held"] >= before
    alert = bad.says(ev.RaiseAlert(bad.ch, "BLUE/watch-1"))
    entry, _, _ = entries.read(*alert)
    assert bad.deliver(alert).sidecars
    assert [r["entry"] for r in node.rings()][-1:] == [entry.hash] or until(
        lambda: [r for r in node.rings() if r["entry"] == entry.hash], "an honest ALERT after it rings"
    )


def theirs(node: NodeProcess, fault: str, **more: Any) -> dict[str, Any]:
    return node.waits_for("fault", fault=fault, whose="theirs", **more)


# --- over the peer port: deliveries that cannot even be opened ---


@pytest.mark.parametrize(
    "garbage", [b"", b"\0", b"GET", b"wbd1", b"wbd2" + bytes(100), b"wbd1" + bytes(70), b'{"frames":[]}', bytes(5000)],
    ids=["nothing", "zero", "text", "cut-short", "next-version", "nameless", "unsealed", "zeros"],
)  # fmt: skip
def test_what_is_no_delivery_is_malformed(bad: Dishonest, green: NodeProcess, garbage: bytes) -> None:
    status, problem = bad.post(garbage)
    assert (status, problem["fault"], problem["whose"]) == (400, "Malformed", "theirs")
    assert problem["details"] == {}


def test_what_is_longer_than_the_limit_is_refused_unread_with_and_without_a_stated_length(
    bad: Dishonest, green: NodeProcess
) -> None:
    status, problem = bad.post(b"x", headers={"Content-Length": str(DELIVERY_BYTES_MAX + 1)})
    assert (status, problem["fault"]) == (413, "Oversized")
    chunks = (bytes(65_536) for _ in range(DELIVERY_BYTES_MAX // 65_536 + 2))
    try:
        status, problem = bad.post(chunks)
        assert (status, problem["fault"]) == (413, "Oversized")
    except (ConnectionError, http.client.HTTPException):
        pass  # it hung up while we were still sending: as good


def test_strangers_learn_nothing_but_that_they_are_strangers(bad: Dishonest, green: NodeProcess) -> None:
    empty = inside([], [])
    for what in ({"ch": "ab" * 32}, {"sender": "CIVIL"}, {"to": "BLUE"}, {"public": SealingKey.generate().public()}):
        status, problem = bad.post(bad.sealed(empty, **what))
        assert (status, problem["fault"], problem["whose"]) == (403, "Stranger", "theirs"), what
        assert "BLUE" not in json.dumps(problem)


def test_one_flipped_bit_does_not_open(bad: Dishonest, green: NodeProcess) -> None:
    wire = bytearray(bad.sealed(inside([], [])))
    wire[-20] ^= 1
    status, problem = bad.post(bytes(wire))
    assert (status, problem["fault"], problem["whose"]) == (400, "BadSignature", "theirs")


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        inside([], [])[:-1],
        inside([[]], []),
        inside([[b"1", b"2", b"3"]], []),
        b"\xff" * 256,
    ],
    ids=["empty", "object", "deep", "unpadded", "no-envelope", "three-parts", "not-text"],
)
def test_a_sealed_delivery_in_another_spelling_is_malformed(bad: Dishonest, green: NodeProcess, plain: bytes) -> None:
    status, problem = bad.post(bad.sealed(plain))
    assert (status, problem["fault"], problem["whose"]) == (400, "Malformed", "theirs")


def test_a_frame_and_a_delivery_beyond_the_limit_are_oversized(bad: Dishonest, green: NodeProcess) -> None:
    long = b'"' + b"x" * FRAME_BYTES_MAX + b'"'
    assert bad.post(bad.sealed(inside([[long]], [])))[1]["fault"] == "Oversized"
    assert bad.post(bad.sealed(inside([[b"1"]] * 257, [])))[1]["fault"] == "Oversized"


def ask_with_an_endless_head(bad: Dishonest) -> None:
    connection = bad.connection()
    try:
        connection.request("GET", "/v1/hello", headers={f"X-{n}": "y" * 900 for n in range(1000)})
        connection.getresponse()
    finally:
        connection.close()


def test_whoever_speaks_no_http_or_hangs_up_in_the_middle_harms_nobody(bad: Dishonest, green: NodeProcess) -> None:
    for first in (b"\x16\x03\x01" + bytes(50), b"GET / HTTP/1.1\r\n\r\n", b""):
        with socket.create_connection(("127.0.0.1", bad.port), timeout=10) as plain:
            plain.sendall(first)
    connection = bad.connection()
    connection.putrequest("POST", "/v1/deliveries")
    connection.putheader("Content-Length", "100000")
    connection.endheaders()
    connection.send(b"wbd1")
    connection.close()
    with pytest.raises((OSError, http.client.HTTPException)):
        ask_with_an_endless_head(bad)


def test_a_stranger_who_asks_is_told_the_protocol_and_nothing_else(bad: Dishonest, green: NodeProcess) -> None:
    connection = bad.connection()
    connection.request("GET", "/v1/hello")
    assert json.loads(connection.getresponse().read()) == {"protocol": "wideberth", "version": 1}
    for path in ("/", "/v1/status", "/v1/notices", "/v1/plans", "/v1/commands", "/v1/deliveries"):
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status in (404, 405), path
        assert b"GREEN" not in response.read()
    connection.close()


# --- inside a good seal: frames and receipts that break the protocol ---


def test_a_frame_that_is_no_envelope_is_malformed_and_the_good_one_beside_it_is_taken(
    bad: Dishonest, green: NodeProcess
) -> None:
    good = bad.says(ev.SayNil(bad.ch, "BLUE/watch-1", bad.two.now_ms + 3_600_000))
    reply = bad.deliver((b"1", b"2"), (b'{"payload":"x"}', b"{}"), good)
    assert reply.sidecars
    assert theirs(green, "Malformed")["peer"] == "BLUE"
    green.waits_for("heard", entry=entries.read(*good)[0].hash)


def test_a_frame_signed_with_another_key_is_refused_and_takes_no_place(bad: Dishonest, green: NodeProcess) -> None:
    held = green.line["peers"][0]["held"]
    bad.deliver(bad.frame(b"{}", node=Ed25519Signer(bytes(32))))
    assert "BLUE" in theirs(green, "BadSignature")["sentence"]
    assert green.line["peers"][0]["held"] == held


def test_a_frame_of_another_channel_or_of_nobody_we_know_is_a_strangers(bad: Dishonest, green: NodeProcess) -> None:
    bad.deliver(bad.frame(b"{}", ch="cd" * 32), bad.frame(b"{}", sender="CIVIL"), bad.frame(b"{}", sender="GREEN"))
    theirs(green, "Stranger")
    green.told_up_to_now()  # the other faults of the same delivery
    sentences = {t["sentence"] for t in green.told("fault", fault="Stranger")}
    assert len(sentences) >= 2


def test_a_frame_that_does_not_continue_the_strand_is_out_of_place(bad: Dishonest, green: NodeProcess) -> None:
    bad.deliver(bad.frame(b"{}", prev="ef" * 32))
    theirs(green, "OutOfPlace", peer="BLUE")


def test_the_same_delivery_ten_times_is_told_once_and_receipted_every_time(bad: Dishonest, green: NodeProcess) -> None:
    once = bad.says(ev.SayNil(bad.ch, "BLUE/watch-1", bad.two.now_ms + 7_200_000))
    wire = bad.sealed(inside([list(once)], []))
    assert {bad.post(wire)[0] for _ in range(10)} == {200}
    assert bad.deliver(once, once, once).sidecars
    green.told_up_to_now()
    assert len(green.told("heard", entry=entries.read(*once)[0].hash)) == 1


def test_a_poison_entry_is_kept_and_marked_and_the_strand_goes_on(bad: Dishonest, green: NodeProcess) -> None:
    held = green.line["peers"][0]["held"]
    unknown = b'{"body":{"said":{"by":"BLUE/watch-1","ch":"%s","t_ms":1,"what":{"kind":"launch"}}},"salt":"%s=="}'
    poisons = [
        b"{}", b"null", b"[" * 900 + b"]" * 900, b'{"body":{"said":{}},"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}',
        unknown % (bad.ch.encode(), b"A" * 22), b'"' + b"x" * 60_000 + b'"',
    ]  # fmt: skip
    for n, poison in enumerate(poisons, 1):
        frame = bad.frame(poison)
        reply = bad.deliver(frame)
        bad.took(frame)
        assert reply.sidecars, f"poison {n} was not receipted"
        marked = green.waits_for("fault", whose="theirs", details={"entry": entries.read(*frame)[0].hash})
        assert marked["fault"] in ("UNREADABLE", "NOT_UNDERSTOOD")
        assert "is kept, but has no effect" in marked["sentence"]
    assert green.line["peers"][0]["held"] == held + len(poisons)
    # And its author is told so, signed by the node.
    assert len(green.told("said", kind="remark")) == len(poisons)


def test_a_body_nested_beyond_reason_is_refused_before_it_can_hurt(bad: Dishonest, green: NodeProcess) -> None:
    held = green.line["peers"][0]["held"]
    status, problem = bad.post(bad.sealed(inside([list(bad.frame(b"[" * 20_000 + b"]" * 20_000))], [])))
    assert (status, problem["fault"]) == (400, "Malformed")
    assert green.line["peers"][0]["held"] == held


def test_a_false_receipt_is_out_of_place_and_marks_nothing_delivered(bad: Dishonest, green: NodeProcess) -> None:
    line = green.line
    held = bad.line.channel.strands["GREEN"].place
    assert held is not None
    lie = receipts.Receipt(1, "stored", bad.ch, "BLUE", "GREEN", held.epoch, held.seq, "ab" * 32, bad.two.now_ms)
    bad.deliver(sidecars=(receipts.seal(lie, bad.signers.node), b"7", b'"text"'))
    until(
        lambda: [t for t in green.told("fault", fault="OutOfPlace") if "never signed" in t["sentence"]],
        "the false receipt is told",
    )
    assert green.line["peers"][0]["receipted"] == line["peers"][0]["receipted"]


def test_two_entries_for_one_place_are_proof_and_ring(bad: Dishonest, green: NodeProcess) -> None:
    one = bad.says(ev.SayNil(bad.ch, "BLUE/watch-1", bad.two.now_ms + 60_000))
    first, _, _ = entries.read(*one)
    bad.deliver(one)
    body = b"{}"
    again = bad.frame(body, seq=first.header.seq, prev=first.header.prev)
    bad.deliver(again)
    fault = theirs(green, "Equivocation", peer="BLUE")
    assert fault["level"] == "RING"
    assert "Both are kept as proof" in fault["sentence"]


# --- over the local socket: commands that cannot be carried out ---


def test_every_command_fault_has_a_name_a_sentence_and_no_effect(bad: Dishonest, green: NodeProcess) -> None:
    own = green.give(
        circle="35.00N 35.00E", radius="10km", **{"from": f"{DAY}T20:00Z", "until": f"{DAY}T21:00Z"}
    )["ref"]  # fmt: skip
    before = green.line["seq"]
    faults: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (BadInput, "/v1/commands", {}),
        (BadInput, "/v1/commands", {"command": "launch"}),
        (BadInput, "/v1/commands", {"command": "ack", "by": "watch-1"}),
        (NotFound, "/v1/commands", {"command": "ack", "by": "watch-1", "ref": reference.make("BLUE", 99)}),
        (BadInput, "/v1/commands", {"command": "ack", "by": "watch-1", "ref": "BLU-9999-X"}),
        (BadInput, "/v1/commands", {"command": "ack", "by": "watch-1", "ref": own}),
        (NotFound, "/v1/commands", {"command": "alert", "by": "night-shift"}),
        (NotFound, "/v1/commands", {"command": "alert", "by": "BLUE/watch-1"}),
        (NotFound, "/v1/commands", {"command": "alert", "by": "watch-1", "line": "Elsewhere"}),
        (BadInput, "/v1/commands", {"command": "alert", "by": "watch-1", "text": "x" * 281}),
        (BadInput, "/v1/commands", {"command": "alert", "by": 7}),
        (BadInput, "/v1/commands", {"command": "alert", "by": "watch-1", "approved": True}),
        (BadInput, "/v1/commands", {"command": "extend", "by": "watch-1", "ref": own, "until_ms": 1}),
        (BadInput, "/v1/notices", {"by": "watch-1"}),
        (BadInput, "/v1/notices", {"by": "watch-1", "type": "AREA_ACTIVITY", "circle": "91N 0E", "radius": "0"}),
        (BadInput, "/v1/clock", {"t_ms": "now"}),
        (BadInput, "/v1/clock", {"t_ms": -1}),
        (NotFound, "/v1/shown", {"author": "BLUE", "entry": "00"}),
        (BadInput, "/v1/plans", {"label": "x"}),
    ]
    for kind, path, body in faults:
        with pytest.raises(kind) as raised:
            green.post(path, body)
        assert type(raised.value) is kind, (path, body, raised.value)
        assert len(str(raised.value)) > 15, (path, body)
    assert green.line["seq"] == before


def test_what_is_not_even_a_request_is_answered_with_a_fault_too(bad: Dishonest, green: NodeProcess) -> None:
    for data in (b"", b"[]", b"{", b"\xff", b'{"command":' * 5_000, b"7"):
        connection = _UnixConnection(green.home.socket_path, 10)
        connection.request("POST", "/v1/commands", data)
        response = connection.getresponse()
        problem = json.loads(response.read())
        connection.close()
        assert (response.status, problem["fault"], problem["whose"]) == (422, "BadInput", "ours"), data
    with pytest.raises((BadInput, Oversized)):
        green.post("/v1/commands", {"command": "alert", "text": "x" * (9 * 1024 * 1024)})


# --- and after all of it ---


def test_after_all_that_the_node_restarts_with_everything_it_had(bad: Dishonest) -> None:
    green = bad.two.green
    line = green.line
    proven = len(green.told("fault", fault="Equivocation"))
    notices = green.get("/v1/notices", all=1)
    green.kill()
    bad.two.restart(green)
    assert {k: green.line[k] for k in ("seq", "head")} == {k: line[k] for k in ("seq", "head")}
    assert green.line["peers"][0]["held"] == line["peers"][0]["held"]
    assert green.get("/v1/notices", all=1) == notices
    green.stop()
    strand = green.strands()["BLUE"]
    assert [place for place, _, _ in strand] == list(range(1, line["peers"][0]["held"] + 1))
    proofs = [r for r in green.records() if isinstance(r, SidecarRecord) and r.kind == "equivocation"]
    assert len(proofs) == proven


def test_a_bug_of_ours_costs_one_event_and_is_told_instead_of_leaving_the_node_deaf() -> None:
    with Two(clock=f"{DAY}T12:00:00Z") as two:
        two.green.command("nil", until_ms=two.now_ms + 3_600_000)
        two.settle()
        line = two.green.line
        two.green.stop()
        two.green.bug = "trip"
        two.restart(two.green)
        with pytest.raises(Misuse, match="this is a bug in wideberth"):
            two.green.command("alert", text="trip")
        assert {k: two.green.line[k] for k in ("seq", "head")} == {k: line[k] for k in ("seq", "head")}
        assert any("ZeroDivisionError" in str(told) for told in two.green.told("fault"))
        two.green.command("alert", text="all is well again")
        two.settle()
        assert len(two.blue.rings()) == 1
