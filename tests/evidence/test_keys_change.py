# SPDX-License-Identifier: Apache-2.0
"""Evidence where keys changed: both verifiers judge each entry by the keys in force at its place (spec/1, spec/6)."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path

import pytest
from tamper import NODE, brief, resealed, second_verdicts, strand_file
from tests.audit.test_audit_keys import lived
from tests.core.test_keys import BLUE, SUPERVISOR, change, nil, placed, show
from tests.pair import Pair

from wideberth import evidence
from wideberth.core import events as ev
from wideberth.core.records import EntryRecord
from wideberth.core.say.words import NilReturn
from wideberth.core.seal import bundle, canonical, checkpoint
from wideberth.core.seal.checkpoint import Checkpoint
from wideberth.core.seal.keys import b64
from wideberth.core.seal.merkle import Tree
from wideberth.errors import BadInput
from wideberth.verifier import verify


def made(pair: Pair, party: str = "GREEN", selection: bundle.Selection | None = None, **more: object) -> bytes:
    end = pair.ends[party]
    kept = evidence.collect(end.store.load(), pair.ch)
    options = {"with_verifier": False, **more}
    return evidence.make(kept, party=party, node=end.keys.node, t_ms=pair.now.t_ms,
                         selection=selection or bundle.whole_channel(), **options)  # type: ignore[arg-type] # fmt: skip


def both(data: bytes) -> dict[str, object]:
    """The verdict, the same of both verifiers."""
    ours = verify.judged(data)
    if NODE:
        with tempfile.TemporaryDirectory() as folder:
            (theirs,) = second_verdicts(Path(folder), [data])
        assert brief(theirs) == brief(ours)
        assert theirs.get("marks") == ours.get("marks")
    return ours


def rewritten(files: dict[str, bytes], pair: Pair) -> bytes:
    """A dishonest exporter that writes the reports anew."""
    rest = {name: data for name, data in files.items() if name not in ("manifest.json", *verify.REPORTS)}
    manifest = json.loads(base64.b64decode(json.loads(files["manifest.json"])["payload"]))
    reports = dict(zip(verify.REPORTS, verify.examine(rest, manifest)["reports"], strict=True))
    reported = {name: text.encode() for name, text in reports.items()}
    return resealed({**rest, **reported, "manifest.json": files["manifest.json"]}, pair.green.keys.node)


def entries(pair: Pair, kind: str) -> list[EntryRecord]:
    return [r for r in pair.green.store.load() if isinstance(r, EntryRecord) and r.author == "BLUE" and r.type == kind]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return lived()


@pytest.mark.parametrize("party", ["BLUE", "GREEN"])
def test_a_whole_life_of_changed_revoked_and_lost_keys_verifies(pair: Pair, party: str) -> None:
    data = made(pair, party)
    found = both(data)
    assert found["verdict"] == "integrity only", found
    assert found["marks"] == []
    cards = {name for name in verify.unpack(data) if name.startswith("cards/")}
    assert cards == {
        f"cards/{p}-{v}.json" for p, v in (("BLUE", 1), ("BLUE", 2), ("BLUE", 3), ("GREEN", 1), ("GREEN", 2))
    }


def test_one_entry_comes_with_all_that_says_which_keys_hold_there(pair: Pair) -> None:
    for word in entries(pair, "nil"):
        data = made(pair, selection=bundle.one_entry(word.hash))
        found = both(data)
        assert found["verdict"] == "integrity only", found
        assert found["marks"] == []
        assert found["entries"] < 12  # type: ignore[operator]
    with pytest.raises(BadInput, match="changes keys"):
        made(pair, redact=frozenset([entries(pair, "revoke")[0].hash]))


def test_what_a_thief_signs_is_marked_by_both() -> None:
    pair = Pair()
    stolen = pair.blue.keys.post("watch-1")
    nil(pair)
    pair.blue.step(ev.RevokeKey(SUPERVISOR, "watch-1", "taken"), pair.now)
    pair.settle()
    show(pair, placed(pair, BLUE, NilReturn(9), stolen))
    found = both(made(pair))
    assert found["verdict"] == "integrity only"
    (mark,) = found["marks"]  # type: ignore[misc]
    assert mark.endswith("line 4: NOT UNDERSTOOD: signed with a key that was revoked at entry 3")


def test_words_about_keys_that_have_no_effect_have_none_here_either() -> None:
    from wideberth.core.say.standing import CardChanged, KeyRevoked

    pair = Pair()
    keys = pair.blue.keys
    watch, supervisor = keys.post("watch-1"), keys.post("supervisor")
    assert watch is not None
    assert supervisor is not None
    said = [
        (BLUE, KeyRevoked("supervisor", supervisor.public), watch),
        (SUPERVISOR, KeyRevoked("watch-1", supervisor.public), supervisor),
        (SUPERVISOR, KeyRevoked("nobody", watch.public), supervisor),
        ("BLUE/node", CardChanged(keys.card().decode()), None),
        ("BLUE/node", CardChanged("no card"), None),
        (BLUE, NilReturn(5), watch),
    ]
    for by, what, post in said:
        strand = pair.green.node.lines[pair.ch].channel.strands["BLUE"]
        show(pair, placed(pair, by, what, post, seq=strand.seq + 1, prev=strand.head))
    found = both(made(pair))
    assert found["verdict"] == "integrity only"
    assert [m.partition(": ")[2][:14] for m in found["marks"]] == ["NOT UNDERSTOOD"] * 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("old", [True, False], ids=["replaced", "not yet certified"])
def test_a_header_under_a_node_key_that_does_not_hold_there_is_refused(old: bool) -> None:
    pair = Pair()
    first, post = pair.blue.keys.node, pair.blue.keys.post("supervisor")
    own = pair.blue.node.lines[pair.ch].channel.own
    change(pair, "node")
    pair.settle()
    files = verify.unpack(made(pair))
    name = strand_file(files, "BLUE")
    rows = files[name].splitlines(keepends=True)
    # After the card by the first key, or in its place by the second one.
    seq = 3 if old else 2
    node = first if old else pair.blue.keys.node
    forged = placed(pair, SUPERVISOR, NilReturn(9), post, node, seq=seq, prev=own.hash_at(own.epoch, seq - 1))
    line = canonical.encode({"body": b64(forged.body), "entry": json.loads(forged.envelope)}) + b"\n"
    wanted = [*rows[: seq - 1], line]
    found = both(resealed({**files, name: b"".join(wanted), **closed(pair, files, wanted)}, pair.green.keys.node))
    assert (found["verdict"], found["file"]) == ("refused", f"{name}, line {seq}")
    assert "node key" in str(found["why"])


def closed(pair: Pair, files: dict[str, bytes], rows: list[bytes]) -> dict[str, bytes]:
    """The closing checkpoint of GREEN over whatever stands in BLUE's strand; other ones are gone."""
    hashes = [verify.sha256(base64.b64decode(json.loads(row)["entry"]["payload"])) for row in rows]
    tree = Tree(bytes.fromhex(h) for h in hashes)
    epoch = pair.blue.node.lines[pair.ch].channel.own.epoch
    for name in [n for n in files if n.startswith("checkpoints/BLUE/")]:
        del files[name]
    head = Checkpoint(pair.ch, "BLUE", epoch, len(rows), tree.root(len(rows)))
    note = checkpoint.witness(head, "GREEN", pair.green.keys.node, 1)
    return {f"checkpoints/BLUE/{epoch}/{len(rows):010}.txt": note}


def test_an_entry_that_changes_keys_cannot_be_left_out_by_hand() -> None:
    pair = Pair()
    change(pair, "watch-1")
    nil(pair)
    pair.settle()
    files = verify.unpack(made(pair))
    name = strand_file(files, "BLUE")
    rows = files[name].splitlines(keepends=True)
    card = json.loads(rows[1])
    del card["body"]
    bent = {**files, name: b"".join([rows[0], canonical.encode({**card, "left_out": "REDACTED"}) + b"\n", rows[2]])}
    found = both(resealed(bent, pair.green.keys.node))
    assert (found["verdict"], found["file"]) == ("refused", f"{name}, line 2")
    # Without the card itself what changed by it has no effect, and it shows.
    marks = both(rewritten({n: d for n, d in files.items() if n != "cards/BLUE-2.json"}, pair))["marks"]
    assert marks == [f"{name}, line 2: NOT UNDERSTOOD, or its card is not here", f"{name}, line 3: NOT UNDERSTOOD"]
