# SPDX-License-Identifier: Apache-2.0
"""What must hold whatever the weather, checked from outside: on disks, on wires, and by what people were told.

framed      no honest node signs two headers for one place, also after restores; none is ever accused
lost        what an officer was told, and what was receipted `stored`, is on that disk after any crash, and
            reaches every member once the weather is kind (what only a record held that was put back to an older
            one is gone)
split       at rest all copies of every epoch of a strand are the same, byte by byte
agreed      at rest both boards show the same threads, versions and rungs: those that the strands say by their
            order; a board that was folded anew from the disk shows them too (rungs by machine are beside the
            strands: a restore may lose them; what was signed under a version of the agreement that restores took out
            of every record waits, on every node)
convicted   whoever shows two peers two entries for one place is proven a liar at both, within one line check of
            theirs; who backdates, poisons or signs a checkpoint over another strand is named; what one peer is not
            sent, others pass on; a liar takes nothing else from honest nodes
stuck       a kind world comes to rest, and then nothing waits for a receipt
duplicated  no entry is stored or told twice; places are dense and chained. (Where records are put back, an entry that
            answers one which is lost may be told again after a restart: that it waits for it is known, that it was told
            before the loss is not.)
named       a mediator that alters a byte is named by whoever gets the delivery, and nobody else ever is; nothing that
            was altered on the way reaches a core
rung        every urgent entry that is live when it arrives rings, also behind a gap, and also when it is not
            understood, unless its author made it old news
heard       an urgent alarm that nobody answered keeps ringing until somebody owns it (`heard.py`)
unknown     silence makes nothing but UNKNOWN, OVERDUE, EXPIRED and SILENT (`heard.py`)
sound       the core raises nothing but faults, and only for commands

A node whose record is put back behind its back may sign a place twice, if it speaks before it can find out. Such a
world ends there (`SpokeFirst`) and is counted apart; once it was handed back an own entry that it lacks, of whichever
epoch, it may not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Final

from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now
from wideberth.core.call.board import Board
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord, SidecarRecord
from wideberth.core.tells import FaultSeen, Heard, Said, Tell
from wideberth.errors import Fault, Spoiled
from wideberth.sim import accords
from wideberth.sim.heard import Ears
from wideberth.sim.mediators import Mediator, Passed
from wideberth.sim.network import Parcel
from wideberth.sim.outside import Fold, Picture, Read, Reader, halves, header_of, supersedes
from wideberth.sim.parties import Charter
from wideberth.sim.site import Site
from wideberth.sim.tape import Tape

PROMISES: Final = (
    "framed",
    "lost",
    "split",
    "agreed",
    "convicted",
    "stuck",
    "duplicated",
    "named",
    "rung",
    "heard",
    "unknown",
    "sound",
)

# What a peer may be blamed for when the wire changed its bytes: that they are not what was signed.
_SPOILT: Final = frozenset({"Malformed", "BadSignature", "Oversized", "Stranger"})


# Strands of one channel, epoch by epoch: (author, epoch) to what was signed there.
Chains = dict[tuple[str, str], list[Read]]


class Broken(Exception):
    """A promise does not hold. `name` is one of `PROMISES`."""

    def __init__(self, name: str, story: str) -> None:
        super().__init__(f"{name}: {story}")
        self.name = name
        self.story = story


class SpokeFirst(Exception):
    """A node that could not know yet that its record was put back signed a place a second time."""


class _Memory:
    """What was seen of one site."""

    def __init__(self) -> None:
        self.durable: dict[str, str] = {}
        self.receipted: dict[tuple[str, str, str], tuple[int, str]] = {}
        self.told: set[str] = set()
        self.rang: set[str] = set()
        self.arrived: set[str] = set()
        self.superseded: set[str] = set()
        self.named: set[tuple[str, str]] = set()
        # Lines on which it cannot know yet that its record was put back, and what it signed there meanwhile.
        self.unaware: set[str] = set()
        self.unaware_signed: set[str] = set()


class Promises:
    """The watcher of one world (`site.Watcher`). Every method raises `Broken`."""

    def __init__(self, tape: Tape) -> None:
        self.reader = Reader()
        self._tape = tape
        self._signed: dict[tuple[str, str, str, int], str] = {}
        self._of: dict[str, _Memory] = {}
        self.restores = 0
        self.liar = ""
        self.ears: Ears | None = None

    def _memory(self, site: Site) -> _Memory:
        return self._of.setdefault(site.party, _Memory())

    # --- while it runs ---

    def stepped(self, site: Site, event: ev.Event, tainted: bool, batch: Batch, now: Now) -> None:
        memory = self._memory(site)
        if site.party == self.liar:
            return
        if self.ears is not None:
            self.ears.stepped(site, event, batch)
        for record in batch.store:
            if isinstance(record, EntryRecord):
                if site.disk.entry(record.hash) is not None:
                    raise Broken("duplicated", f"{site.party} stores entry {_name(record)} a second time")
                if record.author == self.liar:
                    continue
                signed_now = self.reader.known(record.envelope, record.body) is None
                said = self.reader.entry(record.envelope, record.body)
                if old := supersedes(said):
                    memory.superseded.add(old)
                if record.author == site.party and signed_now and record.ch in memory.unaware:
                    memory.unaware_signed.add(record.hash)
                    if record.type == "epoch":
                        memory.unaware.discard(record.ch)  # no place in it was ever signed before
            elif isinstance(record, SidecarRecord) and record.kind == "equivocation" and record.author != self.liar:
                if self._spoke_first(record):
                    raise SpokeFirst(f"{record.author} signed a place again before it could find out")
                raise Broken("framed", f"{site.party} keeps a proof against {record.author}")
        for tell in batch.tell:
            if isinstance(tell, FaultSeen):
                memory.named.add((tell.fault, tell.peer))
                self._accused(site, tell, tainted)
        for ring in batch.ring:
            if isinstance(ring, Heard):
                memory.rang.add(ring.entry)
                self._tape.note(site.world_ms(), site.party, f"RINGS {ring.entry[:8]}")
        if isinstance(event, ev.Arrived) and event.ch in site.node.lines:
            for envelope, body in event.frames:
                read = self.reader.known(envelope, body)
                if read is not None and read.author == site.party and site.disk.entry(read.hash) is None:
                    memory.unaware.discard(read.ch)  # it was shown its own signature on a place that it lacks
                if read is not None and read.hash not in memory.arrived and site.disk.entry(read.hash) is None:
                    memory.arrived.add(read.hash)
                    self._must_ring(site, memory, read, now)
        elif not isinstance(event, ev.Arrived | ev.Tick):
            self._tape.note(site.world_ms(), site.party, f"does {type(event).__name__}")

    def _must_ring(self, site: Site, memory: _Memory, read: Read, now: Now) -> None:
        live = read.urgent and now.t_ms < read.over_ms and read.hash not in memory.superseded
        if live and read.author != site.party and read.hash not in memory.rang:
            raise Broken(
                "rung", f"urgent entry {read.seq} of {read.author} ({read.hash[:8]}) did not ring {site.party}"
            )

    def _accused(self, site: Site, tell: FaultSeen, tainted: bool) -> None:
        if tell.whose != "theirs" or (self.liar and tell.peer == self.liar) or (tainted and tell.fault in _SPOILT):
            return
        if tell.fault == "Stranger" and tell.ch not in site.node.lines:
            return  # it came before our own side signed
        if tell.fault == "NOT_UNDERSTOOD" and self.restores:
            return  # what it said after a restore may clash with what it had said before, and forgot
        promise = "agreed" if tell.fault in ("NOT_UNDERSTOOD", "UNREADABLE") else "framed"
        raise Broken(promise, f"{site.party} blames {tell.peer}: {tell.fault}: {tell.sentence}")

    def _spoke_first(self, proof: SidecarRecord) -> bool:
        """Whether one half of a proof was signed by a node that could not know yet that its record was put back."""
        unaware = set().union(*(memory.unaware_signed for memory in self._of.values()))
        return not unaware.isdisjoint(halves(proof.envelope))

    def refused(self, site: Site, event: ev.Event, fault: Fault) -> None:
        if isinstance(event, ev.Arrived | ev.Tick | ev.Reached | ev.DiskState | ev.CheckLines | ev.SignCheckpoints):
            raise Broken("sound", f"{site.party} raises {fault.name} at {type(event).__name__}: {fault}")

    def fell(self, site: Site, event: ev.Event, why: Exception) -> None:
        raise Broken("sound", f"{site.party} falls over at {type(event).__name__}: {why!r}") from why

    def sent(self, site: Site, parcel: Parcel) -> None:
        if site.party == self.liar:
            return
        for envelope, body in parcel.frames:
            if self.liar and header_of(envelope)["from"] == self.liar:
                continue  # passed on
            read = self.reader.entry(envelope, body)
            place = (read.ch, read.author, read.epoch, read.seq)
            if self._signed.setdefault(place, read.hash) != read.hash:
                if read.hash in self._memory(site).unaware_signed:
                    raise SpokeFirst(f"{read.author} signs place {read.seq} again before it could find out")
                raise Broken("framed", f"{read.author} signed two headers for place {read.seq}")
        for envelope in parcel.sidecars:
            receipt = self.reader.receipt(envelope)
            if receipt is not None and receipt.level == "stored" and receipt.by == site.party:
                held = self._memory(site).receipted
                if receipt.seq > held.get((receipt.ch, receipt.of, receipt.epoch), (0, ""))[0]:
                    held[receipt.ch, receipt.of, receipt.epoch] = (receipt.seq, receipt.head)

    def told(self, site: Site, tell: Tell) -> None:
        memory = self._memory(site)
        if site.party == self.liar:
            return
        if isinstance(tell, Said):
            memory.durable[tell.entry] = "its officer was told that it is said"
        elif isinstance(tell, Heard) and tell.recorded:
            memory.durable[tell.entry] = "its officer was told that it is recorded"
            if tell.entry in memory.told:
                raise Broken("duplicated", f"{site.party} tells {tell.entry[:8]} of {tell.author} twice")
            memory.told.add(tell.entry)

    def handed(self, host: Mediator, passed: Passed, taken: Parcel | Spoiled) -> None:
        """What a link made of a delivery that came through a mediator."""
        if isinstance(taken, Spoiled):
            by = taken.details.get("by")
            if not passed.altered or by != host.card.mediator:
                raise Broken(
                    "named", f"{by} is named, and {host.card.mediator} altered {'it' if passed.altered else 'nothing'}"
                )
        elif passed.altered:
            raise Broken("named", f"{host.card.mediator} altered a delivery, and it was taken")

    def crashed(self, site: Site) -> None:
        """Its memory is gone. Is everything that it gave its word for on the disk?"""
        memory = self._memory(site)
        for entry, why in memory.durable.items():
            if site.disk.entry(entry) is None:
                raise Broken("lost", f"{site.party} lost entry {entry[:8]}: {why}")
        for (ch, of, epoch), (seq, head) in memory.receipted.items():
            found = site.disk.entry(head)
            if found is None or (found.ch, found.author, found.epoch, found.seq) != (ch, of, epoch, seq):
                raise Broken("lost", f"{site.party} lost entry {seq} of {of}, which it had receipted as stored")
        self._begin_anew(site, memory)

    def restored(self, site: Site, marked: bool) -> None:
        """Its record is an old one now: what only the newer one held is gone, and nobody is to blame."""
        memory = self._memory(site)
        self.restores += 1
        if self.ears is not None:
            self.ears.put_back = True
        memory.durable = {e: why for e, why in memory.durable.items() if site.disk.entry(e) is not None}
        memory.told = {e for e in memory.told if site.disk.entry(e) is not None}
        memory.receipted = {k: v for k, v in memory.receipted.items() if site.disk.entry(v[1]) is not None}
        memory.unaware = set() if marked else set(site.node.lines)
        self._begin_anew(site, memory)

    def _begin_anew(self, site: Site, memory: _Memory) -> None:
        memory.arrived.clear()
        memory.superseded.clear()
        for record in site.disk.load():
            if isinstance(record, EntryRecord) and record.author != self.liar:
                read = self.reader.entry(record.envelope, record.body)
                memory.superseded.add(supersedes(read))
                if self.restores and any(site.disk.entry(cited) is None for cited in read.after):
                    memory.told.discard(read.hash)

    # --- when the weather is kind ---

    def forked(self, one: Site, other: Site, charters: Iterable[Charter]) -> bool:
        """Whether two honest nodes hold different entries of one author for one place."""
        return any(
            not _same(chain, theirs.get(key, []))
            for charter in charters
            if {one.party, other.party} <= set(charter.members)
            for theirs in [_copy(other, charter.ch)]
            for key, chain in _copy(one, charter.ch).items()
        )

    def proven(self, *sites: Site) -> None:
        """Each holds a proof that the liar signed two entries for one place."""
        for site in sites:
            if not any(s.kind == "equivocation" and s.author == self.liar for s in site.disk.sidecars()):
                raise Broken("convicted", f"{site.party} has no proof that {self.liar} shows two strands")

    def moved(self, said: list[EntryRecord], members: Sequence[Site]) -> None:
        """On a busy line: what was said before the weather turned has come through."""
        for record in said:
            for site in members:
                if site.disk.entry(record.hash) is None:
                    raise Broken("stuck", f"entry {_name(record)} does not reach {site.party} on a busy line")

    def at_rest(self, sites: Sequence[Site], charters: Sequence[Charter]) -> None:
        strands = {c.ch: self._strands(c, [s for s in sites if s.party in c.members]) for c in charters}
        fresh = {site.party: site.build() for site in sites}
        for site in sites:
            fresh[site.party].started(site.now())
        for charter in charters:
            members = [s for s in sites if s.party in charter.members]
            home = next(c for c in charters if c.home and c.founding == charter.founding)
            held = accords.kept(*(site.disk.sidecars() for site in members))
            said = accords.said(strands[home.ch], home.founding, home.members, held)
            known = held | said.complete(home.members)
            self._receipted(charter, members, strands[charter.ch])
            for site in members:
                for how, node in (("as it ran", site.node), ("folded anew from its disk", fresh[site.party])):
                    line, wanted = node.lines[charter.ch], said if charter.home else None
                    if story := accords.flaw(line, strands[charter.ch], known, wanted):
                        raise Broken("agreed", f"{site.party}, {how}, {story}")
            self._agreed(charter, members, strands[charter.ch], known, fresh)
        for site in sites:
            for entry in self._memory(site).durable:
                record = site.disk.entry(entry)
                if record is None or any(
                    other.disk.entry(entry) is None
                    for charter in charters
                    if charter.ch == record.ch
                    for other in sites
                    if other.party in charter.members
                ):
                    raise Broken(
                        "lost", f"entry {entry[:8]}, which {site.party} was told of, is not everywhere at rest"
                    )

    def despite(self, liar: str, sites: Sequence[Site], charters: Iterable[Charter]) -> None:
        """With a liar among the members: the honest ones hold the same of each other, and know what it did. (A fork
        is proven within a line check, so long before this: `proven`.)"""
        honest = [site for site in sites if site.party != self.liar]
        for charter in charters:
            copies = {site.party: _copy(site, charter.ch) for site in honest}
            for one, other in itertools.combinations(honest, 2):
                mine, theirs = copies[one.party], copies[other.party]
                for author in charter.members:
                    if author != self.liar or liar != "equivocator":
                        a, b = ({k: _bytes(c) for k, c in x.items() if k[0] == author} for x in (mine, theirs))
                        if a != b:
                            raise Broken("split", f"{one.party} and {other.party} hold different copies of {author}")
        if liar == "backdater" and not any(("Backdated", self.liar) in self._memory(s).named for s in honest):
            raise Broken("convicted", f"nobody names {self.liar}, who backdates")

    def _strands(self, charter: Charter, members: list[Site]) -> Chains:
        """Every epoch of every strand, once it is seen that all copies are the same, dense and chained."""
        copies = {site.party: _copy(site, charter.ch) for site in members}
        for author in charter.members:
            own = {k: chain for k, chain in copies[author].items() if k[0] == author}
            if not own:
                raise Broken("stuck", f"{author} never opened its line with {' and '.join(charter.members)}")
            for member in charter.members:
                copy = {k: chain for k, chain in copies[member].items() if k[0] == author}
                if {k: _bytes(c) for k, c in copy.items()} != {k: _bytes(c) for k, c in own.items()}:
                    held, wrote = (sum(map(len, c.values())) for c in (copy, own))
                    story = f"{member} holds {held} entries of {author}, who holds {wrote}"
                    raise Broken("split", story if held != wrote else f"{story}, and they differ")
        chains = {
            key: [self.reader.entry(r.envelope, r.body) for r in chain]
            for key, chain in copies[charter.members[0]].items()
        }
        for (author, epoch), chain in chains.items():
            prev = "0" * 64
            for seq, read in enumerate(chain, 1):
                if (read.seq, read.prev, read.epoch) != (seq, prev, epoch):
                    raise Broken("duplicated", f"the strand of {author} is not dense and chained at place {seq}")
                prev = read.hash
        return chains

    def _receipted(self, charter: Charter, members: list[Site], chains: Chains) -> None:
        for site in members:
            channel = site.node.lines[charter.ch].channel
            recovery = site.node.lines[charter.ch].recovery
            if recovery.waiting or recovery.due_mono_ms is not None:
                raise Broken("stuck", f"{site.party} still asks its peers after a restore")
            for peer, outbox in channel.outboxes.items():
                if outbox.receipted < channel.newest:
                    story = f"{site.party} repeats from {outbox.receipted} of {channel.newest} entries to {peer}"
                    raise Broken("stuck", story)
            if self.restores:
                continue  # receipts are beside the strands: they may be lost with a record
            newest: dict[tuple[str, str], int] = {}
            for kept in site.disk.sidecars():
                receipt = self.reader.receipt(kept.envelope) if kept.kind == "stored" else None
                if receipt is not None and (receipt.ch, receipt.of) == (charter.ch, site.party):
                    key = receipt.by, receipt.epoch
                    newest[key] = max(receipt.seq, newest.get(key, 0))
            for (author, epoch), chain in chains.items():
                for member in charter.members if author == site.party else ():
                    if member != author and (upto := newest.get((member, epoch), 0)) != len(chain):
                        story = f"{author} has receipts of {member} up to {upto} of {len(chain)} entries"
                        raise Broken("stuck", story)

    def _agreed(
        self, charter: Charter, members: list[Site], chains: Chains, known: set[str], fresh: dict[str, Node]
    ) -> None:
        """`fresh` are nodes that were built anew from the disks of now."""
        fold = Fold(chains, known)
        if fold.ignored and not self.restores:
            read = fold.ignored[0]
            raise Broken("agreed", f"what was signed does not follow: entry {read.seq} of {read.author}")
        wanted = fold.pictures
        delivered: dict[str, set[tuple[str, str]]] = {}
        seen: dict[str, set[tuple[str, str]]] = {}
        for site in members:
            for how, node in (("as it ran", site.node), ("folded anew from its disk", fresh[site.party])):
                shown = picture(node, charter.ch)
                if shown != wanted:
                    raise Broken("agreed", f"the board of {site.party}, {how}: {_difference(shown, wanted)}")
            if self.restores:
                continue
            rungs = [rungs_by_machine(node.lines[charter.ch].board) for node in (site.node, fresh[site.party])]
            if rungs[0] != rungs[1]:
                story = f"machine rungs of {site.party} differ after a restart: {sorted(rungs[0] ^ rungs[1])[:3]}"
                raise Broken("agreed", story)
            delivered[site.party] = {(of, member) for of, member, step, _ in rungs[0] if step == "DELIVERED"}
            seen[site.party] = {(of, member) for of, member, step, _ in rungs[0] if step == "SEEN"}
        everywhere = {
            (str(version[2]), member)
            for thread in wanted.values()
            for version in thread.versions
            for member in charter.members
            if member != thread.author
        }
        for party, rungs_seen in seen.items():
            # A `shown` receipt that is lost is not repeated, so others may know less; never more.
            if invented := {(of, by) for of, by in rungs_seen if by in seen} - seen_by_themselves(seen):
                raise Broken("agreed", f"{party} shows as SEEN what no screen showed: {sorted(invented)[:3]}")
        for party, reached in delivered.items():
            # A third member's receipts are its own affair: they are sent to the author only.
            if not self.restores and reached != everywhere and len(charter.members) == 2:
                story = f"{party} shows {len(reached)} deliveries of {len(everywhere)}, all of which took place"
                raise Broken("agreed", story)


def _copy(site: Site, ch: str) -> dict[tuple[str, str], list[EntryRecord]]:
    """What a site holds of a channel, by (author, epoch), in the order of places."""
    found: dict[tuple[str, str], list[EntryRecord]] = {}
    for (of, author), strand in site.disk.strands().items():
        for record in strand if of == ch else ():
            found.setdefault((author, record.epoch), []).append(record)
    return found


def _same(one: list[EntryRecord], other: list[EntryRecord]) -> bool:
    """As far as both go."""
    return all(a.hash == b.hash for a, b in zip(one, other, strict=False))


def _bytes(chain: list[EntryRecord]) -> list[tuple[str, bytes, bytes]]:
    return [(r.hash, r.envelope, r.body) for r in chain]


def picture(node: Node, ch: str) -> dict[str, Picture]:
    """A board in the terms of `outside.fold`."""
    line = node.lines.get(ch)
    if line is None:
        return {}
    shown = {}
    for thread in line.board:
        shown[f"{thread.author} {thread.ref}"] = Picture(
            thread.author, thread.ref,
            [[v.number, v.kind, v.entry, v.by, v.t_ms] for v in thread.versions],
            thread.cancelled.entry if thread.cancelled else "",
            [list(report) for report in thread.activity.reports], thread.refines,
            sorted([s.facts["of"], s.member, s.step, s.by, s.t_ms, s.entry] for s in thread.steps if s.entry),
        )  # fmt: skip
        if thread.newest.entry != shown[f"{thread.author} {thread.ref}"].versions[-1][2]:
            shown[f"{thread.author} {thread.ref}"].versions.append(["newest", thread.newest.entry])
    return shown


def rungs_by_machine(board: Board) -> set[tuple[str, str, str, int]]:
    """DELIVERED and SEEN: `(entry of the version, member, rung, claimed time)`."""
    return {(s.facts["of"], s.member, s.step, s.t_ms) for thread in board for s in thread.steps if not s.entry}


def seen_by_themselves(seen: dict[str, set[tuple[str, str]]]) -> set[tuple[str, str]]:
    """What each member knows that its own screens showed."""
    return {(of, by) for party, rungs in seen.items() for of, by in rungs if by == party}


def _difference(shown: dict[str, Picture], wanted: dict[str, Picture]) -> str:
    for name in sorted(shown.keys() | wanted.keys()):
        a, b = shown.get(name), wanted.get(name)
        if a != b:
            if a is None or b is None:
                return f"{name} is {'missing' if a is None else 'not in the strands'}"
            for field in a.__struct_fields__:
                if getattr(a, field) != getattr(b, field):
                    return f"{name}: {field} {getattr(a, field)!r}, by the strands {getattr(b, field)!r}"
    return "no difference"


def _name(record: EntryRecord) -> str:
    return f"{record.seq} of {record.author} ({record.hash[:8]})"
