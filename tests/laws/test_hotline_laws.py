# SPDX-License-Identifier: Apache-2.0
"""Laws of the hotline: whatever the order in which strands and deliveries come, every node ends with one conversation,
in an order in which nothing comes before what its author held when it wrote."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.several import Several

from wideberth.core import events as ev
from wideberth.core.call.hotline import Hotline
from wideberth.core.call.talkviews import talk_view
from wideberth.core.say.base import Place
from wideberth.core.say.talk import HeardAs, Message, TalkWord, Translation
from wideberth.core.say.words import Precedence
from wideberth.core.seal import canonical
from wideberth.core.seal.entry import Header

AUTHORS = ("AMBER", "BLUE", "GREEN")
EPOCH = "e" * 32

# (header, its hash, what it says, the hashes that its author held)
Written = tuple[Header, str, TalkWord, frozenset[str]]


@st.composite
def conversations(draw: st.DrawFn) -> list[Written]:
    """What three members write, each holding a growing part of what the others wrote before."""
    written: list[Written] = []
    strands: dict[str, list[Written]] = {a: [] for a in AUTHORS}
    held: dict[str, dict[str, int]] = {a: dict.fromkeys(AUTHORS, 0) for a in AUTHORS}
    for n in range(draw(st.integers(1, 14))):
        author = draw(st.sampled_from(AUTHORS))
        for other in AUTHORS:
            if other != author:
                held[author][other] = draw(st.integers(held[author][other], len(strands[other])))
        held[author][author] = len(strands[author])
        known = [w for other in AUTHORS for w in strands[other][: held[author][other]]]
        messages = [w for w in known if isinstance(w[2], Message)]
        about = draw(st.sampled_from(messages)) if messages else None
        kind = draw(st.sampled_from(("message", "reply", "translation", "heardas")))
        what: TalkWord = Message(text=f"word {n}")
        if about is not None and kind == "reply":
            what = Message(text=f"word {n}", reply_to=about[1])
        elif about is not None and kind == "translation":
            what = Translation(about[1], "fr", f"mot {n}")
        elif about is not None and kind == "heardas" and about[0].sender != author:
            what = HeardAs(about[1], f"as heard {n}")
        seen = {
            other: Place(EPOCH, held[author][other], strands[other][held[author][other] - 1][1])
            for other in AUTHORS if other != author and held[author][other]
        }  # fmt: skip
        seq = len(strands[author]) + 1
        # Clocks are testimony: they go as they like.
        t_ms = draw(st.integers(0, 10**6))
        header = Header(1, "message", "c", "a", author, f"{author}/watch-1", EPOCH, seq, "0" * 64, seen, t_ms, "0" * 64)
        one = (header, canonical.sha256(f"{n} {author}".encode()), what, frozenset(w[1] for w in known))
        strands[author].append(one)
        written.append(one)
    return written


def fold(written: list[Written], order: random.Random) -> Hotline:
    """Strand by strand in any interleaving; only what names an entry that must be here waits for it."""
    hotline = Hotline()
    waiting = {a: [w for w in written if w[0].sender == a] for a in AUTHORS}
    for author in AUTHORS:
        if waiting[author]:
            hotline.opened(waiting[author][0][0])
    folded: set[str] = set()
    while any(waiting.values()):
        free = [a for a, rest in waiting.items() if rest and getattr(rest[0][2], "of", "") in (folded | {""})]
        header, hash_, what, _ = waiting[order.choice(free)].pop(0)
        hotline.take(header, hash_, what, order.randrange(10**6), None)
        folded.add(hash_)
    return hotline


def picture(hotline: Hotline) -> list[Any]:
    def said(words: list[Any]) -> list[str]:
        return sorted(w.entry for w in words)

    return [(t.ref, said(t.replies), said(t.translations), said(t.read_backs)) for t in hotline]


@given(conversations(), st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_any_interleaving_gives_one_conversation_in_one_order(written: list[Written], one: int, other: int) -> None:
    assert picture(fold(written, random.Random(one))) == picture(fold(written, random.Random(other)))


@given(conversations(), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_nothing_comes_before_what_its_author_held(written: list[Written], seed: int) -> None:
    order = [t.said.entry for t in fold(written, random.Random(seed))]
    place = {entry: n for n, entry in enumerate(order)}
    assert set(order) == {hash_ for _, hash_, what, _ in written if isinstance(what, Message)}
    for _, hash_, _, known in written:
        if hash_ in place:
            assert all(place[before] < place[hash_] for before in known if before in place)


@given(conversations(), st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_receipts_in_any_order_and_twice_come_to_the_same(written: list[Written], seed: int) -> None:
    dice = random.Random(seed)
    receipts = [
        (w[0].sender, EPOCH, w[0].seq, "GREEN", level, upto * 7, upto)
        for w in written for upto in range(w[0].seq, w[0].seq + 3) for level in ("stored", "shown")
    ]  # fmt: skip
    found = []
    for _ in range(2):
        hotline = fold(written, random.Random(1))
        dice.shuffle(receipts)
        for receipt in receipts + receipts[:5]:
            hotline.received(*receipt)
        found.append([t.receipts for t in hotline])
    assert found[0] == found[1]


@pytest.mark.parametrize("seed", range(6))
def test_three_nodes_end_alike_whatever_is_lost_repeated_or_overtaken(seed: int) -> None:
    dice = random.Random(seed)
    world = Several(*AUTHORS)
    urgent = (Precedence.FLASH, Precedence.ROUTINE)
    for n in range(40):
        name = dice.choice(AUTHORS)
        by = f"{name}/watch-1"
        theirs = [talk.ref for talk in world.line(name).board.hotline if talk.author != name]
        commands: list[ev.Event] = [ev.SendMessage(world.home, by, f"word {n}", dice.choice(urgent))]
        if theirs:
            ref = dice.choice(theirs)
            commands += [
                ev.SendMessage(world.home, by, f"word {n}", reply_to=ref), ev.HearAs(world.home, by, ref, f"heard {n}"),
                ev.Translate(world.home, by, ref, f"mot {n}", "fr"),
            ]  # fmt: skip
        world.step(name, dice.choice(commands))
        if n % 4 == 0:
            world.later(31_000)  # what is not receipted is sent again
            for each in world.ends:
                world.step(each, ev.Tick())
        for end in world.ends.values():
            dice.shuffle(end.out)
            end.out = [send for send in end.out if dice.random() > 0.3]
        world.settle(*dice.sample(AUTHORS, 2))
    for _ in range(8):
        world.repeat()
    views = []
    for name in AUTHORS:
        board = world.line(name).board
        shown = [talk_view(board, talk, AUTHORS, world.now.t_ms, ("fr",)) for talk in board.hotline]
        # Receipts go to the author alone; what people signed is everybody's.
        views.append([{k: v for k, v in each.items() if k != "standing"} for each in shown])
        assert not world.faults(name)
    assert views[0] == views[1] == views[2]
    assert len(views[0]) > 10
    for what in ("read_backs", "replies"):
        assert sum(len(v[what]) for v in views[0]) > 2, "it was a conversation"
