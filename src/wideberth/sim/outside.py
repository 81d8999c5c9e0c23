# SPDX-License-Identifier: Apache-2.0
"""Reading what was signed, without the core: plain JSON, plain hashes, and a small fold of its own.

The promises are checked with this, so that a mistake in the core cannot hide itself.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

import msgspec

_JSON: Final = msgspec.json.Decoder()
_ANSWERS: Final = {
    "ack": "ACKNOWLEDGED", "insufficient": "INSUFFICIENT", "objection": "OBJECTED", "refused": "REFUSED",
    "relay": "RELAYED",
}  # fmt: skip
_URGENT: Final = ("FLASH", "IMMEDIATE")
_DAY_MS: Final = 86_400_000


class Read(msgspec.Struct, frozen=True):
    """One entry as it was signed. `what` is the word as plain JSON; `over_ms` when it ends by itself (0: never);
    `after` are the hashes of all that it continues or cites."""

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
    after: tuple[str, ...]
    agr: str


class ReadReceipt(msgspec.Struct, frozen=True):
    level: str
    ch: str
    by: str
    of: str
    epoch: str
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
            # A checkpoint travels as a JSON string.
            if isinstance(outer, dict) and outer.get("payloadType", "").endswith(".receipt+json"):
                r = _JSON.decode(base64.b64decode(outer["payload"]))
                read = ReadReceipt(r["level"], r["ch"], r["from"], r["of"], r["epoch"], r["seq"], r["head"], r["t_ms"])
            self._receipts[envelope] = read
        return self._receipts[envelope]


def header_of(envelope: bytes) -> dict[str, Any]:
    """The header of an entry as plain JSON."""
    header: dict[str, Any] = _JSON.decode(base64.b64decode(_JSON.decode(envelope)["payload"]))
    return header


def halves(proof: bytes) -> tuple[str, str]:
    """The hashes of the two headers in a proof of equivocation."""
    both = _JSON.decode(proof)
    first, second = (
        hashlib.sha256(base64.b64decode(both[name]["payload"])).hexdigest() for name in ("first", "second")
    )
    return first, second


def _read_entry(envelope: bytes, body: bytes) -> Read:
    payload = base64.b64decode(_JSON.decode(envelope)["payload"])
    h = _JSON.decode(payload)
    what = _JSON.decode(body)["body"]["said"]["what"]
    terms = what.get("terms")
    urgent, over_ms = what["kind"] in ("alert", "offnominal"), 0
    if terms is not None:
        urgent = terms.get("precedence") in _URGENT
        over_ms = min(terms["expires_ms"], max(v["end_ms"] for v in terms["volumes"]))
    elif urgent:
        over_ms = h["t_ms"] + _DAY_MS
    after = [place[2] for place in h["seen"].values()]
    after += [what[name] for name in ("of", "refines", "why") if what.get(name)]
    after += [h["prev"]] if h["seq"] > 1 else [what["predecessor"][2]] if what.get("predecessor") else []
    return Read(
        h["ch"], h["from"], h["epoch"], h["seq"], hashlib.sha256(payload).hexdigest(), h["prev"], h["t_ms"], h["by"],
        what, urgent, over_ms, tuple(after), h["agr"],
    )  # fmt: skip


def supersedes(read: Read) -> str:
    """The hash of the entry that this one makes old news; empty for none."""
    kind = read.what["kind"]
    if kind in ("amend", "correct", "extend", "offnominal", "cancel") or (
        kind == "report" and read.what["state"] == "FINISHED"
    ):
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


def in_order(chains: dict[tuple[str, str], list[Read]]) -> list[Read]:
    """Every entry after all that it continues or cites; what is free goes by author, epoch and seq.

    `chains` are dense, by (author, epoch). Citations in a ring cannot be signed by honest nodes.
    """
    known = {read.hash for chain in chains.values() for read in chain}
    heads = {key: 0 for key, chain in chains.items() if chain}
    done: set[str] = set()
    order: list[Read] = []
    while heads:
        free = [k for k, at in heads.items() if all(c in done or c not in known for c in chains[k][at].after)]
        key = min(free)
        read = chains[key][heads[key]]
        order.append(read)
        done.add(read.hash)
        heads[key] += 1
        if heads[key] == len(chains[key]):
            del heads[key]
    return order


class Fold:
    """What a channel's strands say, thread by thread. `ignored` are entries that clash with what stands already: only
    somebody who forgot what it had said (a restore) can have signed them. So are those under a version of the agreement
    that is not among the `known`: nobody has it any more."""

    def __init__(self, chains: dict[tuple[str, str], list[Read]], known: set[str]) -> None:
        self.pictures: dict[str, Picture] = {}
        self.ignored: list[Read] = []
        self._by_entry: dict[str, Picture] = {}
        # Versions that were reported finished.
        self._finished: set[str] = set()
        for read in in_order(chains):
            if read.agr not in known or not self._take(read):
                self.ignored.append(read)
        for thread in self.pictures.values():
            thread.steps.sort()

    def _take(self, e: Read) -> bool:
        kind, what = e.what["kind"], e.what
        if kind in ("notice", "alert"):
            return self._opens(e, what["ref"] if kind == "notice" else f"ALERT-{e.hash[:8].upper()}")
        if kind in ("amend", "correct", "extend", "offnominal", "cancel"):
            return self._revises(e)
        if kind == "report":
            return self._reports(e)
        if kind in _ANSWERS or kind == "readback":
            thread = self._by_entry.get(what["of"])
            if thread is None:
                return False
            step = _ANSWERS.get(kind) or ("READ_BACK" if what["as_read"].startswith("right") else "MISMATCH")
            thread.steps.append([what["of"], e.author, step, e.by, e.t_ms, e.hash])
        return True

    def _opens(self, e: Read, ref: str) -> bool:
        refines = e.what.get("refines", "")
        alert = self._by_entry.get(refines)
        if f"{e.author} {ref}" in self.pictures or (refines and (alert is None or alert.author != e.author)):
            return False
        thread = Picture(e.author, ref, [[1, e.what["kind"], e.hash, e.by, e.t_ms]], "", [], refines, [])
        self.pictures[f"{e.author} {ref}"] = self._by_entry[e.hash] = thread
        return True

    def _revises(self, e: Read) -> bool:
        thread = self.pictures.get(f"{e.author} {e.what['ref']}")
        if thread is None or thread.cancelled or thread.versions[-1][2] in self._finished:
            return False
        if e.what["of"] != thread.versions[-1][2] or e.what["version"] != len(thread.versions) + 1:
            return False
        thread.versions.append([e.what["version"], e.what["kind"], e.hash, e.by, e.t_ms])
        self._by_entry[e.hash] = thread
        if e.what["kind"] == "cancel":
            thread.cancelled = e.hash
        return True

    def _reports(self, e: Read) -> bool:
        thread = self._by_entry.get(e.what["of"])
        finished = e.what["state"] == "FINISHED"
        if thread is None or (finished and e.what["of"] in self._finished):
            return False
        if e.what.get("why") and e.what["why"] not in self._by_entry:
            return False
        said = [state for state, _, _ in thread.reports]
        state = e.what["state"]
        turns = [s for s in said if s in ("SUSPENDED", "RESTORED")]
        if state == "STARTED" and "STARTED" in said:
            return False
        if state == "SUSPENDED" and (turns[-1:] == ["SUSPENDED"] or e.what["of"] in self._finished):
            return False
        if state == "RESTORED" and (
            turns[-1:] != ["SUSPENDED"]
            or e.what["at_ms"] < next(at for s, at, _ in reversed(thread.reports) if s == "SUSPENDED")
        ):
            return False
        thread.reports.append([e.what["state"], e.what["at_ms"], e.by])
        if finished:
            self._finished.add(e.what["of"])
        return True
