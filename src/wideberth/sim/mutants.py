# SPDX-License-Identifier: Apache-2.0
"""Mistakes that the simulator must notice: if it does not, the simulator is broken, or the rule is not needed.

Each mutant swaps one small part of the product code while it is in force, in this process only, or drives the node in
another order. Nothing in the product code knows of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest import mock

import msgspec

from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now
from wideberth.core.call.accord import Accord
from wideberth.core.call.board import Thread, Version
from wideberth.core.carry.channel import Channel
from wideberth.core.carry.inbox import Inbox
from wideberth.core.carry.outbox import Outbox
from wideberth.core.carry.strand import Fit, Strand
from wideberth.core.desk import causes
from wideberth.core.desk.escalation import Escalation, Who
from wideberth.core.desk.people import Person
from wideberth.core.effects import Effects
from wideberth.core.hearing import Hearing
from wideberth.core.line import Line
from wideberth.core.records import EntryRecord, Record
from wideberth.core.recovery import Recovery
from wideberth.core.say.words import Place
from wideberth.core.seal import mediation
from wideberth.core.seal import receipt as receipts
from wideberth.core.seal.entry import Entry, Header
from wideberth.core.tells import Climbed, Overdue
from wideberth.core.witnessing import Witness
from wideberth.errors import OutOfPlace
from wideberth.sim.site import Site


class Mutant(msgspec.Struct, frozen=True):
    """`promises`: those of which one must break. `patches`: (class or module, name) to what stands there."""

    name: str
    mistake: str
    promises: tuple[str, ...]
    patches: Mapping[tuple[object, str], Any] = {}
    site: type[Site] = Site

    @contextmanager
    def in_force(self) -> Iterator[None]:
        with ExitStack() as stack:
            for (owner, name), new in self.patches.items():
                stack.enter_context(mock.patch.object(owner, name, new))
            yield


# --- other orders of effects ---


class _SendsFirst(Site):
    def effects(self, stepped: list[tuple[ev.Event, Batch]]) -> None:
        records = [record for _, batch in stepped for record in batch.store]
        fresh = {r.hash: r for r in records if isinstance(r, EntryRecord)}
        self.cut()
        for _, batch in stepped:
            for send in batch.send:
                self.send(send, fresh)
        self.cut()
        if records:
            self.keep(records)
        self.cut()
        for _, batch in stepped:
            for tell in batch.tell:
                self.watcher.told(self, tell)


class _TellsFirst(Site):
    def effects(self, stepped: list[tuple[ev.Event, Batch]]) -> None:
        for _, batch in stepped:
            for tell in batch.tell:
                self.watcher.told(self, tell)
        self.cut()
        super().effects([(event, msgspec.structs.replace(batch, tell=())) for event, batch in stepped])


class _SyncsLate(Site):
    """What was written is synced some time later: a store with `synchronous=OFF`."""

    def keep(self, records: list[Record]) -> None:
        self.disk.append(records)
        life = self.life
        self.later(200, lambda: self.disk.sync() if life == self.life else None)


class _NoFlushTimer(Site):
    """A group commit that waits until four steps want something kept."""

    _tail: tuple[tuple[ev.Event, Batch], ...] = ()

    def effects(self, stepped: list[tuple[ev.Event, Batch]]) -> None:
        together = [*self._tail, *stepped]
        if sum(1 for _, batch in together if batch.store) % 4:
            self._tail = tuple(together)
            return
        self._tail = ()
        super().effects(together)

    def _off(self) -> None:
        self._tail = ()
        super()._off()


# --- other carriers ---


def _append_anything(self: Strand, header: Header, hash_: str, opens: Place | None = None) -> None:
    chain = self._chains.setdefault(header.epoch, [])
    self._before.setdefault(header.epoch, opens)
    self.epoch = header.epoch
    chain.append(hash_)
    self.log.append((header.epoch, len(chain)))
    self._numbers[self.log[-1]] = len(self.log)


def _fit_gaps(self: Strand, entry: Entry, opens: Place | None) -> Fit:
    fit = _FIT(self, entry, opens)
    return Fit.NEXT if fit is Fit.GAP else fit


def _fit_repeats(self: Strand, entry: Entry, opens: Place | None) -> Fit:
    fit = _FIT(self, entry, opens)
    return Fit.NEXT if fit is Fit.REPEAT else fit


def _fit_by_clock(self: Strand, entry: Entry, opens: Place | None) -> Fit:
    """Entries of a strand must be in order of their times."""
    fit = _FIT(self, entry, opens)
    if fit is Fit.NEXT:
        last = getattr(self, "last_t_ms", 0)
        if entry.header.t_ms < last:
            raise OutOfPlace("it was signed before the one before it")
        self.last_t_ms = entry.header.t_ms  # type: ignore[attr-defined]
    return fit


_FIT: Final = Strand.fit


def _newest_by_clock(self: Thread) -> Version:
    return max(self.versions, key=lambda v: v.t_ms)


def _never_repeat(self: Outbox, newest: int, mono_ms: int) -> tuple[list[int], list[int]]:
    self.due_mono_ms = None
    return [], []


def _never_due(*_: Any) -> None:
    return None


def _repeat_from_sent(self: Outbox, newest: int, mono_ms: int) -> tuple[list[int], list[int]]:
    """The pointer follows what was sent, not what was receipted."""
    self.receipted = max(self.receipted, self._sent)
    return _REPEAT(self, newest, mono_ms)


_REPEAT: Final = Outbox.repeat


def _new_words_push_repeats_away(self: Outbox, newest: int, mono_ms: int) -> tuple[list[int], list[int]]:
    first, rest = _FRESH(self, newest, mono_ms)
    if first or rest:
        self._sent_at(mono_ms)
    return first, rest


_FRESH: Final = Outbox.fresh


def _no_receipt_again(*_: Any) -> None:
    return None


def _never_ring_early(*_: Any) -> None:
    return None


def _forgets_to_link(self: Inbox, epoch: str, seq: int) -> Entry | None:
    """What waited behind a gap rang, and is then thrown away as known."""
    self._parked.pop((epoch, seq), None)
    return None


def _parks_and_receipts(self: Channel, author: str, epoch: str, t_ms: int, node: Any) -> Any:
    """A receipt covers what waits in memory behind a gap as well."""
    strand, inbox = self.strands[author], self.inboxes[author]
    waiting = [s for e, s in inbox._parked if e == epoch and s > strand.length(epoch)]
    receipt, envelope = _STORED_RECEIPT(self, author, epoch, t_ms, node)
    if not waiting:
        return receipt, envelope
    far = inbox.parked(epoch, max(waiting))
    assert far is not None
    receipt = msgspec.structs.replace(receipt, seq=far.header.seq, head=far.hash)
    envelope = receipts.seal(receipt, node)
    inbox.gave(epoch, strand.length(epoch), envelope)
    return receipt, envelope


_STORED_RECEIPT: Final = Channel.stored_receipt


def _answers_newest(self: Thread, entry: str) -> Version | None:
    """An answer counts for the newest version, not for the one that it names."""
    return self.newest if any(v.entry == entry for v in self.versions) else None


def _reload_without_receipts(self: Line, record: Any) -> None:
    """After a restart the receipts that were given are not known any more, so they cannot be repeated."""
    if record.author != self.channel.us:
        _RELOAD_SIDECAR(self, record)


_RELOAD_SIDECAR: Final = Line.reload_sidecar


# --- other ways back from a backup ---


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _newest_in_the_store(self: Line, epoch: str) -> None:
    """After a restart the node writes on in the epoch that it stored last, also one that a peer handed back."""
    _RELOADED(self, epoch)
    self.channel.own.epoch = self.channel.own.log[-1][0]


_RELOADED: Final = Line.reloaded

# --- other desks, and another ear for silence ---


def _only_who_is_on_shift(self: Escalation, who: Who, now_ms: int) -> list[Person]:
    return self.roster.on_shift(now_ms)[:1]


def _always(*_: Any) -> bool:
    return True


def _silence_is_an_answer(self: Line, now: Now, out: Effects) -> None:
    before = len(out.tell)
    _TICK(self, now, out)
    out.tell[before:] = [
        Climbed(t.ch, t.ref, t.version, t.member, "ACKNOWLEDGED", "", now.t_ms, "")
        if isinstance(t, Overdue) and t.what == "UNACKNOWLEDGED" else t
        for t in out.tell[before:]
    ]  # fmt: skip


_TICK: Final = Line.tick

MUTANTS: Final = (
    Mutant("send before store", "what left may never have been stored", ("framed", "lost", "split"), {}, _SendsFirst),
    Mutant("tell before store", "an officer is told what a crash undoes", ("lost",), {}, _TellsFirst),
    Mutant("receipt before fsync", "a receipt for what is not on the disk", ("lost", "framed"), {}, _SyncsLate),
    Mutant("asleep after restart", "a node that starts neither repeats nor asks", ("stuck", "split", "lost"),
           {(Outbox, "waiting"): _never_due, (Recovery, "ask"): _nothing}),
    Mutant("gap accepted", "an entry is linked before the one before it", ("split", "duplicated", "framed", "agreed",
           "sound", "stuck"), {(Strand, "fit"): _fit_gaps, (Strand, "append"): _append_anything}),
    Mutant("no de-duplication", "a repeat is taken for something new", ("duplicated",),
           {(Strand, "fit"): _fit_repeats, (Strand, "append"): _append_anything}),
    Mutant("clock trusted for order", "an entry with an earlier time than the last is refused", ("framed",),
           {(Strand, "fit"): _fit_by_clock}),
    Mutant("clock trusted for versions", "the version with the latest time holds", ("agreed", "rung"),
           {(Thread, "newest"): property(_newest_by_clock)}),
    Mutant("no repeat", "what was lost is never sent again", ("split", "stuck", "lost"),
           {(Outbox, "repeat"): _never_repeat}),
    Mutant("new words push repeats away", "on a busy line what was lost never comes", ("stuck",),
           {(Outbox, "fresh"): _new_words_push_repeats_away}),
    Mutant("pointer follows what was sent", "the resend pointer is a guess", ("split", "stuck", "lost"),
           {(Outbox, "repeat"): _repeat_from_sent}),
    Mutant("receipt not repeated", "a lost receipt is lost for ever", ("stuck",),
           {(Hearing, "_answer_repeats"): _no_receipt_again}),
    Mutant("receipts forgotten by a restart", "a receipt lost before a crash is lost for ever", ("stuck", "agreed"),
           {(Line, "reload_sidecar"): _reload_without_receipts}),
    Mutant("no ring behind a gap", "an urgent entry waits for what came before it", ("rung",),
           {(Hearing, "_ring_early"): _never_ring_early}),
    Mutant("receipt covers what is parked", "a receipt for what waits in memory", ("lost", "stuck"),
           {(Channel, "stored_receipt"): _parks_and_receipts}),
    Mutant("answer moves to the newest version", "an acknowledgement counts for a version that nobody saw", ("agreed",),
           {(Thread, "version"): _answers_newest}),
    Mutant("no epoch", "after a restore a node goes on in its old epoch", ("framed",),
           {(Recovery, "restored"): _nothing}),
    Mutant("no heads question", "a restored node asks nobody what they hold", ("stuck", "split", "framed"),
           {(Recovery, "ask"): _nothing}),
    Mutant("no heads answer", "nobody says what they hold of a restored node", ("stuck", "split", "framed"),
           {(Recovery, "heard"): _nothing}),
    Mutant("pointer follows receipts only", "what a restored peer lost is never sent to it again", ("split", "stuck"),
           {(Recovery, "_catch_up"): _nothing}),
    Mutant("no heads in line checks", "a late receipt of what a peer lost is believed for ever", ("split", "stuck"),
           {(Witness, "_compare"): _nothing}),
    Mutant("no repair", "shown its own lost words, a node goes on as if nothing were wrong", ("framed", "split"),
           {(Recovery, "repair"): _nothing}),
    Mutant("the newest epoch in the store", "a node writes on in an epoch that it abandoned", ("framed",),
           {(Line, "reloaded"): _newest_in_the_store}),
    Mutant("orphans fold as they come", "what was said twice stands as it happened to arrive",
           ("agreed", "duplicated"),
           {(Strand, "linear"): property(lambda self: True)}),
    Mutant("no flush timer", "what was written last waits for company", ("split", "stuck", "lost", "framed", "rung"),
           {}, _NoFlushTimer),
    Mutant("half an agreement", "a version is in force before every member signed it", ("agreed", "framed", "sound"),
           {(Accord, "missing"): staticmethod(lambda proposed: [])}),
    Mutant("slip not looked at", "nobody compares what is handed over with what was signed", ("named", "sound"),
           {(mediation, "admit"): lambda *_: mediation.Slip(1, "0" * 64, "A", "B", "0" * 64, 0)}),
    Mutant("one man is called", "the ladder ends with whoever is on shift", ("heard",),
           {(Escalation, "_people"): _only_who_is_on_shift}),
    Mutant("an old answer silences a new version", "an answer to one version ends the alarm of the next", ("heard",),
           {(causes, "_counts"): _always}),
    Mutant("a clock that is set back silences", "a ladder waits until the old time comes round again", ("heard",),
           {(Escalation, "_go_along"): _nothing}),
    Mutant("silence is an answer", "what nobody acknowledged in time is shown as acknowledged", ("unknown",),
           {(Line, "tick"): _silence_is_an_answer}),
)  # fmt: skip
BY_NAME: Final[dict[str, Mutant]] = {m.name: m for m in MUTANTS}


def hunt(mutant: Mutant, run: Callable[[int, type[Site]], str], first_seed: int, most: int) -> tuple[int, str] | None:
    """Seeds until the mutant is caught, and the promise that broke; None when `most` seeds saw nothing."""
    with mutant.in_force():
        for n in range(most):
            broken = run(first_seed + n, mutant.site)
            if broken:
                return n + 1, broken
    return None
