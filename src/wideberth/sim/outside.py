# SPDX-License-Identifier: Apache-2.0
"""Reading what was signed, without the core: plain JSON, plain hashes, and a small fold of its own.

The promises are checked with this, so that a mistake in the core cannot hide itself.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

import msgspec

from wideberth.core.records import EntryRecord

_JSON: Final = msgspec.json.Decoder()
_ANSWERS: Final = {
    "ack": "ACKNOWLEDGED", "insufficient": "INSUFFICIENT", "objection": "OBJECTED", "refused": "REFUSED",
    "relay": "RELAYED",
}  # fmt: skip
_URGENT: Final = ("FLASH", "IMMEDIATE")
_DAY_MS: Final = 86_400_000


class Read(msgspec.Struct, frozen=True):
    """One entry as it was signed. `what` is the word as plain JSON; `over_ms` when it ends by itself (0: never)."""

    ch: str
    author: str
    epoch: str
    seq: int
    hash: str
    prev: str
    t_ms: int
    by: str
    what: dict[str, Any]
    urgent: bool
    over_ms: int


class ReadReceipt(msgspec.Struct, frozen=True):
    level: str
    ch: str
    by: str
    of: str
    seq: int
    head: str
    t_ms: int


class Reader:
    """Remembers what it read: the same bytes pass many times."""

    def __init__(self) -> None:
        self._entries: dict[bytes, tuple[Read, bytes]] = {}
        self._receipts: dict[bytes, ReadReceipt | None] = {}

    def entry(self, envelope: bytes, body: bytes) -> Read:
        """Only for bytes that an honest node made."""
        found = self._entries.get(envelope)
        if found is None:
            found = self._entries[envelope] = (_read_entry(envelope, body), body)
        return found[0]

    def known(self, envelope: bytes, body: bytes) -> Read | None:
        """If exactly these bytes were read before."""
        found = self._entries.get(envelope)
        return found[0] if found is not None and found[1] == body else None

    def receipt(self, envelope: bytes) -> ReadReceipt | None:
        """None for another kind of sidecar."""
        if envelope not in self._receipts:
            outer = _JSON.decode(envelope)
            read = None
            if outer.get("payloadType", "").endswith(".receipt+json"):
                r = _JSON.decode(base64.b64decode(outer["payload"]))
                read = ReadReceipt(r["level"], r["ch"], r["from"], r["of"], r["seq"], r["head"], r["t_ms"])
            self._receipts[envelope] = read
        return self._receipts[envelope]


def _read_entry(envelope: bytes, body: bytes) -> Read:
    payload = base64.b64decode(_JSON.decode(envelope)["payload"])
    h = _JSON.decode(payload)
    what = _JSON.decode(body)["body"]["said"]["what"]
    terms = what.get("terms")
    urgent, over_ms = what["kind"] == "alert", 0
    if terms is not None:
        urgent = terms.get("precedence") in _URGENT
        over_ms = min(terms["expires_ms"], max(v["end_ms"] for v in terms["volumes"]))
    elif urgent:
        over_ms = h["t_ms"] + _DAY_MS
    return Read(
        h["ch"], h["from"], h["epoch"], h["seq"], hashlib.sha256(payload).hexdigest(), h["prev"], h["t_ms"], h["by"],
        what, urgent, over_ms,
    )  # fmt: skip


def supersedes(read: Read) -> str:
    """The hash of the entry that this one makes old news; empty for none."""
    kind = read.what["kind"]
    if kind in ("amend", "correct", "extend", "cancel") or (kind == "report" and read.what["state"] == "FINISHED"):
        return str(read.what["of"])
    return str(read.what.get("refines", "")) if kind == "notice" else ""


class Picture(msgspec.Struct):
    """One thread as both sides must see it, in plain JSON data."""

    author: str
    ref: str
    versions: list[list[Any]]
    cancelled: str
    reports: list[list[Any]]
    refines: str
    steps: list[list[Any]]


def fold(strands: dict[str, list[EntryRecord]], reader: Reader) -> dict[str, Picture]:
    """What a channel's strands say, thread by thread. A version follows by its place in the strand, never by a time.

    Raises ValueError for an entry that honest nodes cannot have signed.
    """
    pictures: dict[str, Picture] = {}
    by_entry: dict[str, Picture] = {}
    read = {author: [reader.entry(r.envelope, r.body) for r in strand] for author, strand in strands.items()}
    for author in sorted(read):
        refs: dict[str, Picture] = {}
        for e in read[author]:
            kind, what = e.what["kind"], e.what
            if kind in ("notice", "alert"):
                ref = what["ref"] if kind == "notice" else f"ALERT-{e.hash[:8].upper()}"
                if ref in refs:
                    raise ValueError(f"{author} gave reference {ref} twice")
                thread = Picture(author, ref, [[1, kind, e.hash, e.by, e.t_ms]], "", [], what.get("refines", ""), [])
                pictures[f"{author} {ref}"] = refs[ref] = by_entry[e.hash] = thread
            elif kind in ("amend", "correct", "extend", "cancel"):
                thread = refs[what["ref"]]
                if what["of"] != thread.versions[-1][2] or what["version"] != len(thread.versions) + 1:
                    raise ValueError(f"entry {e.seq} of {author} does not follow the newest version of {thread.ref}")
                if thread.cancelled:
                    raise ValueError(f"{author} went on with {thread.ref}, which it had cancelled")
                thread.versions.append([what["version"], kind, e.hash, e.by, e.t_ms])
                by_entry[e.hash] = thread
                if kind == "cancel":
                    thread.cancelled = e.hash
            elif kind == "report":
                by_entry[what["of"]].reports.append([what["state"], what["at_ms"], e.by])
    for author in sorted(read):
        for e in read[author]:
            kind = e.what["kind"]
            if kind in _ANSWERS or kind == "readback":
                step = _ANSWERS.get(kind) or ("READ_BACK" if e.what["as_read"].startswith("right") else "MISMATCH")
                by_entry[e.what["of"]].steps.append([e.what["of"], author, step, e.by, e.t_ms, e.hash])
    for thread in pictures.values():
        thread.steps.sort()
    return pictures
