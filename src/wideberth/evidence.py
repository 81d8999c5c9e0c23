# SPDX-License-Identifier: Apache-2.0
"""Evidence bundles out of a node's store, and the verdict on a bundle (domain.md I4, I6 to I8).

    data = make(read_record(home.record_path, ch), party="BLUE", node=signer, t_ms=now, selection=by_notice(ref))
    verdict(data, trust=["twelve words …"])["verdict"]

The report in a bundle is what the standalone verifier writes, and every bundle is verified by it before it is given
out: one spelling of each rule. Reading works while the node runs, in another process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wideberth.core.call.choosing import Choice
from wideberth.core.records import EntryRecord, Record
from wideberth.core.say.protect import STANDING
from wideberth.core.say.release import sentence
from wideberth.core.say.words import SCOPE, NoticeVersion
from wideberth.core.seal import checkpoint, envelope
from wideberth.core.seal import entry as entries
from wideberth.core.seal.agreement import Agreement, agreement_hash, channel_id, parse_agreement
from wideberth.core.seal.bundle import Kept, Selection, compose, finish
from wideberth.core.seal.envelope import AGREEMENT
from wideberth.core.seal.keys import Signer
from wideberth.errors import BadInput, Malformed, Misuse, NotFound, Worlds
from wideberth.fingerprint import is_code, same_words
from wideberth.stamps import check_token
from wideberth.store.reader import Reader
from wideberth.verifier import verify

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

# Longer than any channel of some years, and far below what a zip without extensions can name (4 GiB).
BUNDLE_BYTES_MAX: Final = 2**32 - 1


# Kinds of entries that may be a humanitarian notice.
_VERSIONS: Final = frozenset({"notice", "amend", "correct", "extend", "offnominal"})


def collect(records: Iterable[Record], ch: str) -> Kept:
    """Everything of one channel, out of `store.load()` or a part of it."""
    kept = Kept(ch)
    for record in records:
        kept.take(record)
    return kept


def read_record(path: Path, ch: str) -> Kept:
    """Everything of one channel, out of a node's record on disk, which may be in use. Raises NotFound, StoreBroken."""
    with _opened(path) as reader:
        return collect(reader.channel(ch), ch)


def channels(path: Path) -> list[str]:
    """Ids of the channels in a record on disk that have an agreement in force. Raises NotFound, StoreBroken."""
    with _opened(path) as reader:
        return reader.channels()


def choice_of(kept: Kept) -> Choice:
    """The line of a record, as `core/call/choosing.py` chooses among them. Raises NotFound."""
    agreements = _agreements(kept)
    for agreement in agreements:
        for line in agreement.lines:
            if channel_id(agreements[0], line) == kept.ch:
                return Choice(kept.ch, kept.mechanism, agreement_hash(agreements[0]), line.purpose, line.members)
    raise NotFound("this line has no agreement in force, so there is nothing to show", ch=kept.ch)


def release_of(kept: Kept) -> str:
    """The sentence how far a copy of a line's record may travel (domain.md J2), as its newest agreement has it."""
    return sentence(_agreements(kept)[-1].rules.onward, choice_of(kept).members)


def _agreements(kept: Kept) -> list[Agreement]:
    """Every version that is kept, the founding one first."""
    read = [parse_agreement(envelope.read(data, AGREEMENT)[1]) for data in kept.agreements.values()]
    return sorted(read, key=lambda agreement: agreement.version)


def _opened(path: Path) -> Reader:
    if not path.exists():
        raise NotFound(f"there is no record {path}; is this a node's folder?", path=str(path))
    return Reader(path)


def make(
    kept: Kept, *, party: str, node: Signer, t_ms: int, selection: Selection, redact: frozenset[str] = frozenset(),
    release: str = "", note: str = "", with_verifier: bool = True, tell: verify.Tell | None = None,
) -> bytes:  # fmt: skip
    """A bundle, verified. `release` is the onward-disclosure caveat that every copy shows (domain.md J2); `tell` hears
    how many entries were checked, of how many.

    Raises: NotFound, BadInput.
    """
    parts = compose(
        kept, selection, party=party, node=node, t_ms=t_ms, scope=_scope(kept), redact=redact, release=release,
        note=note,
    )  # fmt: skip
    extra = {"verify.py": Path(verify.__file__).read_bytes()} if with_verifier else {}
    try:
        files = finish(parts, lambda files, manifest: _report(files, manifest, tell), node, extra)
    except verify.Bad as bad:
        file, why = bad.args
        raise Misuse(f"what this node keeps does not verify: {file}: {why}. Run `wideberth doctor`") from None
    data = verify.pack(files)
    if len(data) > BUNDLE_BYTES_MAX:
        raise BadInput("this is too much for one bundle; select a time range", field="selection")
    return data


def _scope(kept: Kept) -> str:
    """The scope statement; on a line that has humanitarian notices their standing text with it (domain.md K5)."""
    found = (record for strand in kept.strands.values() for record in strand if record.type in _VERSIONS)
    return f"{SCOPE} {STANDING}" if any(map(_stands, found)) else SCOPE


def _stands(record: EntryRecord) -> bool:
    said = entries.reopen(entries.reread(record.envelope, record.body, record.hash))
    what = said.what if isinstance(said, entries.Said) else None
    return isinstance(what, NoticeVersion) and bool(what.terms.standing_text)


def _report(files: dict[str, bytes], manifest: dict[str, Any], tell: verify.Tell | None) -> tuple[str, str]:
    page, text = verify.examine(files, manifest, tell)["reports"]
    return page, text


def verdict(data: bytes, trust: Iterable[str] = (), tell: verify.Tell | None = None) -> dict[str, Any]:
    """What the standalone verifier says (its JSON). `trust`: fingerprints in hex, or the twelve words
    or the code of a key (`fingerprint.py`)."""
    asked = [t.strip() for t in trust]
    if not any(_names(t) for t in asked):
        return verify.judged(data, asked, tell)
    found = verify.judged(data, (), tell)
    if found["verdict"] == "refused":
        return found
    roots = verify.Members(verify.unpack(data), "").roots
    return verify.judged(data, [_hex(t, roots) if _names(t) else t for t in asked], tell)


def _names(text: str) -> bool:
    """Whether this is twelve words, or a code that was scanned, rather than a fingerprint in hex."""
    return " " in text or is_code(text)


def _hex(words: str, roots: dict[str, str]) -> str:
    """The fingerprint of the root that these words name; the words themselves when it is nobody's here."""
    return next((verify.sha256(root.encode()) for root in roots.values() if same_words(words, root)), words)


def forks(bundles: Iterable[bytes]) -> list[str]:
    """Where two bundles cannot both hold (domain.md I8): one place with two entries, one size with two roots.

    Both are signed by the author's node; whoever holds both bundles holds the proof. Raises Malformed.
    """
    seen: dict[tuple[str, ...], object] = {}
    found = []
    for data in bundles:
        try:
            facts = verify.verify(data)
        except verify.Bad as bad:
            raise Malformed(f"{bad.args[0]}: {bad.args[1]}", file=bad.args[0]) from None
        said = [("entries for place", *place, hash_) for place, hash_ in facts["places"].items()]
        said += [("checkpoints of size", *tree, root) for tree, root in facts["trees"].items()]
        for what, party, epoch, number, signed in said:
            key = (what, facts["roots"][party], party, epoch, str(number))
            if seen.setdefault(key, signed) != signed:
                found.append(f"{party} signed two different {what} {number} of epoch {epoch}")
    return sorted(set(found))


def stamps(data: bytes, roots: Sequence[Certificate]) -> list[dict[str, Any]]:
    """The time stamps in a bundle that verified, each checked whole, under these roots of authorities.

    `{"stamp": file, "t_ms", "by"}`, or `{"stamp": file, "why"}` where that does not hold. Raises BadInput (no extra).
    """
    files = verify.unpack(data)
    found: list[dict[str, Any]] = []
    for file in sorted(f for f in files if f.startswith("stamps/")):
        note = files[f"checkpoints/{file.removeprefix('stamps/').rpartition('-')[0]}.txt"]
        try:
            stamp = check_token(files[file], checkpoint.read(note)[1].text, roots)
            found.append({"stamp": file, "t_ms": stamp.t_ms, "by": stamp.by})
        except Worlds as fault:
            found.append({"stamp": file, "why": fault.sentence})
    return found
