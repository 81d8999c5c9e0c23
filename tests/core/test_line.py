# SPDX-License-Identifier: Apache-2.0
"""What one line does with what it hears: good, late, out of order, twice, and malicious."""

from __future__ import annotations

import msgspec
import pytest

from tests.pair import Keys, Pair
from wideberth.core import events as ev
from wideberth.core.batch import Send
from wideberth.core.call.views import shared
from wideberth.core.carry.channel import Channel
from wideberth.core.limits import FRAME_BYTES_MAX
from wideberth.core.say.place import Point
from wideberth.core.say.words import Precedence
from wideberth.core.seal import canonical
from wideberth.core.seal import entry as entries
from wideberth.core.seal.entry import Header
from wideberth.core.seal.keys import b64
from wideberth.core.tells import Climbed, FaultSeen, Heard, LineOpened, Said
from wideberth.errors import BadInput, NotFound, StoreFull

BLUE, GREEN = "BLUE/watch-1", "GREEN/watch-1"


def said(pair: Pair, end: str = "BLUE", kind: str = "notice") -> Said:
    return [t for t in pair.ends[end].told if isinstance(t, Said) and t.kind == kind][-1]


def heard(pair: Pair, end: str = "GREEN") -> list[Heard]:
    return [t for t in pair.ends[end].told if isinstance(t, Heard)]


def faults(pair: Pair, end: str = "GREEN") -> list[FaultSeen]:
    return [t for t in pair.ends[end].told if isinstance(t, FaultSeen)]


def blue_writes(pair: Pair, body: bytes, kind: str = "notice", **changes: object) -> tuple[bytes, bytes]:
    """A frame signed by BLUE's real node key for BLUE's next place, with any body: what a dishonest BLUE could send."""
    channel: Channel = pair.blue.node.lines[pair.ch].channel
    header = channel.header(kind, BLUE, pair.now.t_ms, body)
    entry = entries.seal(msgspec.structs.replace(header, **changes), body, pair.blue.keys.node)
    return entry.envelope, entry.body


def deliver(pair: Pair, *frames: tuple[bytes, bytes], to: str = "GREEN", sidecars: tuple[bytes, ...] = ()) -> None:
    sender = "BLUE" if to == "GREEN" else "GREEN"
    pair.ends[to].step(ev.Arrived(pair.ch, sender, frames, sidecars), pair.now)


def give(pair: Pair, **more: object) -> Send:
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms(**more)), pair.now)  # type: ignore[arg-type]
    return pair.blue.out[-1]


def boards_agree(pair: Pair) -> bool:
    views = [
        canonical.encode(shared(e.node.lines[pair.ch].board, ("BLUE", "GREEN"), pair.now.t_ms))
        for e in pair.ends.values()
    ]
    return views[0] == views[1]


def test_a_line_opens_on_both_sides_when_every_member_has_signed() -> None:
    pair = Pair()
    for end in pair.ends.values():
        assert [type(t) for t in end.told].count(LineOpened) == 1
        assert end.node.lines[pair.ch].channel.own.seq == 1


def test_the_acceptor_opens_its_line_when_the_countersigned_agreement_comes_with_the_first_delivery() -> None:
    pair = Pair()
    late = Keys("GREEN")
    from tests.pair import End

    agreement = msgspec.json.decode(pair.agreement)
    half = {**agreement, "signatures": agreement["signatures"][1:]}
    green = End(late, "late")
    cards = (Keys("BLUE").card(), late.card())
    mine_only = canonical.encode(half)
    try:
        green.step(ev.OpenLine(mine_only, cards), pair.now)
    except BadInput:  # whichever signature stands first
        green.step(
            ev.OpenLine(canonical.encode({**agreement, "signatures": agreement["signatures"][:1]}), cards), pair.now
        )
    assert pair.ch in green.node.pending
    with pytest.raises(NotFound, match="waits for the other side"):
        green.step(ev.RaiseAlert(pair.ch, GREEN), pair.now)
    green.step(ev.Arrived(pair.ch, "BLUE", (), (pair.agreement,)), pair.now)
    assert pair.ch in green.node.lines
    green.restart(pair.now)
    assert pair.ch in green.node.lines
    assert not green.node.pending


def test_a_notice_climbs_the_ladder_and_both_sides_tell_the_same_story() -> None:
    pair = Pair()
    give(pair)
    ref = said(pair).ref
    pair.settle()
    volume = pair.terms().volumes[0]
    for command in (
        ev.Acknowledge(pair.ch, GREEN, ref),
        ev.ReadBackAs(pair.ch, GREEN, ref, "36.2N 37.15E", Point.at(36.2, 37.15), volume.start_ms, volume.end_ms),
        ev.CountRelays(pair.ch, GREEN, ref, 2, 3),
    ):
        pair.later(1000)
        pair.green.step(command, pair.now)
    pair.settle()
    steps = [s.step for s in pair.blue.tells(Climbed)]  # type: ignore[attr-defined]
    assert steps == ["ACKNOWLEDGED", "READ_BACK", "RELAYED"]
    assert boards_agree(pair)


def test_a_skipped_rung_is_named() -> None:
    pair = Pair()
    give(pair)
    pair.settle()
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, said(pair).ref), pair.now)
    assert said(pair, "GREEN", "ack").facts["skipped"] == ["SEEN"]


def test_a_notice_one_minute_ahead_is_late_urgent_and_delivered() -> None:
    pair = Pair()
    give(pair, start_ms=60_000)
    assert said(pair).facts["lead_given"] == {"lead_ms": 60_000, "shortfall_ms": 540_000, "late": True}
    pair.later(10_000)
    pair.settle()
    (ring,) = pair.green.rung
    assert isinstance(ring, Heard)
    assert not ring.recorded
    assert ring.facts["lead_given"]["shortfall_ms"] == 540_000
    assert ring.facts["lead_delivered"] == {"lead_ms": 50_000, "shortfall_ms": 550_000, "late": True}
    thread = pair.blue.node.lines[pair.ch].board.find(said(pair).ref)
    assert thread is not None
    assert thread.steps[0].facts["lead_delivered"]["shortfall_ms"] == 550_000


def test_an_acknowledgement_of_version_1_does_not_count_for_a_correction() -> None:
    pair = Pair()
    give(pair)
    ref = said(pair).ref
    pair.settle()
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, ref), pair.now)
    pair.settle()
    pair.blue.step(ev.Revise(pair.ch, BLUE, ref, "correct", pair.terms(lat=36.12)), pair.now)
    assert said(pair, kind="correct").facts["void"] == ["GREEN"]
    pair.settle()
    view = shared(pair.blue.node.lines[pair.ch].board, ("BLUE", "GREEN"), pair.now.t_ms)[0]
    assert view["standing"] == {"GREEN": "DELIVERED"}
    assert [r["step"] for r in view["versions"][0]["ladder"]["GREEN"]][-1] == "ACKNOWLEDGED"
    assert boards_agree(pair)


def test_an_acknowledgement_that_crosses_a_correction_on_the_wire_stays_with_the_old_version() -> None:
    pair = Pair()
    give(pair)
    ref = said(pair).ref
    pair.settle()
    pair.blue.step(ev.Revise(pair.ch, BLUE, ref, "correct", pair.terms(lat=36.12)), pair.now)
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, ref), pair.now)
    pair.settle()
    assert boards_agree(pair)
    thread = pair.blue.node.lines[pair.ch].board.find(ref)
    assert thread is not None
    assert not thread.has(thread.newest.entry, "GREEN", "ACKNOWLEDGED")


def test_a_wrong_read_back_is_a_mismatch_at_both_ends() -> None:
    pair = Pair()
    give(pair, lat=35.53, lng=35.78)
    pair.settle()
    v = pair.terms().volumes[0]
    pair.green.step(
        ev.ReadBackAs(pair.ch, GREEN, said(pair).ref, "35.5 35.8", Point.at(35.5, 35.8), v.start_ms, v.end_ms), pair.now
    )
    pair.settle()
    for end in pair.ends.values():
        (climbed,) = end.tells(Climbed)
        assert isinstance(climbed, Climbed)
        assert climbed.step == "MISMATCH"
        assert climbed.facts["off_mm"] == pytest.approx(3_800_000, rel=0.005)


def test_a_notice_without_a_core_field_is_not_signed_and_alert_is_offered() -> None:
    pair = Pair()
    before = pair.blue.store.head
    with pytest.raises(BadInput, match="ALERT") as caught:
        give(pair, radius_km=0.3)
    assert caught.value.details["field"]
    assert pair.blue.store.head == before
    give(pair)  # and the node goes on


def test_an_alert_needs_no_field_and_covers_the_area_until_a_notice_makes_it_precise() -> None:
    pair = Pair()
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    pair.settle()
    (ring,) = pair.green.rung
    assert isinstance(ring, Heard)
    assert "ALERT" in ring.sentence
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms(), refines=said(pair, kind="alert").ref), pair.now)
    pair.settle()
    board = pair.green.node.lines[pair.ch].board
    lives = {t.kind: t.life(pair.now.t_ms) for t in board}
    assert lives == {"alert": "REFINED", "notice": "PLANNED"}
    assert boards_agree(pair)


def test_an_alert_behind_a_gap_rings_before_the_gap_fills_and_is_linked_once() -> None:
    pair = Pair()
    lost = give(pair)
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    alert = pair.blue.out[-1]
    pair.blue.out.clear()
    pair.arrive(alert, pair.blue)
    (ring,) = pair.green.rung
    assert isinstance(ring, Heard)
    assert (ring.kind, ring.recorded) == ("alert", False)
    assert pair.green.node.lines[pair.ch].channel.strands["BLUE"].seq == 1
    pair.arrive(lost, pair.blue)
    assert pair.green.node.lines[pair.ch].channel.strands["BLUE"].seq == 3
    assert len(pair.green.rung) == 1
    assert [h.kind for h in heard(pair)] == ["notice", "alert"]


def test_after_an_outage_only_what_is_live_and_not_superseded_rings() -> None:
    pair = Pair()
    give(pair, start_ms=60_000, last_ms=60_000)  # over by the time the line is back
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms(), refines=said(pair, kind="alert").ref), pair.now)
    give(pair, start_ms=7_500_000, precedence=Precedence.FLASH)
    pair.blue.out.clear()
    pair.later(7_200_000)
    pair.tick()
    pair.settle()
    rung = [t for t in pair.green.rung if isinstance(t, Heard)]
    assert [(t.kind, t.ref) for t in rung] == [("notice", said(pair).ref)]
    assert len(heard(pair)) == 4


def test_a_poison_entry_is_kept_marked_answered_and_the_strand_goes_on() -> None:
    pair = Pair()
    nonsense = canonical.encode({"body": {"said": ["what", {"is": "this"}]}, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="})
    frame = blue_writes(pair, nonsense)
    pair.blue.node.lines[pair.ch].channel.wrote(entries.read(*frame)[0], urgent=False)
    deliver(pair, frame)
    (fault,) = faults(pair)
    assert (fault.fault, fault.whose) == ("UNREADABLE", "theirs")
    assert pair.green.node.lines[pair.ch].channel.strands["BLUE"].seq == 2
    (remark,) = [r for r in pair.green.store.load() if getattr(r, "type", "") == "remark"]
    assert b"UNREADABLE" in remark.body  # type: ignore[union-attr]
    give(pair)
    pair.settle()
    assert heard(pair)[-1].kind == "notice"
    assert not [r for r in pair.blue.store.load() if getattr(r, "type", "") == "remark" and r.author == "BLUE"]


def test_a_body_that_is_not_even_json_is_kept_and_marked() -> None:
    pair = Pair()
    frame = blue_writes(pair, b'"just a text"')
    deliver(pair, frame)
    assert faults(pair)[0].fault == "UNREADABLE"
    assert pair.green.node.lines[pair.ch].channel.strands["BLUE"].seq == 2


def test_a_statement_signed_by_the_wrong_post_is_kept_but_has_no_effect() -> None:
    pair = Pair()
    from wideberth.core.say.words import Alert

    stranger = Keys("BLUE", ("other",)).post("other")
    statement, sig = entries.state(BLUE, pair.ch, pair.now.t_ms, Alert(1), stranger)
    deliver(pair, blue_writes(pair, entries.pack_body(statement, sig, bytes(16)), kind="alert"))
    assert faults(pair)[0].fault == "NOT_UNDERSTOOD"
    assert not pair.green.rung


def test_a_statement_with_a_forged_signature_has_no_effect_after_a_restart_either() -> None:
    pair = Pair()
    from wideberth.core.say.words import Alert

    statement, sig = entries.state(BLUE, pair.ch, pair.now.t_ms, Alert(1), pair.blue.keys.post("watch-1"))
    assert sig is not None
    forged = msgspec.structs.replace(sig, sig=b64(bytes(64)))
    deliver(pair, blue_writes(pair, entries.pack_body(statement, forged, bytes(16)), kind="alert"))
    assert faults(pair)[0].fault == "NOT_UNDERSTOOD"
    for restarted in (False, True):
        if restarted:
            pair.green.restart(pair.now)
        line = pair.green.node.lines[pair.ch]
        assert not list(line.board)
        line.fold.anew({})
        assert not list(line.board)


def test_a_node_cannot_speak_for_a_person() -> None:
    pair = Pair()
    from wideberth.core.say.words import Alert

    statement, _ = entries.state("BLUE/node", pair.ch, pair.now.t_ms, Alert(1), None)
    deliver(pair, blue_writes(pair, entries.pack_body(statement, None, bytes(16)), kind="alert", by="BLUE/node"))
    assert faults(pair)[0].fault == "NOT_UNDERSTOOD"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"ch": "0" * 64}, "Stranger"),
        ({"sender": "RED"}, "Stranger"),
        ({"sender": "GREEN"}, "Malformed"),
        ({"v": 2}, "Malformed"),
        ({"seq": 0}, "Malformed"),
        ({"prev": "1" * 64}, "OutOfPlace"),
        ({"agr": "xyz"}, "Malformed"),
    ],
)
def test_a_header_that_does_not_belong_is_refused_by_name(change: dict[str, object], fault: str) -> None:
    pair = Pair()
    body = entries.pack_body(b"{}", None, bytes(16))
    deliver(pair, blue_writes(pair, body, **change))
    assert [(f.fault, f.whose) for f in faults(pair)] == [(fault, "theirs")]
    assert pair.green.node.lines[pair.ch].channel.strands["BLUE"].seq == 1


def test_a_changed_signature_a_long_frame_and_garbage_are_refused_by_name() -> None:
    pair = Pair()
    envelope, body = blue_writes(pair, entries.pack_body(b"{}", None, bytes(16)))
    sealed = msgspec.json.decode(envelope)
    sealed["signatures"][0]["sig"] = "A" * 86 + "=="
    deliver(
        pair, (canonical.encode(sealed), body), (b"x" * (FRAME_BYTES_MAX + 1), b""), (b"\xff\x00", body),
        (envelope, body + b" "), (envelope.replace(b":", b": "), body),
    )  # fmt: skip
    assert [f.fault for f in faults(pair)] == ["BadSignature", "Oversized", "Malformed", "Malformed", "Malformed"]
    give(pair)
    pair.settle()
    assert heard(pair)


def test_two_signed_headers_for_one_place_are_kept_as_proof_and_ring() -> None:
    pair = Pair()
    first = blue_writes(pair, entries.pack_body(b"{}", None, bytes(16)))
    second = blue_writes(pair, entries.pack_body(b"{}", None, b"1" * 16))
    deliver(pair, first)
    deliver(pair, second)
    (fault,) = [f for f in faults(pair) if f.fault == "Equivocation"]
    assert fault.whose == "theirs"
    (proof,) = pair.green.store.sidecars(pair.ch, "equivocation")
    both = msgspec.json.decode(proof.envelope, type=dict[str, msgspec.Raw])
    headers = [entries.read(bytes(both[k]), b[1])[0].header for k, b in (("first", first), ("second", second))]
    assert isinstance(headers[0], Header)
    assert (headers[0].epoch, headers[0].seq) == (headers[1].epoch, headers[1].seq)
    deliver(pair, second)
    assert len(pair.green.store.sidecars(pair.ch, "equivocation")) == 1


def test_citing_an_entry_that_we_never_signed_is_kept_but_not_understood() -> None:
    pair = Pair()
    from wideberth.core.say.words import NilReturn, Place

    statement, sig = entries.state(BLUE, pair.ch, 1, NilReturn(5), pair.blue.keys.post("watch-1"))
    epoch = pair.green.node.lines[pair.ch].channel.own.epoch
    lie = {"GREEN": Place(epoch, 1, "1" * 64)}
    deliver(pair, blue_writes(pair, entries.pack_body(statement, sig, bytes(16)), kind="nil", seen=lie))
    assert faults(pair)[0].fault == "NOT_UNDERSTOOD"
    assert "never signed" in faults(pair)[0].sentence


def test_an_entry_under_a_version_of_the_agreement_that_is_not_here_is_kept_and_waits() -> None:
    pair = Pair()
    from wideberth.core.say.words import NilReturn

    statement, sig = entries.state(BLUE, pair.ch, 1, NilReturn(5), pair.blue.keys.post("watch-1"))
    deliver(pair, blue_writes(pair, entries.pack_body(statement, sig, bytes(16)), kind="nil", agr="1" * 64))
    assert [(f.fault, f.whose) for f in faults(pair)] == [("Waits", "world")]
    assert pair.green.node.lines[pair.ch].board.words == []
    assert pair.green.node.lines[pair.ch].channel.strands["BLUE"].seq == 2  # the opening, and this one


def test_duplicates_are_harmless_and_get_the_first_receipt_again() -> None:
    pair = Pair()
    notice = give(pair)
    pair.blue.out.clear()
    pair.arrive(notice, pair.blue)
    (receipt,) = [s for s in pair.green.out if s.to == "BLUE"]
    pair.green.out.clear()
    pair.later(60_000)
    stored = pair.green.store.head
    pair.arrive(notice, pair.blue)
    assert pair.green.store.head == stored
    assert pair.green.out[0].sidecars == receipt.sidecars
    assert len(heard(pair)) == 1


def test_what_is_not_receipted_is_repeated_and_what_is_receipted_is_not() -> None:
    pair = Pair()
    give(pair)
    pair.blue.out.clear()
    pair.later(1000)
    pair.tick()
    assert len(pair.blue.out) == 1
    pair.settle()
    pair.later(600_000)
    pair.tick()
    assert not [s for s in pair.blue.out if s.frames]


def test_a_receipt_for_what_we_never_signed_is_their_fault() -> None:
    pair = Pair()
    give(pair)
    channel = pair.green.node.lines[pair.ch].channel
    from wideberth.core.seal import receipt as receipts

    good, _ = channel.stored_receipt("BLUE", channel.strands["BLUE"].epoch, 5, pair.green.keys.node)
    bad = receipts.seal(msgspec.structs.replace(good, head="1" * 64), pair.green.keys.node)
    foreign = receipts.seal(good, Keys("RED").node)
    deliver(pair, to="BLUE", sidecars=(bad, foreign, b"{}"))
    assert [f.fault for f in faults(pair, "BLUE")] == ["OutOfPlace", "BadSignature", "Malformed"]


def test_everything_comes_back_after_a_restart() -> None:
    pair = Pair()
    give(pair)
    pair.settle()
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, said(pair).ref), pair.now)
    pair.settle()
    before = [
        canonical.encode(shared(e.node.lines[pair.ch].board, ("BLUE", "GREEN"), pair.now.t_ms))
        for e in pair.ends.values()
    ]
    for end in pair.ends.values():
        end.restart(pair.now)
        assert not end.rung
    pair.settle()
    after = [
        canonical.encode(shared(e.node.lines[pair.ch].board, ("BLUE", "GREEN"), pair.now.t_ms))
        for e in pair.ends.values()
    ]
    assert before == after
    give(pair)
    pair.settle()
    assert boards_agree(pair)


def test_after_a_restart_what_is_urgent_and_unanswered_rings_again_and_what_is_answered_does_not() -> None:
    pair = Pair()
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    first = said(pair, kind="alert").ref
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    second = said(pair, kind="alert").ref
    pair.settle()
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, first), pair.now)
    pair.settle()
    pair.green.rung.clear()
    pair.green.restart(pair.now)
    assert [(t.what, t.ref) for t in pair.green.rung] == [("UNACKNOWLEDGED", second)]  # type: ignore[union-attr]
    pair.blue.restart(pair.now)
    assert not pair.blue.rung, "our own ALERT does not ring at home"


def test_a_full_disk_refuses_routine_entries_and_still_takes_urgent_ones() -> None:
    pair = Pair()
    pair.blue.step(ev.DiskState(True, "full"), pair.now)
    with pytest.raises(StoreFull, match="ALERT"):
        give(pair)
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    pair.green.step(ev.DiskState(True, "full"), pair.now)
    pair.settle()
    assert pair.green.rung
    pair.blue.step(ev.DiskState(False), pair.now)
    give(pair)
    pair.settle()
    assert not heard(pair)[-1:] or heard(pair)[-1].kind == "alert"
    pair.green.step(ev.DiskState(False), pair.now)
    pair.later(2000)
    pair.tick()
    pair.settle()
    assert heard(pair)[-1].kind == "notice"


def test_on_a_low_disk_an_alert_is_taken_with_what_it_follows_even_when_it_comes_first() -> None:
    """A delivery has its urgent frames first: the routine entry that the ALERT follows stands behind it."""
    pair = Pair()
    routine = pair.blue.frames(give(pair))
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    alert = pair.blue.frames(pair.blue.out[-1])
    pair.blue.step(ev.GiveNotice(pair.ch, BLUE, pair.terms(lat=35.0)), pair.now)
    after = pair.blue.frames(pair.blue.out[-1])
    pair.green.step(ev.DiskState(True, "nearly full"), pair.now)
    deliver(pair, *alert, *routine, *after)
    assert pair.green.node.lines[pair.ch].channel.strands["BLUE"].seq == 3  # epoch, routine, ALERT; not the last one
