# SPDX-License-Identifier: Apache-2.0
"""The audit judges each entry by the keys in force at its place, as every node does (docs/decisions/0008)."""

from __future__ import annotations

import msgspec

from tests.core.test_keys import SUPERVISOR, change, lose_node_key, nil, placed, show
from tests.core.test_restore import settle
from tests.pair import Keys, Pair
from wideberth.audit import Report, audit, last_cosigned
from wideberth.core import events as ev
from wideberth.core.records import EntryRecord, Record, SidecarRecord
from wideberth.core.say.words import NilReturn

ROOT = Keys("BLUE").root.public


def look(records: list[Record], **more: object) -> Report:
    return audit(records, party="BLUE", root=ROOT, **more)  # type: ignore[arg-type]


def beside(pair: Pair) -> None:
    for _ in range(2):
        for end in pair.ends.values():
            end.step(ev.CheckLines(), pair.now)
            end.step(ev.SignCheckpoints(), pair.now)
        pair.settle()


def lived() -> Pair:
    """Each key of BLUE changes, a post is revoked, and the node key is lost; GREEN's changes as well."""
    pair = Pair()
    nil(pair)
    pair.settle()
    beside(pair)
    change(pair, "node", "watch-1")
    nil(pair)
    pair.settle()
    beside(pair)
    pair.green.step(ev.ChangeCard("GREEN/supervisor", pair.green.keys.renewed("node", "supervisor")), pair.now)
    pair.settle()
    pair.blue.step(ev.RevokeKey(SUPERVISOR, "watch-1"), pair.now)
    nil(pair, SUPERVISOR)
    pair.settle()
    lose_node_key(pair)
    settle(pair)
    nil(pair, SUPERVISOR)
    pair.settle()
    beside(pair)
    settle(pair)
    return pair


def test_keys_of_all_kinds_may_change_and_both_records_are_whole() -> None:
    pair = lived()
    for name, end in pair.ends.items():
        records = list(end.store.load())
        report = audit(records, party=name)
        assert not report.wrong
        assert not report.notes
        cosigned = [r for r in records if isinstance(r, SidecarRecord) and r.kind in ("card", "checkpoint")]
        again = audit(records, party=name, anchors=last_cosigned(cosigned))
        assert not again.wrong
        assert again.trusted > 0


def test_a_statement_under_a_revoked_key_is_a_note_and_a_header_under_a_replaced_one_is_wrong() -> None:
    pair = Pair()
    stolen, old = pair.blue.keys.post("watch-1"), pair.blue.keys.node
    nil(pair)
    pair.blue.step(ev.RevokeKey(SUPERVISOR, "watch-1"), pair.now)
    change(pair, "node", "supervisor")
    pair.settle()
    show(pair, placed(pair, "BLUE/watch-1", NilReturn(7), stolen))
    records = list(pair.green.store.load())
    report = audit(records, party="GREEN")
    assert not report.wrong
    assert ["revoked at entry 3" in note.says for note in report.notes] == [True]
    # The same place, had GREEN's node taken a header under the old key.
    forged = placed(pair, "BLUE/watch-1", NilReturn(7), stolen, node=old)
    last = next(r for r in reversed(records) if isinstance(r, EntryRecord) and r.author == "BLUE")
    records[records.index(last)] = msgspec.structs.replace(last, envelope=forged.envelope, hash=forged.hash)
    assert any("not signed by key" in finding.says for finding in audit(records, party="GREEN").wrong)


def test_a_record_without_the_entry_that_changed_the_keys_does_not_pass() -> None:
    pair = Pair()
    nil(pair)
    change(pair, "node", "watch-1")
    nil(pair)
    pair.settle()
    records = [r for r in pair.blue.store.load() if not (isinstance(r, EntryRecord) and r.type == "card")]
    assert look(records).wrong
