# SPDX-License-Identifier: Apache-2.0
"""What a bundle shows and what it leaves out: by notice, by time, one entry, redacted; forks; the record on disk."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import msgspec
import pytest
from evidenceworld import Day
from tamper import lines

from wideberth import evidence
from wideberth.core.say.words import SCOPE
from wideberth.core.seal import bundle, canonical, checkpoint, receipt
from wideberth.core.seal.checkpoint import Checkpoint, EntryProof
from wideberth.core.seal.entry import Header
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
from wideberth.core.seal.merkle import Tree
from wideberth.errors import BadInput, NotFound
from wideberth.store.memory import MemoryStore
from wideberth.store.sqlite import SqliteStore
from wideberth.verifier import verify


def report(data: bytes) -> str:
    return verify.unpack(data)["report.txt"].decode()


def test_either_side_alone_can_show_the_whole_channel(day: Day) -> None:
    for party in ("BLUE", "GREEN"):
        found = verify.judged(day.bundle(party=party))
        assert (found["verdict"], found["exported_by"], found["entries"]) == ("integrity only", party, 7)
        assert (found["later"], found["marks"]) == ([], [])


def test_the_report_says_what_was_said_when_by_both_clocks_and_by_whom(day: Day) -> None:
    text = report(day.bundle(release="Not for release beyond GREEN", note="for the inquiry"))
    for part in (SCOPE, "This records receipt only.", "Not for release beyond GREEN", "for the inquiry",
                 "exported by BLUE", "BLUE 2: notice by BLUE/watch-1", "GREEN 2: ack by GREEN/watch-1",
                 "stored by GREEN, 2030-03-17 17:47:00.700Z by its clock",
                 "terms.volumes.1.shape.centre: 36.200000000 36.150000000", "1524.000 m AMSL",
                 "the clock of GREEN is ahead by 89980 to 90021 ms"):  # fmt: skip
        assert part in text, part
    assert "NOT signed by GREEN" in text  # BLUE's newest checkpoint has no cosignature of GREEN
    assert text.index("BLUE 2: notice") < text.index("GREEN 2: ack") < text.index("BLUE 3: correct")


def test_the_page_has_a_map_and_needs_nothing_from_elsewhere(day: Day) -> None:
    page = verify.unpack(day.bundle())["report.html"].decode()
    assert page.count("<svg") == 2
    assert "<circle" in page
    assert "<polygon" in page
    assert "<polyline" in page
    assert "two &lt;engines&gt; &amp; é" in page
    for word in ("http", "src=", "href", "url(", "<script", "@import"):
        assert word not in page


def test_one_map_is_drawn_alike_at_the_poles_over_the_antimeridian_and_from_nonsense() -> None:
    def drawn(*shapes: object) -> str:
        return verify.sketch({"terms": {"volumes": [{"shape": shape} for shape in shapes]}})

    far = {"kind": "corridor", "route": [[0, 179_900_000_000], [0, -179_900_000_000]], "half_width_mm": 1000}
    assert 'points="0,0 22224,0"' in drawn(far)
    pole = {"kind": "circle", "centre": [90 * 10**9, 0], "radius_mm": 5_000_000}
    assert drawn(pole).startswith('<svg viewBox="-5000 -5000 10000 10000">')
    for wrong in ({}, {"kind": "circle"}, {"kind": "circle", "centre": [1.5, 2], "radius_mm": 3}, "circle", None,
                  {"kind": "polygon", "corners": []},
                  {"kind": "circle", "centre": [1, True], "radius_mm": 3}):  # fmt: skip
        assert drawn(wrong) == ""
    assert verify.sketch(None) == verify.sketch({"terms": 1}) == verify.sketch({"terms": {"volumes": []}}) == ""


def test_a_bundle_is_a_zip_that_any_tool_opens_and_the_same_whenever_it_is_made(day: Day) -> None:
    data = day.bundle()
    assert data == day.bundle()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names == ["manifest.json", *sorted(names[1:])]
        assert all(i.date_time == (1980, 1, 1, 0, 0, 0) and i.compress_type == 0 for i in archive.infolist())
    assert verify.pack(verify.unpack(data)) == data


def test_by_notice_shows_the_thread_and_by_time_lists_what_came_later(day: Day) -> None:
    thread = day.bundle(bundle.by_notice(day.ref))
    text = report(thread)
    for kind in ("notice", "ack", "readback", "correct"):
        assert f": {kind} by" in text
    early = day.bundle(bundle.by_time(0, day.notice.stored_ms + 1))
    (later,) = verify.judged(early)["later"]
    assert (later["type"], later["ref"], later["from"], later["seq"]) == ("correct", day.ref, "BLUE", 3)
    assert "LATER, and left out here: BLUE 3, correct" in report(early)


def test_one_entry_is_shown_without_the_rest_and_its_receipt_holds(day: Day) -> None:
    data = day.bundle(bundle.one_entry(day.notice.hash))
    found = verify.judged(data)
    assert (found["verdict"], len(found["later"])) == ("integrity only", 1)
    text = report(data)
    assert "stored by GREEN" in text
    assert "1 of " in text
    assert "ack" not in text.replace("acknowledgement", "").replace("back", "")


def test_a_redacted_body_leaves_its_header_and_everything_still_verifies(day: Day) -> None:
    data = day.bundle(redact=frozenset([day.notice.hash]))
    found = verify.judged(data)
    assert found["verdict"] == "integrity only"
    assert [m.partition(": ")[2] for m in found["marks"]] == ["REDACTED"]
    text = report(data)
    assert "its body: REDACTED" in text
    assert b"terms" not in b"".join(lines(verify.unpack(data), "BLUE")[1:2])
    shown = day.bundle()
    assert len(shown) > len(data)
    with pytest.raises(NotFound):
        day.bundle(redact=frozenset(["00" * 32]))


def test_an_empty_selection_and_a_time_that_runs_backward_are_said() -> None:
    quiet = Day(seed="quiet")
    for selection in (bundle.by_notice("NON-0000-A"), bundle.by_time(0, 1), bundle.one_entry("00" * 32)):
        with pytest.raises(NotFound):
            quiet.bundle(selection)
    with pytest.raises(BadInput):
        bundle.by_time(5, 5)
    with pytest.raises(NotFound):
        evidence.make(evidence.collect([], "ab" * 32), party="BLUE", node=quiet.pair.blue.keys.node, t_ms=1,
                      selection=bundle.whole_channel())  # fmt: skip


def test_an_entry_that_says_nothing_we_understand_is_shown_as_such_and_refuses_nothing(day: Day) -> None:
    other = Day(seed="poison")
    green = other.pair.green
    channel = green.node.lines[other.ch].channel
    from wideberth.core import events as ev
    from wideberth.core.batch import Send
    from wideberth.core.effects import entry_record
    from wideberth.core.seal import entry as entries

    body = b"\xff\x00 not what you think"
    header = channel.header("notice", "GREEN/watch-1", other.pair.now.t_ms, body)
    poison = entries.seal(header, body, green.keys.node)
    channel.wrote(poison, urgent=False)
    green.store.append([entry_record(poison, 1)], green.store.head)
    other.pair.arrive(Send("BLUE", other.ch, (poison.hash,), ()), green)
    assert isinstance(ev.Tick(), ev.Tick)
    other.pair.settle()
    found = verify.judged(other.bundle())
    assert found["verdict"] == "integrity only"
    assert [m.partition(": ")[2] for m in found["marks"]] == ["NOT UNDERSTOOD"]


def test_a_proof_of_equivocation_in_the_record_is_shown(day: Day) -> None:
    other = Day(seed="two faces")
    blue = other.pair.blue
    first = other.notice
    header = msgspec.json.decode(_payload(first.envelope), type=Header)
    from wideberth.core.records import SidecarRecord
    from wideberth.core.seal import entry as entries

    second = entries.seal(msgspec.structs.replace(header, t_ms=header.t_ms + 1), first.body, blue.keys.node)
    proof = canonical.encode({"first": msgspec.Raw(first.envelope), "second": msgspec.Raw(second.envelope)})
    other.keep(SidecarRecord(other.ch, "equivocation", "BLUE", canonical.sha256(proof), proof, 1))
    data = other.bundle(party="GREEN")
    assert verify.judged(data)["marks"] == ["EQUIVOCATION of BLUE at entry 2"]
    assert f"EQUIVOCATION: BLUE signed {first.hash} and {second.hash} for entry 2" in report(data)


def _payload(envelope: bytes) -> bytes:
    import base64

    return base64.b64decode(json.loads(envelope)["payload"])


def test_two_exports_of_one_strand_in_two_versions_are_a_fork(day: Day) -> None:
    same, forked = Day(seed="x"), Day(seed="y")
    assert evidence.forks([same.bundle(), same.bundle(party="GREEN")]) == []
    # The same keys in the same channel wrote two histories; their epochs differ, so only equal places count.
    assert evidence.forks([same.bundle(), forked.bundle()]) == []
    twin = _twin(same)
    assert evidence.forks([same.bundle(), twin]) == [
        f"GREEN signed two different entries for place 4 of epoch {same.entries('GREEN')[3].epoch}"
    ]


def test_two_bundles_that_share_no_entry_are_a_fork_when_their_checkpoints_cannot_both_hold() -> None:
    day = Day(seed="z")
    first, second = (bundle.one_entry(p.hash) for p in day.places("GREEN")[:2])
    kept = day.kept("GREEN")
    kept.checkpoints.clear()
    honest = evidence.make(kept, party="GREEN", node=day.pair.green.keys.node, t_ms=day.pair.now.t_ms, selection=first,
                           with_verifier=False)  # fmt: skip
    places = [set(verify.verify(data)["places"]) for data in (honest, _twin(day, second))]
    assert not places[0] & places[1]
    assert evidence.forks([honest, honest]) == []
    assert evidence.forks([honest, _twin(day, second)]) == [
        f"GREEN signed two different checkpoints of size 4 of epoch {day.entries('GREEN')[0].epoch}"
    ]


def _twin(day: Day, selection: bundle.Selection | None = None) -> bytes:
    """What GREEN showed to another: the last entry of its strand says something else."""
    from wideberth.core.effects import entry_record
    from wideberth.core.seal import entry as entries

    green, kept = day.pair.green, day.kept("GREEN")
    last = day.entries("GREEN")[-1]
    header = msgspec.json.decode(_payload(last.envelope), type=Header)
    other = entries.seal(msgspec.structs.replace(header, t_ms=header.t_ms + 1), last.body, green.keys.node)
    kept.strands[("GREEN", last.epoch)][-1] = entry_record(other, last.stored_ms)
    kept.receipts = [(r, d) for r, d in kept.receipts if r.of != "GREEN"]
    kept.checkpoints.clear()
    return evidence.make(kept, party="GREEN", node=green.keys.node, t_ms=day.pair.now.t_ms,
                         selection=selection or bundle.whole_channel(), with_verifier=False)  # fmt: skip


def test_a_record_on_disk_is_read_while_it_is_in_use(day: Day, tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    store = SqliteStore(path)
    try:
        store.append(list(day.pair.blue.store.load()), store.head)
        assert evidence.channels(path) == [day.ch]
        kept = evidence.read_record(path, day.ch)
        data = evidence.make(kept, party="BLUE", node=day.pair.blue.keys.node, t_ms=day.pair.now.t_ms,
                             selection=bundle.whole_channel(), with_verifier=False)  # fmt: skip
        assert data == day.bundle()
    finally:
        store.close()
    with pytest.raises(NotFound):
        evidence.read_record(tmp_path / "none.db", day.ch)


def test_a_proof_of_one_entry_out_of_100_000_is_under_2_kb_with_its_header(day: Day) -> None:
    tree = Tree(hashlib.sha256(b"%d" % n).digest() for n in range(99_999))
    tree.append(bytes.fromhex(day.notice.hash))
    header = _payload(day.notice.envelope)
    node, peer = day.pair.blue.keys.node, day.pair.green.keys.node
    head = Checkpoint(day.ch, "BLUE", day.notice.epoch, 100_000, tree.root())
    note = checkpoint.cosign(checkpoint.seal(head, node), "GREEN", peer, 1_900_000_000)
    proof = EntryProof(99_999, tree.inclusion(99_999), note).encoded()
    deepest = EntryProof(5, tree.inclusion(5), note).encoded()
    assert len(deepest) < 1_500
    assert len(deepest) + len(header) < 2_048
    # Offline, with two keys and nothing else:
    verifier = Ed25519Verifier()
    read = checkpoint.read_proof(proof)
    found = checkpoint.check_proof(read, canonical.sha256(header))
    _, signed = checkpoint.read(read.note)
    checkpoint.check_author(found, signed, [node.public], verifier)
    assert checkpoint.check_cosigner(found, signed, "GREEN", [peer.public], verifier).t_s == 1_900_000_000


def test_a_cosigned_checkpoint_that_covers_the_selection_closes_it(day: Day) -> None:
    files = verify.unpack(day.bundle(bundle.one_entry(day.notice.hash)))
    (name,) = [f for f in files if f.startswith("checkpoints/BLUE")]
    head, signed = checkpoint.read(files[name])
    assert head.size == 2
    keys = {"GREEN": [day.pair.green.keys.node.public]}
    assert [c.party for c in checkpoint.cosigners(head, signed, keys, Ed25519Verifier())] == ["GREEN"]


def test_without_any_checkpoint_of_the_peer_the_exporter_closes_and_the_report_says_so() -> None:
    plain = Day(seed="plain")
    kept = plain.kept()
    kept.checkpoints.clear()
    data = evidence.make(kept, party="BLUE", node=plain.pair.blue.keys.node, t_ms=plain.pair.now.t_ms,
                         selection=bundle.by_notice(plain.ref), with_verifier=False)  # fmt: skip
    assert verify.judged(data)["verdict"] == "integrity only"
    assert report(data).count("NOT signed by GREEN") == 2


def test_a_store_in_memory_is_a_record_too(day: Day) -> None:
    store = MemoryStore()
    store.append(list(day.pair.green.store.load()), store.head)
    kept = evidence.collect(store.load(), day.ch)
    assert kept.mechanism == "Coast"
    assert {r.level for r, _ in kept.receipts} == {"stored"}
    assert receipt.read(kept.receipts[0][1])[0] == kept.receipts[0][0]
    stranger = Ed25519Signer(b"\x09" * 32)
    with pytest.raises(Exception, match="does not verify"):
        evidence.make(kept, party="GREEN", node=stranger, t_ms=1, selection=bundle.whole_channel())
