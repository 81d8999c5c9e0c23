# SPDX-License-Identifier: Apache-2.0
"""No automatic action from silence (domain.md M3): a clock that runs on tells people, and changes nothing.

Two real record sides, GREEN cut off from BLUE: time passes for a day, in steps and in one leap. Whatever the alarms
say, nothing may be written, nobody may climb the ladder, and what is sent is only what had been said before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now
from wideberth.core.call.mustanswer import answers_view
from wideberth.core.feed import Forget
from wideberth.core.line import Effects, Line
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord
from wideberth.core.say.notice import ShortForm, accident
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.words import Hazard, NoticeType, Precedence
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import channel_id, countersign, sign_agreement
from wideberth.core.seal.keys import Ed25519Verifier, Signer
from wideberth.core.seal.party import sign_card
from wideberth.core.tells import Climbed, LineChanged, Overdue

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "spec"))
from first_notice import SEEDS, agreement, at, card, signer, terms

HOUR_MS = 3_600_000
# All that time alone may bring about, as it is told: each of them means *unknown*, or *over*.
BY_TIME_ALONE = {
    "UNDELIVERED",
    "UNACKNOWLEDGED",
    "UNANSWERED",
    "NOT_READ_BACK",
    "ENDING_SOON",
    "EXPIRED",
    "DEGRADED",
    "SILENT",
    "OVERDUE",
}


class Keys:
    def __init__(self, party: str) -> None:
        self.party = party

    @property
    def node(self) -> Signer:
        return signer(self.party, "node")

    def post(self, name: str) -> Signer | None:
        return signer(self.party, name) if name == "watch-1" else None

    def key(self, public: str) -> Signer | None:
        return next((s for s in (self.node, signer(self.party, "watch-1")) if s.public == public), None)


class Party:
    """A node and the entries that its store would hold."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kept: dict[str, EntryRecord] = {}
        counter = iter(range(1, 1_000_000))
        self.node = Node(
            name, Keys(name), Ed25519Verifier(), lambda n: next(counter).to_bytes(n, "big"), self.kept.get
        )  # fmt: skip
        signed = agreement()
        both = countersign(
            sign_agreement(signed, signer("BLUE", "root")), canonical.encode(signed), signer("GREEN", "root")
        )
        cards = tuple(sign_card(card(party), signer(party, "root")).encoded() for party in SEEDS)
        self.ch = channel_id(signed)
        self.step(ev.OpenLine(both.encoded(), cards), at("08:00:00"))

    def step(self, event: ev.Event, t_ms: int) -> Batch:
        batch = self.node.step(event, Now(t_ms, t_ms))
        self.kept.update({r.hash: r for r in batch.store if isinstance(r, EntryRecord)})
        return batch

    def frames(self, batch: Batch) -> Iterator[tuple[bytes, bytes]]:
        for send in batch.send:
            for hash_ in send.frames:
                yield self.kept[hash_].envelope, self.kept[hash_].body


def everything(precedence: Precedence) -> tuple[Party, Party]:
    """BLUE gave a notice; GREEN has it and never answers; no receipt of GREEN's comes back."""
    blue, green = Party("BLUE"), Party("GREEN")
    given = msgspec.structs.replace(terms(), precedence=precedence)
    blue.step(ev.GiveNotice(blue.ch, "BLUE/watch-1", given), at("09:10:00"))
    again = blue.step(ev.Tick(), at("09:10:05"))
    heard = green.step(ev.Arrived(green.ch, "BLUE", tuple(blue.frames(again))), at("09:10:06"))
    assert sum(isinstance(r, EntryRecord) for r in heard.store) == 2, "GREEN keeps BLUE's epoch and notice"
    return blue, green


def let_a_day_pass(party: Party, stride_ms: int) -> set[str]:
    """What was told to be due. Asserts that nothing else came of it."""
    told: set[str] = set()
    thread = next(iter(party.node.lines[party.ch].board))
    before = list(thread.steps)
    known = set(party.kept)
    now = at("09:10:07")
    while now <= at("09:10:07") + 24 * HOUR_MS:
        batch = party.step(ev.Tick(), now)
        assert batch.store == ()
        assert batch.ring == ()
        assert all(isinstance(feed, Forget) for feed in batch.do)
        assert {hash_ for send in batch.send for hash_ in send.frames} <= known
        assert not any(isinstance(tell, Climbed) for tell in batch.tell)
        told |= {tell.what for tell in batch.tell if isinstance(tell, Overdue)}
        told |= {tell.state for tell in batch.tell if isinstance(tell, LineChanged)}
        now += stride_ms
    assert thread.steps == before
    assert thread.life(now) == "EXPIRED"
    return told


@pytest.mark.parametrize("precedence", list(Precedence))
@pytest.mark.parametrize("stride_ms", [7_000, 24 * HOUR_MS])
def test_a_day_of_silence_writes_nothing_and_concludes_nothing(precedence: Precedence, stride_ms: int) -> None:
    told = set().union(*(let_a_day_pass(party, stride_ms) for party in everything(precedence)))
    assert {"UNDELIVERED", "EXPIRED"} & told, "the test would pass for the wrong reason if nothing were ever due"
    assert told <= BY_TIME_ALONE


@pytest.mark.parametrize("stride_ms", [7_000, 24 * HOUR_MS])
def test_a_day_of_silence_about_a_hold_off_and_a_question_answers_neither(stride_ms: int) -> None:
    blue, green = Party("BLUE"), Party("GREEN")
    now = at("09:10:00")
    form = ShortForm("+999", 5_000_000, Altitude.surface(), Altitude.unlimited())
    here = Point(41_200_000_000, -38_600_000_000)
    held = accident(
        Hazard.PEOPLE_PRESENT, here, now + 12 * HOUR_MS, form, now_ms=now, type_=NoticeType.HOLD_OFF
    )  # fmt: skip
    blue.step(ev.GiveNotice(blue.ch, "BLUE/watch-1", held), now)
    blue.step(ev.AskWhose(blue.ch, "BLUE/watch-1", here, Altitude.surface(), Altitude.unlimited()), now)
    again = blue.step(ev.Tick(), at("09:10:05"))
    green.step(ev.Arrived(green.ch, "BLUE", tuple(blue.frames(again))), at("09:10:06"))
    for party in (blue, green):
        told = let_a_day_pass(party, stride_ms)
        # After a leap of a day the hold-off is over, and nobody is told any more of a question of the day before.
        assert ({"EXPIRED"} if stride_ms > HOUR_MS else {"UNACKNOWLEDGED", "UNANSWERED"}) <= told
        assert told <= BY_TIME_ALONE
        board = party.node.lines[party.ch].board
        (talk,) = board.hotline.talks
        assert (talk.owner("GREEN"), talk.waits_for("GREEN", now + 25 * HOUR_MS)) == ("", True)
        (thread,) = board
        shown = answers_view(board, thread, ("BLUE", "GREEN"), now + 6 * HOUR_MS)
        assert [each["state"] for each in shown] == ["OVERDUE"]


def test_a_node_that_answered_for_its_officer_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    _, green = everything(Precedence.FLASH)
    honest = Line.tick

    def eager(self: Line, now: Now, out: Effects) -> None:
        honest(self, now, out)
        if now.t_ms > at("09:20:00"):
            for thread in self.board:
                self.command(ev.Acknowledge(self.channel.ch, "GREEN/watch-1", thread.ref), now, False, out)

    monkeypatch.setattr(Line, "tick", eager)
    with pytest.raises(AssertionError):
        let_a_day_pass(green, HOUR_MS)
