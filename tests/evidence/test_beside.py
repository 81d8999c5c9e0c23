# SPDX-License-Identifier: Apache-2.0
"""What stands beside the entries in a bundle: time stamps, what a peer answered to a restore, and split views."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import msgspec
import pytest
from dertoken import token
from evidenceworld import Day
from tamper import NODE, brief, renamed, resealed, second_verdicts, stamp_name

sys.path.append(str(Path(__file__).resolve().parents[1] / "stamps"))
from tsaworld import OPENSSL, Authority, openssl

from wideberth import evidence
from wideberth.core.records import SidecarRecord
from wideberth.core.seal import bundle, canonical, checkpoint
from wideberth.core.seal.checkpoint import Checkpoint
from wideberth.core.seal.keys import b64
from wideberth.core.seal.merkle import Tree
from wideberth.stamps import Question, read_roots
from wideberth.verifier import verify

needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed: the verifier in JavaScript cannot run")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed: there is no TSA")


@pytest.fixture(scope="module")
def torn() -> Day:
    """GREEN signed a checkpoint over three entries of which BLUE got another version."""
    made = Day(seed="torn")
    made.split()
    return made


def report(data: bytes) -> str:
    return verify.unpack(data)["report.txt"].decode()


# --- split views ---


def test_a_checkpoint_over_other_entries_than_were_sent_is_shown_with_its_proof(torn: Day) -> None:
    data = torn.bundle()
    found = verify.judged(data)
    assert (found["verdict"], found["marks"]) == ("integrity only", ["SPLIT VIEW of GREEN at root 3"])
    tree = Tree(bytes.fromhex(p.hash) for p in torn.places("GREEN"))
    other = Tree([bytes(32)] * 3).root()
    assert f"SPLIT VIEW: GREEN signed {tree.root(3).hex()} and {other.hex()} for root 3" in report(data)


def test_a_selection_from_a_torn_strand_brings_all_its_headers_and_no_more_bodies(torn: Day) -> None:
    one = torn.entries("GREEN")[1]
    data = torn.bundle(bundle.one_entry(one.hash))
    found = verify.judged(data)
    assert (found["verdict"], found["marks"]) == ("integrity only", ["SPLIT VIEW of GREEN at root 3"])
    strand = b"".join(d for f, d in verify.unpack(data).items() if f.startswith("strands/GREEN/"))
    assert strand.count(b"\n") == len(torn.entries("GREEN"))
    assert strand.count(b'"body":') == 1
    assert verify.judged(torn.bundle(bundle.one_entry(torn.notice.hash)))["marks"] == [], "nothing of GREEN's is shown"


def test_a_split_view_by_another_than_the_author_or_beyond_the_strand_proves_nothing(torn: Day) -> None:
    files = verify.unpack(torn.bundle())
    (name,) = [f for f in files if f.startswith("splits/")]
    green, blue = torn.pair.green.keys.node, torn.pair.blue.keys.node
    epoch = torn.entries("GREEN")[0].epoch

    def bent(head: Checkpoint, note: bytes) -> tuple[str, str]:
        file = f"splits/GREEN/{epoch}/{head.size:010}.txt"
        found = verify.judged(resealed(renamed(files, name, file, note), blue))
        return found["verdict"], found["file"].replace(file, "it")

    for size, root in ((3, bytes(32)), (99, bytes(32))):
        head = Checkpoint(torn.ch, "GREEN", epoch, size, root)
        by_blue = checkpoint.witness(head, "BLUE", blue, 1)
        assert bent(head, by_blue) == ("refused", "it")
    beyond = Checkpoint(torn.ch, "GREEN", epoch, 99, bytes(32))
    assert bent(beyond, checkpoint.seal(beyond, green)) == ("refused", "it")
    honest = Checkpoint(torn.ch, "GREEN", epoch, 3, Tree(bytes.fromhex(p.hash) for p in torn.places("GREEN")).root(3))
    assert bent(honest, checkpoint.seal(honest, green)) == ("refused", "it")


# --- what was held when somebody asked ---


def test_an_answer_to_a_restore_is_shown_and_a_head_that_differs_is_said(day: Day) -> None:
    text = report(day.bundle())
    blue = day.places("BLUE")[-1]
    assert f"by its clock: it holds BLUE/{blue.epoch} up to {blue.seq}\n" in text
    assert "ANOTHER entry" not in text
    other = Day(seed="differs")
    real = other.places
    other.places = lambda party: [msgspec.structs.replace(p, hash="5" * 64) for p in real(party)]  # type: ignore[method-assign]
    other.fence()
    data = other.bundle()
    assert verify.judged(data)["verdict"] == "integrity only"
    assert f"up to {blue.seq}, but ANOTHER entry than the one here: {'5' * 64}" in report(data)


# --- time stamps ---


def test_stamps_stand_by_their_checkpoints_and_the_report_says_what_was_not_checked(day: Day) -> None:
    for selection, count in ((bundle.whole_channel(), 2), (bundle.one_entry(day.notice.hash), 1)):
        data = day.bundle(selection)
        stamps = [f for f in verify.unpack(data) if f.startswith("stamps/BLUE/")]
        assert len(stamps) == count
        for stamp in stamps:
            assert f"{stamp}: a time stamp on this. NOT checked here: by whom and when" in report(data)


def test_a_stamp_on_the_closing_checkpoint_is_worth_more_than_a_larger_tree() -> None:
    plain = Day(seed="stamped")
    kept = plain.kept()
    first = plain.entries("BLUE")[0]
    with_all = evidence.make(kept, party="BLUE", node=plain.pair.blue.keys.node, t_ms=1,
                             selection=bundle.one_entry(first.hash), with_verifier=False)  # fmt: skip
    assert [f[-20 - 11 : -21] for f in verify.unpack(with_all) if f.startswith("stamps/")] == ["0000000002"]
    one = Tree([bytes.fromhex(first.hash)])
    text = Checkpoint(plain.ch, "BLUE", first.epoch, 1, one.root()).text()
    imprint = hashlib.sha256(text.encode()).digest()
    kept.stamps = {imprint: kept.stamps[imprint]}
    only_first = evidence.make(kept, party="BLUE", node=plain.pair.blue.keys.node, t_ms=1,
                               selection=bundle.one_entry(first.hash), with_verifier=False)  # fmt: skip
    (closing,) = [f for f in verify.unpack(only_first) if f.startswith("checkpoints/BLUE")]
    assert closing.endswith("/0000000001.txt")


@needs_openssl
def test_a_stamp_of_a_real_authority_is_checked_whole_under_its_root(tmp_path: Path) -> None:
    real = Day(seed="real stamps")
    kept = real.kept()
    kept.stamps.clear()
    authority = Authority(tmp_path / "tsa")
    stranger = Authority(tmp_path / "other", "Another TSA")
    head, signed = checkpoint.read(max(kept.checkpoints["BLUE", real.notice.epoch].items())[1])
    answer = authority.answer(Question(signed.text).der)
    stamped = answer[answer.index(b"\x30\x03\x02\x01\x00") + 5 :]  # RFC 3161 §2.4.2: status "granted", then the token
    envelope = msgspec.json.encode(b64(stamped))
    kept.take(SidecarRecord(real.ch, "stamp", "BLUE", canonical.sha256(envelope), envelope, 1))
    data = evidence.make(kept, party="BLUE", node=real.pair.blue.keys.node, t_ms=real.pair.now.t_ms,
                         selection=bundle.whole_channel(), with_verifier=False)  # fmt: skip
    assert verify.judged(data)["verdict"] == "integrity only"
    name = stamp_name(f"checkpoints/BLUE/{real.notice.epoch}/{head.size:010}.txt", stamped)
    (found,) = evidence.stamps(data, read_roots([("root", authority.root.read_bytes())]))
    assert (found["stamp"], found["by"]) == (name, "CN=Coast TSA")
    (refused,) = evidence.stamps(data, read_roots([("root", stranger.root.read_bytes())]))
    assert (refused["stamp"], "does not verify" in refused["why"]) == (name, True)
    files = verify.unpack(data)
    (tmp_path / "token.der").write_bytes(files[name])
    (tmp_path / "checkpoint.txt").write_bytes(files[f"checkpoints/{name[7:-21]}.txt"].rpartition(b"\n\n")[0] + b"\n")
    said = openssl("ts", "-verify", "-token_in", "-in", tmp_path / "token.der", "-data", tmp_path / "checkpoint.txt",
                   "-CAfile", authority.root)  # fmt: skip
    assert b"OK" in said


@needs_node
def test_both_verifiers_say_the_same_of_what_stands_beside(torn: Day, day: Day, tmp_path: Path) -> None:
    files = verify.unpack(torn.bundle())
    on = next(f for f in sorted(files) if f.startswith("checkpoints/BLUE"))
    without = token(checkpoint.read(files[on])[1].text, "20310101000000Z", null=False)
    bundles = [
        torn.bundle(), torn.bundle(party="GREEN"), torn.bundle(bundle.one_entry(torn.entries("GREEN")[1].hash)),
        day.bundle(bundle.one_entry(day.notice.hash)),
        resealed({**files, stamp_name(on, without): without}, torn.pair.blue.keys.node),
    ]  # fmt: skip
    for data, theirs in zip(bundles, second_verdicts(tmp_path, bundles), strict=True):
        assert brief(verify.judged(data)) == brief(theirs), theirs
