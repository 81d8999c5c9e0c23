# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/5 and spec/6: bundles of the first notice, good and malformed, each with its expected end.

`python tests/spec/evidence_vectors.py` writes `spec/vectors/evidence/*.zip` with `expected.json`, and
`spec/vectors/checkpoint.json`; the tests compare both with what the code makes, and both verifiers with what is
expected.
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

from first_notice import SPEC, at, build, signer
from tamper import lines, resealed, strand_file, with_lines

from wideberth import evidence
from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.core.seal import bundle, checkpoint, linecheck
from wideberth.core.seal import entry as entries
from wideberth.core.seal.checkpoint import Checkpoint, EntryProof
from wideberth.core.seal.linecheck import LineAsk
from wideberth.core.seal.merkle import Tree
from wideberth.verifier import verify

FOLDER = SPEC / "vectors" / "evidence"
CHECKPOINTS = SPEC / "vectors" / "checkpoint.json"


def kept() -> bundle.Kept:
    """What BLUE keeps of the first notice, with a line check and a checkpoint that GREEN cosigned."""
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
    beside(checkpoint.KIND, note_of(out, "BLUE", 2, "GREEN"))
    return out


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


def payload_of(envelope: bytes) -> str:
    return base64.b64decode(json.loads(envelope)["payload"]).decode()


if __name__ == "__main__":
    rewrite()
