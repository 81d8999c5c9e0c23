# SPDX-License-Identifier: Apache-2.0
"""What goes into an evidence bundle (spec/6): the files, as bytes, out of what one node keeps. Pure: no zip, no disk.

    kept = Kept(ch); kept.take(record) …             everything of one channel
    parts = compose(kept, selection, …)              files without report and manifest, and the manifest's words

Only one party's own copy is needed. The exporter closes every strand with a checkpoint: of its own strand as its
author, of a peer's as a cosigner of what it holds. The shell adds the report and the zip (`wideberth/evidence.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec

from wideberth.core.records import EntryRecord, Record, SidecarRecord
from wideberth.core.seal import canonical, checkpoint, envelope, heads, linecheck, receipt
from wideberth.core.seal import note as notes
from wideberth.core.seal.agreement import Agreement
from wideberth.core.seal.checkpoint import Checkpoint
from wideberth.core.seal.envelope import AGREEMENT, CARD, Envelope
from wideberth.core.seal.heads import Heads
from wideberth.core.seal.keys import Signer, b64, unb64
from wideberth.core.seal.merkle import Tree
from wideberth.core.seal.note import Note
from wideberth.core.seal.party import Card
from wideberth.core.seal.receipt import Receipt
from wideberth.errors import BadInput, Fault, NotFound

MANIFEST: Final = "application/vnd.wideberth.manifest+json"

# One file of a strand; small enough to be read with an editor, and to be checked on another processor.
LINES_PER_FILE: Final = 1_000
# Line checks this long before and after what is shown say what the clocks differed by at that time.
CLOCKS_MS: Final = 3_600_000
_VERSIONS: Final = frozenset({"amend", "correct", "extend", "offnominal", "cancel"})

Selection = dict[str, Any]
StrandName = tuple[str, str]  # author, epoch


class Later(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """A version of something shown that is not shown itself. `sender` is written `from`."""

    sender: str
    epoch: str
    seq: int
    hash: str
    type: str
    ref: str


class Manifest(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """Who exported what, and every file with its SHA-256 and size. Signed by the exporter's node."""

    v: int
    ch: str
    sender: str
    t_ms: int
    selection: Selection
    note: str
    release: str
    scope: str
    later: tuple[Later, ...]
    files: dict[str, tuple[str, int]] = {}

    def listing(self, files: dict[str, bytes]) -> Manifest:
        listed = {name: (canonical.sha256(data), len(data)) for name, data in files.items()}
        return msgspec.structs.replace(self, files=listed)

    def sealed(self, node: Signer) -> bytes:
        """`manifest.json`."""
        return envelope.seal(MANIFEST, canonical.encode(self), node).encoded()


def whole_channel() -> Selection:
    return {"kind": "channel"}


def by_notice(ref: str) -> Selection:
    return {"kind": "notice", "ref": ref}


def by_time(from_ms: int, to_ms: int) -> Selection:
    """What was written (by its author's clock) or stored (by ours) in `[from_ms, to_ms)`."""
    if from_ms >= to_ms:
        raise BadInput("the time range ends before it begins", field="to")
    return {"kind": "time", "from_ms": from_ms, "to_ms": to_ms}


def one_entry(hash_: str) -> Selection:
    return {"kind": "entry", "hash": hash_}


class _Said(msgspec.Struct):
    what: dict[str, Any]


class _Inner(msgspec.Struct):
    said: _Said


class _Outer(msgspec.Struct):
    body: _Inner


class _Loose(msgspec.Struct, rename={"sender": "from"}):
    t_ms: int


_BODY: Final = msgspec.json.Decoder(_Outer)
_HEADER: Final = msgspec.json.Decoder(_Loose)
_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_AGREEMENT: Final = msgspec.json.Decoder(Agreement)
_CARD: Final = msgspec.json.Decoder(Card)
_TEXT: Final = msgspec.json.Decoder(str)
# SHA-256, with parameters NULL or without, and 32 bytes: in a time-stamp token, what was stamped (RFC 3161 §2.4.1).
_IMPRINT: Final = re.compile(
    b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01(?:\x05\x00)?\x04\x20(.{32})", re.DOTALL
)  # fmt: skip


def what_of(record: EntryRecord) -> dict[str, Any]:
    """The words of an entry as JSON data, {} when they cannot be read. To find entries by, never to believe."""
    try:
        return _BODY.decode(record.body).body.said.what
    except (msgspec.DecodeError, ValueError):
        return {}


def _text(what: dict[str, Any], field: str) -> str:
    value = what.get(field, "")
    return value if isinstance(value, str) else ""


class Kept:
    """Everything of one channel that one node keeps."""

    def __init__(self, ch: str) -> None:
        self.ch = ch
        self.agreements: dict[str, bytes] = {}
        self.cards: dict[str, bytes] = {}
        self.certified: dict[str, set[bytes]] = {}  # envelopes of cards by party
        self.strands: dict[StrandName, list[EntryRecord]] = {}
        self.receipts: list[tuple[Receipt, bytes]] = []
        self.linechecks: list[tuple[int, bytes]] = []
        self.equivocations: list[bytes] = []
        self.heads: list[tuple[Heads, bytes]] = []
        self.splits: dict[StrandName, dict[int, bytes]] = {}
        self.stamps: dict[bytes, list[bytes]] = {}  # by message imprint
        self.checkpoints: dict[StrandName, dict[int, bytes]] = {}
        self.mechanism = ""

    def take(self, record: Record) -> None:
        """One record of the store; those of other channels are passed over."""
        if isinstance(record, EntryRecord) and record.ch == self.ch:
            self.strands.setdefault((record.author, record.epoch), []).append(record)
        elif isinstance(record, SidecarRecord) and record.ch == self.ch:
            self._sidecar(record)

    def _sidecar(self, record: SidecarRecord) -> None:
        data = record.envelope
        match record.kind:
            case "agreement":
                agreement = _AGREEMENT.decode(envelope.read(data, AGREEMENT)[1])
                self.agreements[f"agreements/{agreement.version}.json"] = data
                self.mechanism = agreement.mechanism
            case "card":
                payload = envelope.read(data, CARD)[1]
                card = _CARD.decode(payload)
                name = f"cards/{card.party}-{card.version}"
                if self.cards.setdefault(f"{name}.json", data) != data:  # a root signed two of one version
                    self.cards[f"{name}-{canonical.sha256(payload)[:8]}.json"] = data
                self.certified.setdefault(card.party, set()).add(data)
            case "stored" | "shown":
                self.receipts.append((receipt.read(data)[0], data))
            case linecheck.KIND:
                self.linechecks.append((linecheck.read(data)[0].t1_ms, data))
            case "equivocation":
                self.equivocations.append(data)
            case "fence":
                self.heads.append((heads.read(data)[0], data))
            case "split":
                head, _ = checkpoint.read(data)
                self.splits.setdefault((head.author, head.epoch), {}).setdefault(head.size, data)
            case "stamp":
                token = unb64(_TEXT.decode(data), "stamp")
                for imprint in dict.fromkeys(_IMPRINT.findall(token)):
                    self.stamps.setdefault(imprint, []).append(token)
            case checkpoint.KIND:
                head, _ = checkpoint.read(data)
                sizes = self.checkpoints.setdefault((head.author, head.epoch), {})
                with suppress(Fault):  # another root for one size: the equivocation proof says so, the first note stays
                    sizes[head.size] = checkpoint.merge(sizes[head.size], data) if head.size in sizes else data

    def entries(self) -> Iterable[EntryRecord]:
        for name in sorted(self.strands):
            yield from self.strands[name]


class Parts(msgspec.Struct, frozen=True):
    """The files but for report and manifest, and the manifest without its list of files."""

    files: dict[str, bytes]
    manifest: Manifest


def compose(
    kept: Kept, selection: Selection, *, party: str, node: Signer, t_ms: int, scope: str,
    redact: frozenset[str] = frozenset(), release: str = "", note: str = "",
) -> Parts:  # fmt: skip
    """`party` exports, signing with its node key; `redact` are hashes of entries whose bodies are left out.

    Raises: NotFound when the selection is empty or there is no agreement, BadInput.
    """
    if not kept.agreements:
        raise NotFound("this line has no agreement in force, so there is nothing to show", ch=kept.ch)
    for strand in kept.strands.values():
        strand.sort(key=lambda r: r.seq)
    shown = _chosen(kept, selection)
    if not shown:
        raise NotFound("nothing on this line fits that selection", **selection)
    if unknown := sorted(redact - {r.hash for r in kept.entries()}):
        raise NotFound(f"there is no entry {unknown[0]} on this line to redact", hash=unknown[0])
    everything = selection == whole_channel()
    receipts, anchors = _receipts(kept, shown, everything=everything)
    anchors |= _of_split_strands(kept, shown)
    files = {**kept.agreements, **kept.cards}
    about_keys = _about_keys(kept, shown | anchors)
    if redact & about_keys:
        raise BadInput("an entry that changes keys cannot be left out: what follows would not verify", field="redact")
    shown |= about_keys
    for name, strand in sorted(kept.strands.items()):
        here = [r for r in strand if r.hash in shown or r.hash in anchors]
        if here:
            marks = {r.hash: "REDACTED" if r.hash in redact else "" if r.hash in shown else "ANCHOR" for r in here}
            files.update(_strand(kept, name, here, marks, party, node, t_ms))
    sidecars = [
        *receipts, *_clocks(kept, shown, everything=everything), *_heads(kept, shown, everything=everything),
        *kept.equivocations,
    ]  # fmt: skip
    if sidecars:
        files["sidecars.jsonl"] = b"".join(s + b"\n" for s in sidecars)
    later = _later(kept, shown - redact)
    return Parts(files, Manifest(1, kept.ch, party, t_ms, selection, note, release, scope, later))


def _chosen(kept: Kept, selection: Selection) -> frozenset[str]:
    """Hashes of the entries to show."""
    match selection:
        case {"kind": "channel"}:
            return frozenset(r.hash for r in kept.entries())
        case {"kind": "entry", "hash": hash_}:
            return frozenset(r.hash for r in kept.entries() if r.hash == hash_)
        case {"kind": "time", "from_ms": first, "to_ms": last}:
            return frozenset(
                r.hash for r in kept.entries() if first <= r.stored_ms < last or first <= _written_ms(r) < last
            )
        case {"kind": "notice", "ref": ref}:
            words = [(r, what_of(r)) for r in kept.entries()]
            thread = {r.hash for r, what in words if _text(what, "ref") == ref}
            thread |= {_text(what, "refines") for r, what in words if r.hash in thread}
            return frozenset(r.hash for r, what in words if r.hash in thread or _text(what, "of") in thread)
        case _:
            raise BadInput("select by notice, by time, one entry, or the whole channel", field="selection")


def _written_ms(record: EntryRecord) -> int:
    return _HEADER.decode(unb64(_ENVELOPE.decode(record.envelope).payload, "header")).t_ms


def _receipts(kept: Kept, shown: frozenset[str], *, everything: bool) -> tuple[list[bytes], frozenset[str]]:
    """Receipts, and the entries that they cite: their headers anchor a receipt that covers an earlier entry."""
    if everything:
        return [data for _, data in kept.receipts], frozenset()
    by_strand: dict[StrandName, list[tuple[Receipt, bytes]]] = {}
    for r, data in kept.receipts:
        by_strand.setdefault((r.of, r.epoch), []).append((r, data))
    chosen: dict[bytes, None] = {}
    anchors: set[str] = set()
    for name, strand in sorted(kept.strands.items()):
        for record in (e for e in strand if e.hash in shown):
            first: dict[tuple[str, str], tuple[Receipt, bytes]] = {}
            for r, data in by_strand.get(name, ()):
                key = (r.level, r.sender)
                if r.seq >= record.seq and (key not in first or r.t_ms < first[key][0].t_ms):
                    first[key] = (r, data)
            for _, (r, data) in sorted(first.items()):
                chosen[data] = None
                anchors.add(r.head)
    return list(chosen), frozenset(anchors - shown)


def _clocks(kept: Kept, shown: frozenset[str], *, everything: bool) -> list[bytes]:
    if everything:
        return [data for _, data in kept.linechecks]
    times = [_written_ms(r) for r in kept.entries() if r.hash in shown]
    first, last = min(times) - CLOCKS_MS, max(times) + CLOCKS_MS
    return [data for t_ms, data in kept.linechecks if first <= t_ms <= last]


def _heads(kept: Kept, shown: frozenset[str], *, everything: bool) -> list[bytes]:
    """What somebody signed that it holds: where it names an epoch of which something is shown."""
    epochs = {(r.author, r.epoch) for r in kept.entries() if r.hash in shown}
    return [
        data for said, data in kept.heads
        if everything or any((party, p.epoch) in epochs for party, places in said.holds.items() for p in places)
    ]  # fmt: skip


def _about_keys(kept: Kept, here: frozenset[str]) -> frozenset[str]:
    """Of every author whose keys changed, all entries that say which keys hold where: each entry is judged by them."""
    strands = [s for s in kept.strands.values() if any(r.hash in here for r in s)]
    changed = {s[0].author for s in strands if len(kept.certified.get(s[0].author, ())) > 1}
    changed |= {r.author for r in kept.entries() if r.type in ("card", "revoke")} & {s[0].author for s in strands}
    return frozenset(r.hash for r in kept.entries() if r.author in changed and r.type in ("card", "revoke", "epoch"))


def _of_split_strands(kept: Kept, shown: frozenset[str]) -> frozenset[str]:
    """All of a strand whose author signed another tree as well: only all its headers prove that there are two."""
    split = [kept.strands[name] for name in kept.splits if name in kept.strands]
    return frozenset(r.hash for strand in split if any(r.hash in shown for r in strand) for r in strand) - shown


def _later(kept: Kept, shown: frozenset[str]) -> tuple[Later, ...]:
    """Versions of shown notices that are not shown."""
    refs = {_text(what_of(r), "ref") for r in kept.entries() if r.hash in shown} - {""}
    missing = [r for r in kept.entries() if r.type in _VERSIONS and r.hash not in shown]
    return tuple(
        Later(r.author, r.epoch, r.seq, r.hash, r.type, ref)
        for r in missing if (ref := _text(what_of(r), "ref")) in refs
    )  # fmt: skip


def _strand(
    kept: Kept, name: StrandName, here: list[EntryRecord], marks: dict[str, str], party: str, node: Signer, t_ms: int
) -> dict[str, bytes]:  # fmt: skip
    """Lines and checkpoints of one strand."""
    strand = kept.strands[name]
    tree = Tree(bytes.fromhex(r.hash) for r in strand)
    stored = {
        size: data for size, data in sorted(kept.checkpoints.get(name, {}).items())
        if size <= tree.size and checkpoint.read(data)[0].root == tree.root(size)
    }  # fmt: skip
    # A word of somebody else's on the tree is worth more than a larger tree that only we have seen.
    covering = [size for size in stored if size >= here[-1].seq]
    stamps = {size: _stamps_on(kept, data) for size, data in stored.items()}
    covering = [size for size in covering if stamps[size]] or covering
    size = tree.size if len(here) == tree.size else max(covering, default=tree.size)
    head = Checkpoint(kept.ch, *name, size, tree.root(size))
    stored[size] = _closed(head, stored.get(size), party, node, t_ms)
    stored = {n: data for n, data in stored.items() if n == size or (n < size and len(here) == size)}
    author, epoch = name
    files = {f"checkpoints/{author}/{epoch}/{n:010}.txt": data for n, data in stored.items()}
    for n in stored:
        for token in stamps.get(n, ()):
            files[f"stamps/{author}/{epoch}/{n:010}-{canonical.sha256(token)[:16]}.der"] = token
    if len(here) == size:
        for n, data in kept.splits.get(name, {}).items():
            if n <= size and checkpoint.read(data)[0].root != tree.root(n):
                files[f"splits/{author}/{epoch}/{n:010}.txt"] = data
    lines = [
        _line(r, marks[r.hash], tree.inclusion(r.seq - 1, size) if len(here) != size else None) for r in here
    ]  # fmt: skip
    for at in range(0, len(lines), LINES_PER_FILE):
        files[f"strands/{author}/{epoch}/{here[at].seq:08}.jsonl"] = b"".join(lines[at : at + LINES_PER_FILE])
    return files


def _stamps_on(kept: Kept, note: bytes) -> list[bytes]:
    """Tokens over a checkpoint's text: found by its hash, checked by who reads them."""
    return kept.stamps.get(hashlib.sha256(checkpoint.read(note)[1].text.encode()).digest(), [])


def _closed(head: Checkpoint, stored: bytes | None, party: str, node: Signer, t_ms: int) -> bytes:
    signed = checkpoint.read(stored)[1] if stored is not None else Note(head.text(), ())
    if party == head.author:
        return signed.with_line(notes.sign(head.text(), head.origin, node)).encoded()
    return signed.with_line(checkpoint.cosignature(head, party, node, t_ms // 1000)).encoded()


def _line(record: EntryRecord, left_out: str, proof: Sequence[bytes] | None) -> bytes:
    line: dict[str, Any] = {"entry": msgspec.Raw(record.envelope)}
    if left_out:
        line["left_out"] = left_out
    else:
        line["body"] = b64(record.body)
    if proof is not None:
        line["proof"] = [b64(h) for h in proof]
    return canonical.encode(line) + b"\n"


Reporter = Callable[[dict[str, bytes], dict[str, Any]], tuple[str, str]]


def finish(parts: Parts, report: Reporter, node: Signer, extra: dict[str, bytes]) -> dict[str, bytes]:
    """All files: report, `extra` (the verifier itself), and the signed manifest over all of them."""
    page, text = report(parts.files, msgspec.to_builtins(parts.manifest))
    files = {**parts.files, **extra, "report.html": page.encode(), "report.txt": text.encode()}
    return {**files, "manifest.json": parts.manifest.listing(files).sealed(node)}
