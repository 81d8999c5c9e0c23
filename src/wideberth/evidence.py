# SPDX-License-Identifier: Apache-2.0
"""Evidence bundles out of a node's store, and the verdict on a bundle (domain.md I4, I6 to I8).

    data = make(read_record(home.record_path, ch), party="BLUE", node=signer, t_ms=now, selection=by_notice(ref))
    verdict(data, trust=["twelve words …"])["verdict"]

The report in a bundle is what the standalone verifier writes, and every bundle is verified by it before it is given
out: one spelling of each rule. Reading works while the node runs, in another process.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from wideberth.core.records import Record
from wideberth.core.say.words import SCOPE
from wideberth.core.seal.bundle import Kept, Selection, compose, finish
from wideberth.core.seal.keys import Signer
from wideberth.errors import BadInput, Malformed, Misuse, NotFound
from wideberth.fingerprint import same_words
from wideberth.store.reader import Reader
from wideberth.verifier import verify

# Longer than any channel of some years, and far below what a zip without extensions can name (4 GiB).
BUNDLE_BYTES_MAX: Final = 2**32 - 1


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


def _opened(path: Path) -> Reader:
    if not path.exists():
        raise NotFound(f"there is no record {path}; is this a node's folder?", path=str(path))
    return Reader(path)


def make(
    kept: Kept, *, party: str, node: Signer, t_ms: int, selection: Selection, redact: frozenset[str] = frozenset(),
    release: str = "", note: str = "", with_verifier: bool = True,
) -> bytes:  # fmt: skip
    """A bundle, verified. `release` is the onward-disclosure caveat that every copy shows (domain.md J2).

    Raises: NotFound, BadInput.
    """
    parts = compose(
        kept, selection, party=party, node=node, t_ms=t_ms, scope=SCOPE, redact=redact, release=release, note=note
    )  # fmt: skip
    extra = {"verify.py": Path(verify.__file__).read_bytes()} if with_verifier else {}
    try:
        files = finish(parts, _report, node, extra)
    except verify.Bad as bad:
        file, why = bad.args
        raise Misuse(f"what this node keeps does not verify: {file}: {why}. Run `wideberth doctor`") from None
    data = verify.pack(files)
    if len(data) > BUNDLE_BYTES_MAX:
        raise BadInput("this is too much for one bundle; select a time range", field="selection")
    return data


def _report(files: dict[str, bytes], manifest: dict[str, Any]) -> tuple[str, str]:
    page, text = verify.examine(files, manifest)["reports"]
    return page, text


def verdict(data: bytes, trust: Iterable[str] = ()) -> dict[str, Any]:
    """What the standalone verifier says (its JSON). `trust`: fingerprints in hex, or the twelve words of a key."""
    asked = [t.strip() for t in trust]
    words = [t for t in asked if " " in t]
    if not words:
        return verify.judged(data, asked)
    try:
        roots = verify.verify(data)["roots"]
    except verify.Bad as bad:
        return {"verdict": "refused", "file": bad.args[0], "why": bad.args[1]}
    heard = [_hex(t, roots) if " " in t else t for t in asked]
    return verify.judged(data, heard)


def _hex(words: str, roots: dict[str, str]) -> str:
    """The fingerprint of the root that these words name; the words themselves when it is nobody's here."""
    return next((verify.sha256(root.encode()) for root in roots.values() if same_words(words, root)), words)


def forks(bundles: Iterable[bytes]) -> list[str]:
    """Places that two bundles show differently (domain.md I8): each is a fork, provable from the two. Raises Malformed.

    Both entries are signed by the author's node; whoever holds both bundles holds the proof.
    """
    seen: dict[tuple[str, str, str, int], str] = {}
    found = []
    for data in bundles:
        try:
            facts = verify.verify(data)
        except verify.Bad as bad:
            raise Malformed(f"{bad.args[0]}: {bad.args[1]}", file=bad.args[0]) from None
        for (party, epoch, seq), hash_ in facts["places"].items():
            key = (facts["roots"][party], party, epoch, seq)
            if seen.setdefault(key, hash_) != hash_:
                found.append(f"{party} signed two different entries for place {seq} of epoch {epoch}")
    return sorted(set(found))
