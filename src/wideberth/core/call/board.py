# SPDX-License-Identifier: Apache-2.0
"""The board of one channel: every notice and ALERT with its versions and its acknowledgement ladder.

The board is a pure fold of what was said: apply entries strand by strand and it comes out the same on every node,
whatever the order in which the strands interleave, because every word binds to an exact entry by its hash and only the
author of a notice can make versions of it (`tests/laws/test_board_laws.py`). Clocks order nothing.

The ladder of one version, for each other member (domain.md E1; E2: bound to the version's hash):

    SENT -> DELIVERED -> SEEN -> ACKNOWLEDGED -> READ_BACK -> RELAYED
    beside it: MISMATCH, INSUFFICIENT, OBJECTED, REFUSED; by time alone: EXPIRED

SENT is our signature; DELIVERED the member's signed `stored` receipt; SEEN its machine's claim; the rest are signed by
an officer. No step implies another: what was skipped is named. Every acknowledgement is a receipt and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from wideberth.core.call import care
from wideberth.core.call.accord import Accord, AccordWord
from wideberth.core.call.dialogue import Clash, Dialogue
from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.hotline import Hotline, Talk
from wideberth.core.call.linelog import LineLog, LineSaid
from wideberth.core.call.rulebook import RuleBook
from wideberth.core.call.statements import Statements
from wideberth.core.call.thread import LADDER as LADDER
from wideberth.core.call.thread import Step as Step
from wideberth.core.call.thread import Thread as Thread
from wideberth.core.call.thread import Version as Version
from wideberth.core.say import notice, readback
from wideberth.core.say.conflict import ConflictWord
from wideberth.core.say.protect import CareWord, Verification
from wideberth.core.say.rules import Rules
from wideberth.core.say.standing import LineCheckAnswer, Statement
from wideberth.core.say.talk import Clarification, Message, TalkWord
from wideberth.core.say.words import (
    CARED_FOR,
    RECEIPT_ONLY,
    Acknowledgement,
    ActivityReport,
    Alert,
    Amendment,
    Cancellation,
    Correction,
    EpochOpened,
    Extension,
    Insufficient,
    NilReturn,
    Notice,
    NoticeVersion,
    Objection,
    OffNominal,
    Outage,
    ReadBack,
    Refusal,
    RelayCount,
    Terms,
    VoiceContact,
    Word,
)
from wideberth.core.seal.entry import Header, kind_of

_REVISIONS: Final[dict[type, notice.Revision]] = {
    Amendment: "amend", Correction: "correct", Extension: "extend", OffNominal: "offnominal",
}  # fmt: skip

Answer = Acknowledgement | Insufficient | ReadBack | Objection | Refusal | RelayCount


class Change(msgspec.Struct, frozen=True):
    """What one entry did to the board: a `version` of a thread, a `step`, a `report`, `talk` on the hotline, `care` of
    a site or movement, something about the `agreement`, or of a `clash` of two notices, or just a `word` on the line.
    `signed` is a version of the agreement that came into force by it."""

    what: str
    thread: Thread | None = None
    version: Version | None = None
    step: Step | None = None
    facts: dict[str, Any] = {}
    signed: bytes | None = None
    talk: Talk | None = None
    clash: Clash | None = None

    @property
    def ref(self) -> str:
        """Of the notice, ALERT, message, question or clash that it is about; or empty."""
        about = self.thread or self.talk or self.clash
        return about.ref if about is not None else ""

    def rings(self, entry: str, at_ms: int, us: str) -> bool:
        """Whether what that entry said still concerns us: it lives, and nothing took its place."""
        if self.talk is not None:
            return self.talk.waits_for(us, at_ms) and self.talk.lives(at_ms)
        return self.thread is not None and self.thread.live(at_ms) and self.thread.newest.entry == entry


class Board:
    """`versions` is anything that knows the rules of a version by its hash, and those in force at a time. `accord` is
    there on the line on which the mechanism itself is talked about. `positions`: whether statements belong here."""

    def __init__(
        self, ch: str, versions: RuleBook, us: str, accord: Accord | None = None, *, positions: bool = False
    ) -> None:
        self.ch = ch
        self.accord = accord
        self.lines = LineLog()
        self.hotline = Hotline()
        self.dialogue = Dialogue(versions)
        self.statements = Statements(positions)
        self.versions = versions
        self.us = us
        self.threads: dict[tuple[str, str], Thread] = {}
        self.words: list[tuple[str, str, int, Word]] = []
        # Sites and movements, and a count that grows with everything that is said of them.
        self.cared: list[Thread] = []
        self.cared_count = 0
        self._by_entry: dict[str, Thread] = {}
        self._by_ref: dict[str, list[Thread]] = {}
        self._by_place: dict[tuple[str, str, int], tuple[Thread, Version]] = {}
        # What was shown here of each author's epochs: up to which place, and when; ascending.
        self._shown: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._notices: dict[str, int] = {}
        self._openings: dict[str, int] = {}

    def rules_at(self, t_ms: int) -> Rules:
        """Of the version in force at a time."""
        return self.versions.rules_at(t_ms)

    def rules_of(self, version: Version) -> Rules:
        """Of the version of the agreement that a notice was given under: it judges it for good (domain.md A3)."""
        rules = self.versions.rules_of(version.agr)
        assert rules is not None, "what was folded was under a version that is here"
        return rules

    def next_number(self, author: str) -> int:
        """For the reference of the author's next notice. Each epoch counts in a thousand of its own: after a restore
        an author does not know which numbers it has forgotten."""
        return self._notices.get(author, 0) + 1 + 1000 * max(0, self._openings.get(author, 1) - 1)

    def is_shown(self, author: str, epoch: str, seq: int) -> bool:
        """Whether that place of the author's strand carries what people are shown: a version of a notice, an ALERT, a
        message, a question."""
        return (author, epoch, seq) in self._by_place or self.hotline.has_place(author, epoch, seq)

    def hand_over(self, other: Board) -> None:
        """What machines signed to a board that was folded anew, and knew what was shown (`knew_shown`)."""
        for thread in self:
            for step in thread.steps:
                if step.step in ("DELIVERED", "SEEN"):
                    of = step.facts["of"]
                    found = other._by_entry.get(of)
                    version = found.version(of) if found else None
                    if found is None or version is None:
                        continue
                    if not any(s.step == step.step for s in found.steps_of(of, step.member)):
                        found.steps.append(step)
        self.hotline.hand_over(other.hotline)

    def knew_shown(self, before: Board) -> None:
        """Before anything is folded: what was shown here."""
        self._shown = before._shown

    def shown_up_to(self, author: str, epoch: str) -> int:
        shown = self._shown.get((author, epoch))
        return shown[-1][0] if shown else 0

    def note_shown(self, author: str, epoch: str, seq: int, t_ms: int) -> None:
        if seq > self.shown_up_to(author, epoch):
            self._shown.setdefault((author, epoch), []).append((seq, t_ms))

    def find(self, ref_or_entry: str, author: str | None = None) -> Thread | None:
        """By reference, or by the hash of any of its versions."""
        thread = self._by_entry.get(ref_or_entry)
        if thread is not None:
            return thread
        found = [t for t in self._by_ref.get(ref_or_entry, ()) if author in (None, t.author)]
        return found[0] if len(found) == 1 else None

    def __iter__(self) -> Iterator[Thread]:
        return iter(self.threads.values())

    def adopt(self, thread: Thread) -> None:
        """Take over a whole thread of another board, with all its versions."""
        self._open(thread)
        for version in thread.versions:
            self._index(thread, version)

    def apply(self, header: Header, entry: str, what: Word, stored_ms: int) -> Change:
        """Fold one entry in. Raises NotUnderstood, and then nothing has changed."""
        change = self._apply(header, entry, what, stored_ms)
        author, epoch, seq = header.sender, header.epoch, header.seq
        if seq <= self.shown_up_to(author, epoch):
            # It waited, and what was shown since covers it: so do the receipts that others have of that.
            upto, t_ms = next(shown for shown in self._shown[author, epoch] if shown[0] >= seq)
            self.received(author, epoch, seq, self.us, "shown", t_ms, upto)
        return change

    def _apply(self, header: Header, entry: str, what: Word, stored_ms: int) -> Change:
        if self.versions.rules_of(header.agr) is None:
            raise NotUnderstood("it was signed under a version of the agreement that is not known here")
        if isinstance(what, TalkWord):
            named = what.about if isinstance(what, Message) else what.of if isinstance(what, Clarification) else ""
            talk, facts = self.hotline.take(header, entry, what, stored_ms, self._by_entry.get(named))
            return Change("talk", facts=facts, talk=talk)
        if isinstance(what, AccordWord):
            if self.accord is None:
                raise NotUnderstood("the agreement is talked about on another line of this mechanism")
            facts, signed = self.accord.apply(header, entry, what)
            return Change("agreement", facts=facts, signed=signed)
        if isinstance(what, CareWord):
            return self._care(header, entry, what)
        if isinstance(what, ConflictWord):
            one, other = self._by_entry.get(what.one), self._by_entry.get(what.other)
            clash, facts = self.dialogue.take(header, entry, what, stored_ms, one, other)
            return Change("clash", facts=facts, clash=clash)
        if isinstance(what, LineSaid):
            if why := self.lines.take(header, entry, what):
                raise NotUnderstood(why)
            if isinstance(what, Outage | VoiceContact):
                self.words.append((header.sender, entry, header.t_ms, what))
            asked = self.lines.check(what.of) if isinstance(what, LineCheckAnswer) else None
            return Change("word", facts={"asked_by": asked.author, "asked_ms": asked.t_ms} if asked else {})
        match what:
            case Notice() | Amendment() | Correction() | Extension() | OffNominal():
                return self._version(header, entry, what, stored_ms)
            case Cancellation():
                return self._cancel(header, entry, what, stored_ms)
            case Alert():
                return self._alert(header, entry, what, stored_ms)
            case ActivityReport():
                return self._report(header, what)
            case Acknowledgement() | Insufficient() | ReadBack() | Objection() | Refusal() | RelayCount():
                return self._answer(header, entry, what, stored_ms)
            case EpochOpened():
                self._openings[header.sender] = self._openings.get(header.sender, 0) + 1
                self.lines.opened(header, what)
                self.hotline.opened(header)
                return Change("word")
            case Statement():
                return Change("word", facts=self.statements.take(header, entry, what))
            case NilReturn():
                self.words.append((header.sender, entry, header.t_ms, what))
                return Change("word")
            case _:
                return Change("word")

    def received(
        self, author: str, epoch: str, seq: int, member: str, level: str, t_ms: int, upto: int
    ) -> Change | None:
        """A member's machine signed, at its `t_ms`, that it stored (or showed) the author's epoch up to and with
        `upto`, which covers `seq`.

        Receipts are cumulative, and may come late or out of order: the one that covers least was signed first, whatever
        the clocks say, so its time holds.
        """
        found = self._by_place.get((author, epoch, seq))
        if found is None:
            talk = self.hotline.received(author, epoch, seq, member, level, t_ms, upto)
            return Change("talk", talk=talk) if talk is not None else None
        thread, version = found
        name = "DELIVERED" if level == "stored" else "SEEN"
        before = next((s for s in thread.steps_of(version.entry, member) if s.step == name), None)
        if before is not None and before.facts["upto"] <= upto:
            return None
        facts: dict[str, Any] = {"of": version.entry, "upto": upto}
        if name == "DELIVERED" and version.terms is not None:
            facts["lead_delivered"] = msgspec.to_builtins(notice.lead(version.terms, self.rules_of(version), t_ms))
        step = Step(name, member, f"{member}/node", t_ms, t_ms, "", facts)
        if before is not None:
            thread.steps.remove(before)
        thread.steps.append(step)
        return Change("step", thread, version, step)

    # --- the words, one by one ---

    def _version(self, header: Header, entry: str, what: NoticeVersion, stored_ms: int) -> Change:
        thread = self.threads.get((header.sender, what.ref))
        if isinstance(what, Notice):
            if thread is not None:
                raise NotUnderstood(f"reference {what.ref} is in use by {header.sender} already")
            number = 1
            refined = self._by_entry.get(what.refines) if what.refines else None
            if what.refines and (refined is None or refined.kind != "alert" or refined.author != header.sender):
                raise NotUnderstood("it refines an ALERT that its author did not raise here")
        else:
            refined = None
            thread, number = self._revised(header, what.ref, what.of, what.version)
            before = thread.terms
            assert before is not None
            # Judged at the author's own claim of the time, so that every node judges alike.
            flaws = notice.check_revision(_REVISIONS[type(what)], before, what.terms, now_ms=header.t_ms)
            fatal = [f.sentence for f in flaws if f.fatal]
            if fatal:
                raise NotUnderstood("; ".join(fatal))
        facts: dict[str, Any] = {
            "lead_given": msgspec.to_builtins(notice.lead(what.terms, self._rules(header), header.t_ms)),
        }
        if isinstance(what, OffNominal):
            facts["cause"] = what.cause.value
        if thread is not None and thread.terms is not None:
            facts["shift_mm"] = notice.shift(thread.terms, what.terms).place_mm
        if thread is None:
            thread = Thread(self.ch, header.sender, what.ref, "notice")
            self._open(thread)
            self._notices[header.sender] = self._notices.get(header.sender, 0) + 1
        if refined is not None:
            refined.refined_by = what.ref
            facts["refines"] = refined.ref
            thread.refines = what.refines  # type: ignore[union-attr]
        version = self._given(header, number, kind_of(what), entry, stored_ms, what.terms)
        self._add(thread, version)
        if isinstance(what, Correction):
            facts["void"] = sorted({s.member for s in thread.steps if s.step in ("ACKNOWLEDGED", "READ_BACK")})
        return Change("version", thread, version, facts=facts)

    def _revised(self, header: Header, ref: str, of: str, number: int) -> tuple[Thread, int]:
        thread = self.threads.get((header.sender, ref))
        if thread is None or thread.kind != "notice":
            raise NotUnderstood(f"{header.sender} has no notice {ref}")
        if thread.cancelled is not None:
            raise NotUnderstood(f"notice {ref} was cancelled")
        if thread.finished_ms is not None:
            # It is over for everybody, so a new version would neither ring nor be weighed.
            raise NotUnderstood(f"notice {ref} was reported finished; give a new notice")
        if thread.newest.entry != of or number != thread.newest.number + 1:
            raise NotUnderstood(f"it does not follow version {thread.newest.number} of notice {ref}")
        return thread, number

    def _cancel(self, header: Header, entry: str, what: Cancellation, stored_ms: int) -> Change:
        thread, number = self._revised(header, what.ref, what.of, what.version)
        version = self._given(header, number, "cancel", entry, stored_ms, None, what.text)
        self._add(thread, version)
        thread.cancelled = version
        return Change("version", thread, version)

    def _alert(self, header: Header, entry: str, what: Alert, stored_ms: int) -> Change:
        # An ALERT has no reference of its own on the wire: it must go out on one key.
        thread = Thread(self.ch, header.sender, f"ALERT-{entry[:8].upper()}", "alert")
        thread.alert_of_distress = what.distress
        self._open(thread)
        version = self._given(header, 1, "alert", entry, stored_ms, None, what.text)
        self._add(thread, version)
        return Change("version", thread, version, facts={"started_ms": what.started_ms})

    def _open(self, thread: Thread) -> None:
        self.threads[thread.author, thread.ref] = thread
        self._by_ref.setdefault(thread.ref, []).append(thread)

    def _rules(self, header: Header) -> Rules:
        rules = self.versions.rules_of(header.agr)
        assert rules is not None, "apply looked before"
        return rules

    @staticmethod
    def _given(
        h: Header, number: int, kind: str, entry: str, stored_ms: int, terms: Terms | None, text: str = ""
    ) -> Version:
        return Version(number, kind, entry, h.by, h.epoch, h.seq, h.t_ms, stored_ms, terms, text, h.agr, h.seen)

    def _add(self, thread: Thread, version: Version) -> None:
        thread.versions.append(version)
        self._index(thread, version)

    def _care(self, header: Header, entry: str, what: CareWord) -> Change:
        thread = self._by_entry.get(what.of)
        version, told = care.take(thread, header, entry, what)
        assert thread is not None
        thread.told.append(told)
        self.cared_count += 1
        facts: dict[str, Any] = {"at_ms": told.at_ms}
        if isinstance(what, Verification):
            facts = {"off_mm": told.off_mm, "differs": told.off_mm > self.rules_of(version).pin_mm}
        return Change("care", thread, version, facts=facts)

    def _index(self, thread: Thread, version: Version) -> None:
        terms = thread.terms
        if terms is not None and terms.type in CARED_FOR:
            self.cared_count += 1
            if thread not in self.cared:
                self.cared.append(thread)
        self._by_entry[version.entry] = thread
        self._by_place[thread.author, version.epoch, version.seq] = (thread, version)

    def _report(self, header: Header, what: ActivityReport) -> Change:
        thread = self._by_entry.get(what.of)
        if thread is None or thread.author != header.sender or thread.ref != what.ref:
            raise NotUnderstood(f"{header.sender} has no notice {what.ref} in that version")
        named = self._by_entry.get(what.why) if what.why else None
        seen = named.version(what.why) if named is not None else None
        # By the exact version that is named: what came of it since may be here or not yet.
        thread.activity.take(what, header.by, seen.terms.type if seen is not None and seen.terms else None)
        self.cared_count += 1
        return Change("report", thread, thread.version(what.of), facts={
            "state": what.state, "at_ms": what.at_ms, "ended": thread.finished_ms is not None,
            **({"why": named.ref} if named is not None else {}),
        })  # fmt: skip

    def _answer(self, header: Header, entry: str, what: Answer, stored_ms: int) -> Change:
        thread = self._by_entry.get(what.of)
        if thread is None or thread.ref != what.ref:
            raise NotUnderstood(f"it answers {what.ref} in a version that is not here")
        if thread.author == header.sender:
            raise NotUnderstood("nobody acknowledges or answers a notice of their own")
        version = thread.version(what.of)
        assert version is not None
        name, facts = self._rung(what, version)
        facts["of"] = version.entry
        reached = {s.step for s in thread.steps_of(version.entry, header.sender)}
        if name in LADDER:
            skipped = [s for s in LADDER[1 : LADDER.index(name)] if s not in reached]
            # A notice read back is a notice acknowledged by voice or hand: the rung is named as skipped, not invented.
            if skipped:
                facts["skipped"] = skipped
        if version.entry != thread.newest.entry:
            facts["stale"] = f"version {version.number} of {thread.newest.number}"
        step = Step(name, header.sender, header.by, header.t_ms, stored_ms, entry, facts, header.agr)
        thread.steps.append(step)
        return Change("step", thread, version, step)

    def _rung(self, what: Answer, version: Version) -> tuple[str, dict[str, Any]]:
        match what:
            case Acknowledgement():
                return "ACKNOWLEDGED", {"means": RECEIPT_ONLY}
            case Insufficient():
                return "INSUFFICIENT", {"fields": list(what.fields), "text": what.text}
            case Objection():
                return "OBJECTED", {"text": what.text}
            case Refusal():
                return "REFUSED", {"text": what.text}
            case RelayCount():
                return "RELAYED", {"relayed": what.relayed, "units": what.units}
            case ReadBack():
                if version.terms is None:
                    raise NotUnderstood("there is no place to read back in that version")
                rules = self.rules_of(version)
                compared = readback.compare(version.terms, rules, what.point, what.start_ms, what.end_ms)
                facts = {"as_read": what.as_read, **msgspec.to_builtins(compared)}
                return ("READ_BACK" if compared.ok else "MISMATCH"), facts
