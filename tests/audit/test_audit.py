# SPDX-License-Identifier: Apache-2.0
"""The audit believes nothing: what was changed, dropped, moved or forged in a record is named by its entry."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from tests.core.test_line import BLUE, GREEN, give, said
from tests.core.test_restore import backup, put_back, settle
from tests.pair import Keys, Pair
from wideberth.audit import Report, audit, last_cosigned
from wideberth.core import events as ev
from wideberth.core.records import EntryRecord, Record, SidecarRecord
from wideberth.core.seal import canonical
from wideberth.core.seal import entry as entries

ROOT = Keys("BLUE").root.public


def lived() -> Pair:
    """Notices, answers, a restore with an orphan, line checks and cosigned checkpoints."""
    pair = Pair()
    give(pair)
    pair.settle()
    old = backup(pair.blue)
    give(pair, lat=35.5)
    pair.settle()
    pair.green.step(ev.Acknowledge(pair.ch, GREEN, said(pair).ref), pair.now)
    pair.settle()
    put_back(pair, "BLUE", old)
    pair.blue.out.clear()
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    settle(pair)
    for end in pair.ends.values():
        end.step(ev.CheckLines(), pair.now)
        end.step(ev.SignCheckpoints(), pair.now)
    settle(pair)
    give(pair)
    settle(pair)
    return pair


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(lived().blue.store.load())


def look(records: list[Record]) -> Report:
    return audit(records, party="BLUE", root=ROOT)


def nth(records: list[Record], n: int, author: str = "BLUE") -> tuple[int, EntryRecord]:
    found = [(i, r) for i, r in enumerate(records) if isinstance(r, EntryRecord) and r.author == author]
    return found[n]


def sidecar(records: list[Record], kind: str, n: int = 0) -> tuple[int, SidecarRecord]:
    return [(i, r) for i, r in enumerate(records) if isinstance(r, SidecarRecord) and r.kind == kind][n]


def changed(records: list[Record], n: int, **fields: object) -> list[Record]:
    return [*records[:n], msgspec.structs.replace(records[n], **fields), *records[n + 1 :]]  # type: ignore[type-var]


def test_both_records_of_a_line_with_a_restore_an_orphan_and_checkpoints_are_sound() -> None:
    pair = lived()
    for name, end in pair.ends.items():
        report = audit(end.store.load(), party=name, root=Keys(name).root.public)
        assert report.wrong == ()
        assert report.entries == sum(isinstance(r, EntryRecord) for r in end.store.load())
        own = [c for c in report.cosigned if c.author == name]
        assert all(len(c.by) == 1 for c in own)
        assert own


def test_the_order_of_work_does_not_change_what_is_found(records: list[Record]) -> None:
    n, record = nth(records, 2)
    bad = changed(records, n, body=record.body.replace(b"salt", b"sal1"))
    with ThreadPoolExecutor(3) as pool:
        assert audit(bad, spread=pool.map) == audit(bad)


def test_a_record_of_another_party_is_named(records: list[Record]) -> None:
    assert look(records).wrong == ()
    report = audit(records, party="BLUE", root=Keys("OTHER").root.public)
    assert "does not name BLUE" in report.wrong[0].says


def test_one_changed_byte_anywhere_in_what_is_signed_is_named_by_its_record(records: list[Record]) -> None:
    chance = random.Random(7)
    signed = [(n, r) for n, r in enumerate(records) if isinstance(r, EntryRecord | SidecarRecord)]
    for _ in range(250):
        n, record = chance.choice(signed)
        field = chance.choice(["envelope", "body"] if isinstance(record, EntryRecord) else ["envelope"])
        data = bytearray(getattr(record, field))
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
        report = look(changed(records, n, **{field: bytes(data)}))
        assert report.wrong, (record, field)
        if isinstance(record, EntryRecord):
            where = f"{record.author}, epoch {record.epoch[:8]}, entry {record.seq}"
            assert any(where in f.where for f in report.wrong)


def test_a_dropped_entry_is_named_and_so_is_what_was_about_it(records: list[Record]) -> None:
    n, record = nth(records, 1)
    report = look([*records[:n], *records[n + 1 :]])
    assert any("before it are missing" in f.says and f"entry {record.seq + 1}" in f.where for f in report.wrong)


def test_a_tail_that_was_cut_off_shows_by_its_receipt_and_checkpoint(records: list[Record]) -> None:
    epoch = nth(records, -1)[1].epoch
    kept = [r for r in records if not (isinstance(r, EntryRecord) and r.author == "BLUE" and r.epoch == epoch)]
    says = [f.says for f in look(kept).wrong]
    assert any("which is not here" in s for s in says)
    assert any("only 0 are here" in s for s in says)


def test_two_entries_in_each_others_place_are_named(records: list[Record]) -> None:
    last = nth(records, -1)[1]
    (a, first), (b, second) = [
        (n, r) for n, r in enumerate(records)
        if isinstance(r, EntryRecord) and (r.author, r.epoch) == (last.author, last.epoch)
    ][-2:]  # fmt: skip
    swapped = list(records)
    swapped[a], swapped[b] = second, first
    assert any("out of order" in f.says for f in look(swapped).wrong)


def forge(record: EntryRecord, change: Callable[[entries.Header], entries.Header], key: str) -> EntryRecord:
    entry, _, _ = entries.read(record.envelope, record.body)
    header = change(entry.header)
    made = entries.seal(header, record.body, Keys(key).node)
    return msgspec.structs.replace(record, envelope=made.envelope, hash=made.hash, seq=header.seq, prev=header.prev)


def test_an_entry_signed_by_somebody_else_or_out_of_the_chain_is_named(records: list[Record]) -> None:
    n, record = nth(records, 2)
    stranger = forge(record, lambda h: msgspec.structs.replace(h, t_ms=h.t_ms + 1), "OTHER")
    report = look([*records[:n], stranger, *records[n + 1 :]])
    assert any("not signed by key" in f.says for f in report.wrong)
    unchained = forge(record, lambda h: msgspec.structs.replace(h, prev="5" * 64), "BLUE")
    report = look([*records[:n], unchained, *records[n + 1 :]])
    assert any("does not follow" in f.says and f"entry {record.seq}" in f.where for f in report.wrong)


def test_a_record_rewritten_with_the_own_key_meets_the_peers_receipts_and_cosignatures(records: list[Record]) -> None:
    """Our own node could sign another past. The peer's signatures in our own record tell on it."""
    n, record = nth(records, 1)
    other = forge(record, lambda h: msgspec.structs.replace(h, t_ms=h.t_ms + 60_000), "BLUE")
    chain, prev = list(records), other.hash
    chain[n] = other
    for i, r in enumerate(chain):
        if i > n and isinstance(r, EntryRecord) and (r.author, r.epoch) == (record.author, record.epoch):
            chain[i] = forge(r, lambda h, p=prev: msgspec.structs.replace(h, prev=p), "BLUE")  # type: ignore[misc]
            prev = chain[i].hash  # type: ignore[union-attr]
    says = {f.says for f in look(chain).wrong}
    assert "its root is not that of the entries here" in says
    assert any("which is not here" in s for s in says)
    assert not any("does not follow" in s for s in says)


def test_a_proof_of_equivocation_is_shown_and_a_false_one_is_named(records: list[Record]) -> None:
    _, record = nth(records, 1, "GREEN")
    other = forge(record, lambda h: msgspec.structs.replace(h, t_ms=h.t_ms + 1), "GREEN")

    def kept(first: bytes, second: bytes) -> list[Record]:
        proof = canonical.encode({"first": msgspec.Raw(first), "second": msgspec.Raw(second)})
        key = canonical.sha256(proof)
        return [*records, SidecarRecord(record.ch, "equivocation", "GREEN", key, proof, 0)]

    report = look(kept(record.envelope, other.envelope))
    assert report.wrong == ()
    assert any("GREEN signed two different entries for place 2" in f.says for f in report.notes)
    assert any("proves none" in f.says for f in look(kept(record.envelope, record.envelope)).wrong)


def test_from_the_last_cosigned_checkpoint_only_what_came_after_is_verified(records: list[Record]) -> None:
    sidecars = [r for r in records if isinstance(r, SidecarRecord)]
    anchors = last_cosigned(sidecars)
    report = audit(records, anchors=anchors)
    assert report.wrong == ()
    assert 0 < report.trusted < report.entries
    n, record = nth(records, 1)
    other = forge(record, lambda h: msgspec.structs.replace(h, t_ms=h.t_ms + 1), "BLUE")
    report = audit([*records[:n], other, *records[n + 1 :]], anchors=anchors)
    assert any("not borne out" in f.says for f in report.wrong), "the root still binds what it covers"
    n, record = nth(records, -1)
    report = audit(changed(records, n, envelope=record.envelope.replace(b'"sig":"', b'"sig":"A', 1)), anchors=anchors)
    assert report.wrong, "what came after is verified"


def test_a_forged_cosignature_is_no_place_to_start_from(records: list[Record]) -> None:
    cards = [r for r in records if isinstance(r, SidecarRecord) and r.kind == "card"]
    notes = [r for r in records if isinstance(r, SidecarRecord) and r.kind == "checkpoint" and r.author == "BLUE"]
    assert last_cosigned([*cards, *notes])
    forged = []
    for each in notes:
        lines = each.envelope.decode().splitlines(keepends=True)
        cut = [line if "GREEN" not in line else line[:-8] + "AAAAA==\n" for line in lines]
        forged.append(msgspec.structs.replace(each, envelope="".join(cut).encode()))
    assert last_cosigned([*cards, *forged]) == {}


def test_a_flood_of_findings_is_counted_not_kept(records: list[Record]) -> None:
    """A record without its cards: nothing in it can be verified."""
    many = [r for r in records if isinstance(r, EntryRecord)] * 200
    report = audit(many)
    assert len(report.wrong) == 1_000
    assert report.more > 0
