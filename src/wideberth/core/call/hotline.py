# SPDX-License-Identifier: Apache-2.0
"""The hotline of one line: messages between its cells, questions about notices, and what was said of each.

A pure fold, the same in whatever order the strands interleave: everything binds to an exact entry by its hash. It is
read in causal order: what an author held when it wrote comes before, and ties go by author; clocks order nothing.

What one other member did with a message or a question, in one word (only the last two are signed by an officer):

    SENT -> DELIVERED -> SEEN -> READ_BACK or ANSWERED

An urgent message waits for a member until that member's officer read it back or answered it, or a day is over. "Is it
yours?" waits for every other member until it answered OURS or UNKNOWN, however long; nobody's answer is ever inferred.
No state means that anybody agreed to anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

import msgspec

from wideberth.core.call.fault import NotUnderstood
from wideberth.core.call.ladders import HEARD, WHOSES, Heard, Said, Whoses, WhoseSaid, walk
from wideberth.core.limits import MESSAGE_LIVES_MS
from wideberth.core.say import reference
from wideberth.core.say.base import Place, Precedence
from wideberth.core.say.live import Owner, Whose
from wideberth.core.say.talk import Clarification, ClarificationAnswer, HeardAs, Message, TalkWord, Translation
from wideberth.core.seal.entry import Header

STANDINGS: Final = tuple(state.value for state in Heard)

# What a reference begins with, as that of a notice begins with letters of its author.
MESSAGE: Final = "MSG"
QUESTION: Final = "ASK"
WHOSE: Final = "WHS"
# Eight digits, so that no shorter spelling of the number is another reference (say/reference.py).
_NUMBERS_FROM: Final = 1_000_000
_NUMBERS: Final = 99_000_000


def reference_of(kind: str, entry: str) -> str:
    """`MSG-48210937-Y`: from the hash of an entry, so that nothing on the wire has to name it."""
    return reference.make(kind, _NUMBERS_FROM + int(entry[:16], 16) % _NUMBERS)


class Noticed(Protocol):
    """A notice that is asked about, as far as the hotline needs it."""

    author: str
    ref: str


class Spoken(msgspec.Struct, frozen=True):
    """One word as its author gave it. `t_ms` is the author's claim, `stored_ms` our clock; `seen`: what it held."""

    author: str
    by: str
    entry: str
    agr: str
    epoch: str
    seq: int
    t_ms: int
    stored_ms: int
    seen: dict[str, Place]
    what: TalkWord


class Talk:
    """A message or a question, with everything that was said of it. `notice`: the author of the notice asked about."""

    def __init__(self, said: Spoken, ref: str, replies: list[Spoken], notice: str = "") -> None:
        self.said = said
        self.ref = ref
        self.notice = notice
        self.replies = replies
        self.translations: list[Spoken] = []
        self.read_backs: list[Spoken] = []
        self.answers: list[Spoken] = []
        # By member and level: the member's time of the receipt that covers least, and up to where that one goes.
        self.receipts: dict[tuple[str, str], tuple[int, int]] = {}

    @property
    def author(self) -> str:
        return self.said.author

    @property
    def message(self) -> Message | None:
        """None: it is a question."""
        return self.said.what if isinstance(self.said.what, Message) else None

    @property
    def whose(self) -> Whose | None:
        """The traffic that is asked about; None: it is not about traffic seen."""
        return self.said.what if isinstance(self.said.what, Whose) else None

    def owner(self, member: str) -> str:
        """What a member said of it last: OURS or UNKNOWN; empty while it has said nothing."""
        said = [each.what.whose for each in self.answers if each.author == member and isinstance(each.what, Owner)]
        state = walk(WHOSES, Whoses.OPEN, map(WhoseSaid, said))
        return "" if state is Whoses.OPEN else state.value

    @property
    def about(self) -> str:
        """The version of a notice that it is about, by its entry; or empty."""
        what = self.said.what
        return what.about if isinstance(what, Message) else "" if isinstance(what, Whose) else what.of

    @property
    def precedence(self) -> Precedence:
        """A question has none of its own: how soon it is to be answered follows from the notice. Traffic that is there
        now is not asked about in an hour."""
        message = self.message
        if message is not None:
            return message.precedence
        return Precedence.IMMEDIATE if self.whose is not None else Precedence.ROUTINE

    def standing(self, member: str) -> str:
        """How far this came with one other member."""
        levels = {level for of, level in self.receipts if of == member}
        said = [Said.DELIVERED] if "stored" in levels else []
        said += [Said.SEEN] if "shown" in levels else []
        said += [Said.READ_BACK for each in self.read_backs if each.author == member]
        said += [Said.ANSWERED for each in (*self.replies, *self.answers) if each.author == member]
        return walk(HEARD, Heard.SENT, said).value

    def asks(self, member: str) -> bool:
        """Whether an answer of that member is looked for: of everybody on a message, of its author on a notice."""
        return member != self.author and self.notice in ("", member)

    def waits_for(self, member: str, at_ms: int) -> bool:
        """Whether it still waits for that member to read it back or answer it."""
        if self.whose is not None:
            return self.asks(member) and not self.owner(member)
        if self.message is None:
            done = bool(self.answers)
        else:
            done = self.standing(member) in ("READ_BACK", "ANSWERED")
        return self.asks(member) and not done and self.lives(at_ms)

    def lives(self, at_ms: int) -> bool:
        """Until a day after its author says that it was written."""
        return at_ms < self.over_ms

    @property
    def over_ms(self) -> int:
        return self.said.t_ms + MESSAGE_LIVES_MS


class Hotline:
    """`talks` are the messages and questions of one channel in the order in which they came here."""

    def __init__(self) -> None:
        # Grows with everything that is folded in: whoever keeps something worked out sees that it is old.
        self.count = 0
        self.talks: list[Talk] = []
        self._by_entry: dict[str, Talk] = {}
        self._by_ref: dict[str, list[Talk]] = {}
        self._by_place: dict[tuple[str, str, int], Talk] = {}
        self._replies: dict[str, list[Spoken]] = {}
        self._questions: dict[str, list[Talk]] = {}
        self._epochs: dict[str, list[str]] = {}

    def opened(self, header: Header) -> None:
        """A member's strand begins, or goes on in a new epoch."""
        self._epochs.setdefault(header.sender, []).append(header.epoch)

    def take(
        self, header: Header, entry: str, what: TalkWord, stored_ms: int, notice: Noticed | None
    ) -> tuple[Talk, dict[str, Any]]:
        """Fold one word in: what it is said of (itself, for a message or a question), and facts for people. `notice` is
        the one that it names. Raises NotUnderstood, and then nothing has changed."""
        said = Spoken(
            header.sender, header.by, entry, header.agr, header.epoch, header.seq, header.t_ms, stored_ms, header.seen,
            what,
        )  # fmt: skip
        facts: dict[str, Any]
        match what:
            case Message():
                talk = self._add(said, MESSAGE)
                answers = self._by_entry.get(what.reply_to) if what.reply_to else None
                if what.reply_to:
                    self._replies.setdefault(what.reply_to, []).append(said)
                facts = {"precedence": what.precedence.value, "answers": answers.ref if answers else ""}
            case Clarification():
                if notice is None:
                    raise NotUnderstood("it asks about a notice in a version that is not here")
                if notice.author == said.author:
                    raise NotUnderstood("nobody asks about a notice of their own")
                talk = self._add(said, QUESTION, notice.author)
                self._questions.setdefault(what.of, []).append(talk)
                facts = {"notice": notice.ref, "questions": list(what.questions)}
            case Translation():
                talk = self._of(what.of)
                talk.translations.append(said)
                facts = {"language": what.language}
            case HeardAs():
                talk = self._of(what.of)
                if talk.author == said.author:
                    raise NotUnderstood("nobody reads back a message of their own")
                talk.read_backs.append(said)
                facts = {"answers": talk.ref}
            case Whose():
                talk, facts = self._add(said, WHOSE), {}
            case Owner():
                talk = self._of(what.of)
                if talk.whose is None:
                    raise NotUnderstood("it says whose something is that nobody asked about")
                if talk.author == said.author:
                    raise NotUnderstood("nobody answers a question of their own")
                before = talk.owner(said.author)
                talk.answers.append(said)
                facts = {"answers": talk.ref, "whose": what.whose, "before": before}
            case ClarificationAnswer():
                talk = self._answered(said, what)
                # By both authors' claims; screens show beside it how long it took by our own clock.
                facts = {"answers": talk.ref, "after_ms": said.t_ms - talk.said.t_ms}
        self.count += 1
        return talk, facts

    def _add(self, said: Spoken, kind: str, notice: str = "") -> Talk:
        talk = Talk(said, reference_of(kind, said.entry), self._replies.setdefault(said.entry, []), notice)
        self.talks.append(talk)
        self._by_entry[said.entry] = talk
        self._by_ref.setdefault(talk.ref, []).append(talk)
        self._by_place[said.author, said.epoch, said.seq] = talk
        return talk

    def _of(self, entry: str) -> Talk:
        talk = self._by_entry.get(entry)
        if talk is None:
            raise NotUnderstood("it is about a message that is not here")
        return talk

    def _answered(self, said: Spoken, what: ClarificationAnswer) -> Talk:
        talk = self._of(what.of)
        asked = talk.said.what
        if not isinstance(asked, Clarification):
            raise NotUnderstood("it answers something that is no question")
        if talk.notice != said.author:
            raise NotUnderstood("only the author of a notice answers questions about it")
        if strange := [r.question for r in what.replies if r.question not in asked.questions]:
            raise NotUnderstood(f"nobody asked for {', '.join(strange)}")
        talk.answers.append(said)
        return talk

    # --- receipts ---

    def has_place(self, author: str, epoch: str, seq: int) -> bool:
        return (author, epoch, seq) in self._by_place

    def received(self, author: str, epoch: str, seq: int, member: str, level: str, t_ms: int, upto: int) -> Talk | None:
        """A member's machine signed that it stored (or showed) this place, with everything up to `upto`. The receipt
        that covers least was signed first. None: nothing new."""
        talk = self._by_place.get((author, epoch, seq))
        if talk is None:
            return None
        before = talk.receipts.get((member, level))
        if before is not None and before[1] <= upto:
            return None
        talk.receipts[member, level] = t_ms, upto
        self.count += 1
        return talk

    def hand_over(self, other: Hotline) -> None:
        """What machines signed, to a hotline that was folded anew."""
        for talk in self.talks:
            if (found := other._by_entry.get(talk.said.entry)) is not None:
                found.receipts = talk.receipts
        other.count = self.count + 1

    # --- looking ---

    def find(self, ref_or_entry: str) -> Talk | None:
        """By its reference or its hash. None too where two have that reference; their hashes tell them apart."""
        found = self._by_ref.get(ref_or_entry, ())
        return self._by_entry.get(ref_or_entry) or (found[0] if len(found) == 1 else None)

    def questions(self, entry: str) -> list[Talk]:
        """About one exact version of a notice: by author, the oldest first."""
        return sorted(self._questions.get(entry, ()), key=lambda talk: (talk.author, self.order(talk.said)))

    def about(self, what: TalkWord) -> str:
        """The version of a notice that a word is about in the end, by its entry: of a message its own, else that of the
        message which it answers; or empty."""
        if isinstance(what, Clarification):
            return what.of
        if isinstance(what, Whose):
            return ""
        if isinstance(what, Message) and (what.about or not what.reply_to):
            return what.about
        talk = self._by_entry.get(what.reply_to if isinstance(what, Message) else what.of)
        # One step: a chain of replies goes back to a message that names it, or says it anew.
        return talk.about if talk is not None else ""

    def at(self, author: str, entry: str) -> Talk | None:
        talk = self._by_entry.get(entry)
        return talk if talk is not None and talk.author == author else None

    def apart(self, talk: Talk) -> None:
        """Take over one of another hotline as it was said, without what was said of it: to try a word on."""
        self._add(talk.said, talk.ref[: reference.PARTY_LETTERS], talk.notice)

    def order(self, said: Spoken) -> tuple[int, int]:
        """The place of a word in its author's strand, epochs counted in the order in which they were opened."""
        return self.place_of(said.author, said.epoch, said.seq)

    def place_of(self, author: str, epoch: str, seq: int) -> tuple[int, int]:
        """A place in an author's strand, to compare with another of the same author."""
        epochs = self._epochs.get(author, [])
        return (epochs.index(epoch) if epoch in epochs else len(epochs)), seq

    def __iter__(self) -> Iterator[Talk]:
        """In causal order, ties by author."""
        chains: dict[str, list[Talk]] = {}
        for talk in self.talks:
            chains.setdefault(talk.author, []).append(talk)
        for chain in chains.values():
            chain.sort(key=lambda talk: self.order(talk.said), reverse=True)
        done: set[str] = set()
        while chains:
            free = [author for author, chain in chains.items() if self._free(chain[-1], chains, done)]
            # Citations in a ring are a lie: go on, not wait.
            author = min(free or chains)
            talk = chains[author].pop()
            if not chains[author]:
                del chains[author]
            done.add(talk.said.entry)
            yield talk

    def _free(self, talk: Talk, chains: dict[str, list[Talk]], done: set[str]) -> bool:
        """Whether everything that its author held is out already."""
        for party, place in talk.said.seen.items():
            chain = chains.get(party)
            if chain and party != talk.author:
                held = self.place_of(party, place.epoch, place.seq)
                if self.order(chain[-1].said) <= held:
                    return False
        message = talk.message
        answered = self._by_entry.get(message.reply_to) if message is not None else None
        return answered is None or answered.said.entry in done or answered.author == talk.author
