# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/5 and spec/6: bundles of the first notice, good and malformed, each with its expected end.

`python tests/spec/evidence_vectors.py` writes `spec/vectors/evidence/*.zip` with `expected.json`,
`spec/vectors/checkpoint.json`, and the report in `spec/6-evidence.md`; the tests compare all of it with what the code
makes, and both verifiers with what is expected.
"""

# ruff: noqa: E402
from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "evidence")]

import msgspec
from dertoken import token
from first_notice import SPEC, at, build, card, signer
from tamper import lines, renamed, resealed, sidecar_line, stamp_name, strand_file, with_lines, with_sidecar

from wideberth import evidence
from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.core.say.standing import CardChanged, KeyRevoked
from wideberth.core.say.words import NilReturn, Word
from wideberth.core.seal import bundle, canonical, checkpoint, linecheck
from wideberth.core.seal import entry as entries
from wideberth.core.seal.checkpoint import Checkpoint, EntryProof
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.core.seal.linecheck import LineAsk
from wideberth.core.seal.merkle import Tree
from wideberth.core.seal.party import Post, sign_card
from wideberth.verifier import verify

FOLDER = SPEC / "vectors" / "evidence"
CHECKPOINTS = SPEC / "vectors" / "checkpoint.json"
PAGE, REPORT_BEGINS = SPEC / "6-evidence.md", "Evidence of what passed on CAPE-LINE"


def kept() -> bundle.Kept:
    """What BLUE keeps of the first notice, with a line check, a checkpoint that GREEN cosigned and somebody stamped,
    and what GREEN answered when BLUE's record had been put back."""
    told = build()
    ch = told["agreement"]["ch"]
    out = bundle.Kept(ch)

    def beside(kind: str, data: bytes) -> None:
        out.take(SidecarRecord(ch, kind, "", hashlib.sha256(data).hexdigest(), data, 0))

    beside("agreement", told["agreement"]["envelope"].encode())
    for party in ("BLUE", "GREEN"):
        beside("card", told["cards"][party]["envelope"].encode())
        for shown in told["strands"][party]:
            entry, _, _ = entries.read(shown["envelope"].encode(), shown["body"].encode())
            h = entry.header
            out.take(EntryRecord(ch, party, h.epoch, h.seq, entry.hash, h.prev, h.type, entry.envelope, entry.body,
                                 h.t_ms))  # fmt: skip
    beside("stored", told["receipt"]["envelope"].encode())
    t = at("09:10:30")
    heads = {p: entries_of(out, p)[-1] for p in ("BLUE", "GREEN")}
    places = {p: entries.Place(r.epoch, r.seq, r.hash) for p, r in heads.items()}
    ask = LineAsk(1, ch, "BLUE", "GREEN", "0c" * 16, t, places)
    answer = linecheck.answer_to(ask, t + 90_020, t + 90_025, places)
    for message, party in ((ask, "BLUE"), (answer, "GREEN"), (linecheck.close_of(answer, t + 44), "BLUE")):
        beside(linecheck.KIND, linecheck.seal(message, signer(party, "node")))
    note = note_of(out, "BLUE", 2, "GREEN")
    beside(checkpoint.KIND, note)
    beside("stamp", json.dumps(base64.b64encode(token(checkpoint.read(note)[1].text)).decode()).encode())
    beside("fence", told["restore"]["answer"]["envelope"].encode())
    return out


def split_note(held: bundle.Kept) -> bytes:
    """GREEN signed another tree for its first two entries."""
    head = Checkpoint(held.ch, "GREEN", entries_of(held, "GREEN")[0].epoch, 2, Tree([bytes(32)] * 2).root())
    return checkpoint.seal(head, signer("GREEN", "node"))


def make_torn() -> bytes:
    held = kept()
    note = split_note(held)
    held.take(SidecarRecord(held.ch, "split", "GREEN", hashlib.sha256(note).hexdigest(), note, 0))
    return evidence.make(held, party="BLUE", node=signer("BLUE", "node"), t_ms=at("12:00:00"),
                         selection=bundle.whole_channel(), with_verifier=False)  # fmt: skip


def changed() -> bundle.Kept:
    """BLUE certifies a second node key and a second key for its watch, speaks, takes that key out of use; and then it
    is used once more."""
    held = kept()
    first = card("BLUE")
    posts = {**first.posts, "watch-1": Post(second("watch-1").public, False)}
    envelope = sign_card(
        msgspec.structs.replace(first, version=2, node=second("node").public, posts=posts), signer("BLUE", "root")
    ).encoded()
    held.take(SidecarRecord(held.ch, "card", "", hashlib.sha256(envelope).hexdigest(), envelope, 0))
    revoked = KeyRevoked("watch-1", second("watch-1").public, "taken")
    write(held, "node", CardChanged(envelope.decode()), None, signer("BLUE", "node"))
    write(held, "watch-1", NilReturn(at("18:00:00")), second("watch-1"), second("node"))
    write(held, "supervisor", revoked, signer("BLUE", "supervisor"), second("node"))
    write(held, "watch-1", NilReturn(at("20:00:00")), second("watch-1"), second("node"))
    return held


def second(which: str) -> Ed25519Signer:
    """BLUE's second key of that name: seeds 0x15 and 0x16, 32 times."""
    return Ed25519Signer(bytes([{"node": 0x15, "watch-1": 0x16}[which]]) * 32)


def write(held: bundle.Kept, post: str, what: Word, key: Ed25519Signer | None, node: Ed25519Signer) -> EntryRecord:
    """BLUE's next entry, into what is kept."""
    strand = entries_of(held, "BLUE")
    n, last = len(strand) + 1, strand[-1]
    said, sig = entries.state(f"BLUE/{post}", held.ch, at(f"12:00:0{n}"), what, key)
    body = entries.pack_body(said, sig, bytes([0x10 + n]) * 16)
    before = json.loads(payload_of(last.envelope))
    green = entries_of(held, "GREEN")[-1]
    header = entries.Header(
        v=1, type=entries.kind_of(what), ch=held.ch, agr=before["agr"], sender="BLUE", by=f"BLUE/{post}",
        epoch=last.epoch, seq=n, prev=last.hash, seen={"GREEN": entries.Place(green.epoch, green.seq, green.hash)},
        t_ms=at(f"12:00:0{n}"), body_sha256=hashlib.sha256(body).hexdigest(),
    )  # fmt: skip
    entry = entries.seal(header, body, node)
    record = EntryRecord(held.ch, "BLUE", last.epoch, n, entry.hash, last.hash, header.type, entry.envelope, entry.body,
                         header.t_ms)  # fmt: skip
    held.take(record)
    return record


def make_changed(held: bundle.Kept) -> bytes:
    return evidence.make(held, party="GREEN", node=signer("GREEN", "node"), t_ms=at("12:30:00"),
                         selection=bundle.whole_channel(), with_verifier=False)  # fmt: skip


def make_by_old_node() -> bytes:
    """After the card BLUE's first node key signs on, and GREEN closes the strand over that."""
    held = changed()
    files = verify.unpack(make_changed(held))
    strand = entries_of(held, "BLUE")
    del strand[3:]
    late = write(held, "supervisor", NilReturn(at("18:00:00")), signer("BLUE", "supervisor"), signer("BLUE", "node"))
    tree = Tree(bytes.fromhex(r.hash) for r in entries_of(held, "BLUE"))
    head = Checkpoint(held.ch, "BLUE", late.epoch, tree.size, tree.root(tree.size))
    line = canonical.encode({"body": base64.b64encode(late.body).decode(), "entry": json.loads(late.envelope)}) + b"\n"
    files = {name: data for name, data in files.items() if not name.startswith("checkpoints/BLUE/")}
    files[f"checkpoints/BLUE/{late.epoch}/{tree.size:010}.txt"] = checkpoint.witness(
        head, "GREEN", signer("GREEN", "node"), 1_936_516_260
    )
    return resealed(with_lines(files, "BLUE", [*lines(files, "BLUE")[:3], line]), signer("GREEN", "node"))


def entries_of(held: bundle.Kept, party: str) -> list[EntryRecord]:
    return next(strand for (author, _), strand in held.strands.items() if author == party)


def note_of(held: bundle.Kept, party: str, size: int, peer: str) -> bytes:
    strand = entries_of(held, party)
    root = Tree(bytes.fromhex(r.hash) for r in strand).root(size)
    head = Checkpoint(held.ch, party, strand[0].epoch, size, root)
    return checkpoint.cosign(checkpoint.seal(head, signer(party, "node")), peer, signer(peer, "node"), 1_936_516_260)


def make(selection: bundle.Selection, **more: Any) -> bytes:
    return evidence.make(kept(), party="BLUE", node=signer("BLUE", "node"), t_ms=at("12:00:00"), selection=selection,
                         with_verifier=False, **more)  # fmt: skip


def bundles() -> dict[str, tuple[bytes, list[str], str, str]]:
    """Name: the zip, fingerprints to trust, the verdict, the file that is named (with its line)."""
    whole, notice = make(bundle.whole_channel()), entries_of(kept(), "BLUE")[1]
    files, node = verify.unpack(whole), signer("BLUE", "node")
    name, theirs, ours = strand_file(files, "GREEN"), lines(files, "GREEN"), lines(files, "BLUE")
    green = verify.sha256(signer("GREEN", "root").public.encode())
    stray = verify.sha256(signer("GREEN", "node").public.encode())
    flipped, late = bytearray(whole), bytearray(whole)
    flipped[whole.index(b'{"body":"') + 40] ^= 1
    late[11] ^= 1  # the date of the first file
    note = next(f for f in files if f.startswith("checkpoints/BLUE"))
    stamp = next(f for f in files if f.startswith("stamps/"))
    other, torn = token("another text\n"), make_torn()
    split = next(f for f in verify.unpack(torn) if f.startswith("splits/"))
    fence = sidecar_line(files, "heads")
    heads = json.loads(files["sidecars.jsonl"].splitlines()[fence])
    heads["signatures"][0]["sig"] = heads["signatures"][0]["sig"][:-6] + "AAAA=="
    good, bad = "integrity only", "refused"
    return {
        "good-channel": (whole, [], good, ""),
        "good-trusted": (whole, [green], "trusted", ""),
        "good-one-entry": (make(bundle.one_entry(notice.hash)), [], good, ""),
        "good-redacted": (make(bundle.whole_channel(), redact=frozenset([notice.hash])), [], good, ""),
        "bad-trust": (whole, [stray], bad, "agreements/1.json"),
        "bad-bit": (bytes(flipped), [], bad, strand_file(files, "BLUE")),
        "bad-zip-date": (bytes(late), [], bad, "manifest.json"),
        "bad-cut": (whole[:-30], [], bad, "zip"),
        "bad-dropped": (resealed(with_lines(files, "GREEN", theirs[1:]), node), [], bad, name),
        "bad-twice": (resealed(with_lines(files, "GREEN", [theirs[0], *theirs]), node), [], bad, f"{name}, line 2"),
        "bad-swapped": (resealed(with_lines(files, "GREEN", [theirs[0], ours[1]]), node), [], bad, f"{name}, line 2"),
        "bad-checkpoint": (resealed({**files, note: files[note][:-8] + b"AAAAAA=\n"}, node), [], bad, note),
        "good-split-view": (torn, [], good, ""),
        "good-keys-changed": (make_changed(changed()), [], good, ""),
        "bad-node-key": (make_by_old_node(), [], bad, f"{strand_file(files, 'BLUE')}, line 4"),
        "bad-stamp": (
            resealed(renamed(files, stamp, stamp_name(note, other), other), node),
            [],
            bad,
            stamp_name(note, other),
        ),
        "bad-split-view": (
            resealed({**files, split: next(d for f, d in files.items() if f.startswith("checkpoints/GREEN"))}, node),
            [],
            bad,
            split,
        ),
        "bad-heads": (
            resealed(
                with_sidecar(files, fence, json.dumps(heads, sort_keys=True, separators=(",", ":")).encode()), node
            ),
            [],
            bad,
            f"sidecars.jsonl, line {fence + 1}",
        ),
        "bad-report": (resealed({**files, "report.txt": b"all is well\n"}, node), [], bad, "report.txt"),
        "bad-stray-file": (resealed({**files, "more.txt": b""}, node), [], bad, "more.txt"),
        "bad-unlisted": (verify.pack({**files, "verify.py": b""}), [], bad, "verify.py"),
        "bad-signer": (resealed(files, signer("GREEN", "node")), [], bad, "manifest.json"),
    }


def checkpoints() -> dict[str, Any]:
    """Notes that read, notes that do not, a proof, and signatures that verifiers are known to disagree about."""
    from test_ed25519 import corpus, sodium

    held = kept()
    note = note_of(held, "BLUE", 2, "GREEN")
    text = note.decode()
    strand = entries_of(held, "BLUE")
    tree = Tree(bytes.fromhex(r.hash) for r in strand)
    edits = {
        "leading zero": ("\n2\n", "\n02\n"), "plus sign": ("\n2\n", "\n+2\n"), "empty tree": ("\n2\n", "\n0\n"),
        "extension line": ("\n\n\u2014", "\nmore\n\n\u2014"), "hyphen": ("\u2014 GREEN", "- GREEN"),
        "two spaces": ("\u2014 GREEN ", "\u2014  GREEN "), "unpadded": ("=\n\n", "\n\n"), "no end": ("=\n", "="),
        "carriage return": ("\n2\n", "\r\n2\r\n"), "small letters": ("/BLUE/", "/blue/"),
    }  # fmt: skip
    bent = {name: text.replace(*edit) if name == "no end" else text.replace(*edit, 1) for name, edit in edits.items()}
    return {
        "keys": {p: signer(p, "node").public for p in ("BLUE", "GREEN")},
        "note": text,
        "malformed": bent,
        "leaves": [r.hash for r in strand],
        "roots": [tree.root(n + 1).hex() for n in range(tree.size)],
        "proof": EntryProof(1, tree.inclusion(1), note).encoded().decode(),
        "ed25519": [
            {"name": name, "key": key.hex(), "message": message.hex(), "sig": sig.hex(),
             "verifies": sodium(key, message, sig)}
            for name, key, message, sig in corpus()
        ],
    }  # fmt: skip


def expected(made: dict[str, tuple[bytes, list[str], str, str]]) -> dict[str, Any]:
    return {
        name: {"trust": trust, "verdict": verdict, "file": file} for name, (_, trust, verdict, file) in made.items()
    }


def encoded(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def rewrite() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.zip"):
        old.unlink()
    made = bundles()
    for name, (data, *_) in made.items():
        (FOLDER / f"{name}.zip").write_bytes(data)
    (FOLDER / "expected.json").write_text(encoded(expected(made)), encoding="utf-8")
    CHECKPOINTS.write_text(encoded(checkpoints()), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    start = page.index(REPORT_BEGINS)
    report = verify.unpack(made["good-channel"][0])["report.txt"].decode()
    PAGE.write_text(page[:start] + report + page[page.index("```", start) :], encoding="utf-8")


def payload_of(envelope: bytes) -> str:
    return base64.b64decode(json.loads(envelope)["payload"]).decode()


if __name__ == "__main__":
    rewrite()
