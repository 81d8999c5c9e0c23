# SPDX-License-Identifier: Apache-2.0
"""What one event asks for while it is being worked out, and the small conversions that every line needs."""

from __future__ import annotations

from wideberth.core.batch import Batch, Send
from wideberth.core.call.deadlines import URGENT
from wideberth.core.feed import Feed
from wideberth.core.records import EntryRecord, Record, SidecarRecord
from wideberth.core.say.live import Owner, Whose
from wideberth.core.say.talk import Message
from wideberth.core.say.words import (
    ActivityReport,
    Alert,
    Amendment,
    Cancellation,
    Correction,
    Extension,
    Notice,
    OffNominal,
    Word,
)
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import Agreement
from wideberth.core.seal.entry import Entry
from wideberth.core.seal.receipt import Receipt
from wideberth.core.tells import FaultSeen, Level, Tell
from wideberth.errors import Fault


class Effects:
    """Gathered in the order in which it came up; `batch` closes it."""

    def __init__(self) -> None:
        self.ring: list[Tell] = []
        self.store: list[Record] = []
        self.send: list[Send] = []
        self.tell: list[Tell] = []
        self.do: list[Feed] = []
        # Versions of an agreement that every root has signed now: the node stores them and opens what they open.
        self.agreed: list[tuple[Agreement, bytes]] = []

    def batch(self, wake: int | None) -> Batch:
        last = {(feed.ch, feed.ref): n for n, feed in enumerate(self.do)}
        # What is over, or has a newer version, by the end of one delivery is not weighed: nobody is to be warned of it.
        do = tuple(feed for n, feed in enumerate(self.do) if last[feed.ch, feed.ref] == n)
        return Batch(tuple(self.ring), tuple(self.store), tuple(self.send), tuple(self.tell), do, wake)


def is_urgent(what: Word) -> bool:
    """ALERT, what went off-nominal, "is it yours?" and its answer, and whatever is signed FLASH or IMMEDIATE: rings
    before it is stored (an answer does not ring), overtakes a gap, never dropped."""
    match what:
        case Alert() | OffNominal():
            return True
        case Notice() | Amendment() | Correction() | Extension():
            return what.terms.urgency in URGENT
        case Message():
            return what.precedence in URGENT
        case Whose() | Owner():
            return True
        case _:
            return False


def supersedes(what: Word) -> str:
    """The entry that this one makes old news, by its author's own word; empty for none."""
    match what:
        case Amendment() | Correction() | Extension() | OffNominal() | Cancellation():
            return what.of
        case ActivityReport() if what.state == "FINISHED":
            return what.of
        case Notice():
            return what.refines
        case _:
            return ""


def entry_record(entry: Entry, stored_ms: int) -> EntryRecord:
    """An entry as the store keeps it. `stored_ms`: our clock, ms UTC."""
    h = entry.header
    return EntryRecord(
        h.ch, h.sender, h.epoch, h.seq, entry.hash, h.prev, h.type, entry.envelope, entry.body, stored_ms
    )  # fmt: skip


def receipt_record(receipt: Receipt, envelope: bytes, stored_ms: int) -> SidecarRecord:
    return SidecarRecord(
        receipt.ch, receipt.level, receipt.sender, canonical.sha256(envelope), envelope, stored_ms
    )  # fmt: skip


def fault_tell(fault: Fault, ch: str, peer: str, level: Level = Level.NOTE) -> FaultSeen:
    """A fault for own people: its name, whose it is, and those details that are plain values."""
    details = {k: v for k, v in fault.details.items() if isinstance(v, str | int | bool)}
    return FaultSeen(fault.name, fault.whose, fault.sentence, ch, peer, details, level)
