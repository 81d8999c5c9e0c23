# SPDX-License-Identifier: Apache-2.0
"""Keys change by place in the strand: what came before stands, what comes after is judged by the new keys, everywhere
alike (docs/decisions/0008)."""

from __future__ import annotations

import msgspec
import pytest

from tests.core.test_restore import put_back
from tests.pair import End, Keys, Pair
from tests.several import Several
from wideberth.core import events as ev
from wideberth.core.call.views import shared
from wideberth.core.records import SidecarRecord
from wideberth.core.say.rules import Purpose
from wideberth.core.say.standing import CardChanged, KeyRevoked
from wideberth.core.say.words import EpochOpened, NilReturn, Word
from wideberth.core.seal import canonical
from wideberth.core.seal import entry as entries
from wideberth.core.seal.agreement import LineTerms
from wideberth.core.seal.entry import Entry
from wideberth.core.seal.keys import Signer
from wideberth.core.seal.party import Card, Post, sign_card
from wideberth.core.tells import FaultSeen, Heard, KeysChanged
from wideberth.errors import BadInput, NotFound

BLUE, GREEN, SUPERVISOR = "BLUE/watch-1", "GREEN/watch-1", "BLUE/supervisor"


def faults(end: End) -> list[FaultSeen]:
    return list(end.tells(FaultSeen))  # type: ignore[arg-type]


def named(end: End, name: str) -> list[str]:
    return [f.sentence for f in faults(end) if f.fault == name]


def nil(pair: Pair, by: str = BLUE) -> str:
    """A word of BLUE's own node; returns its entry's hash."""
    end = pair.ends[by.partition("/")[0]]
    return next(
        t.entry for t in end.step(ev.SayNil(pair.ch, by, pair.now.t_ms + 1), pair.now).tell if hasattr(t, "entry")
    )


def change(pair: Pair, *names: str, without: tuple[str, ...] = (), by: str = "") -> bytes:
    card = pair.blue.keys.renewed(*names, without=without)
    pair.blue.step(ev.ChangeCard(by, card), pair.now)
    return card


def placed(pair: Pair, by: str, what: Word, post: Signer | None, node: Signer | None = None, **header: object) -> Entry:
    """What BLUE's node would sign next, with keys of our choice; it is not in BLUE's own record."""
    line = pair.blue.node.lines[pair.ch]
    said, sig = entries.state(by, pair.ch, pair.now.t_ms, what, post)
    body = entries.pack_body(said, sig, bytes(16))
    made = line.channel.header(entries.kind_of(what), by, pair.now.t_ms, body)
    made = msgspec.structs.replace(made, **header)
    return entries.seal(made, body, node or pair.blue.keys.node)


def show(pair: Pair, *shown: Entry, to: str = "GREEN", sidecars: tuple[bytes, ...] = ()) -> None:
    frames = tuple((e.envelope, e.body) for e in shown)
    pair.ends[to].step(ev.Arrived(pair.ch, "BLUE", frames, sidecars), pair.now)


def nils(end: End, ch: str, author: str = "BLUE") -> list[str]:
    """Entries of the author's `nil`s that have an effect on this node's board."""
    return [
        entry for a, entry, _, what in end.node.lines[ch].board.words if a == author and isinstance(what, NilReturn)
    ]


def held(end: End, ch: str, author: str = "BLUE") -> int:
    return end.node.lines[ch].channel.strands[author].seq


def boards(pair: Pair) -> set[bytes]:
    return {
        canonical.encode([[a, e] for a, e, _, _ in sorted(end.node.lines[pair.ch].board.words, key=lambda w: w[1])])
        for end in pair.ends.values()
    }


def lose_node_key(pair: Pair, *, old_record: bool = True) -> Signer:
    """BLUE's machine is gone: a new one has the backup, a new node key and a card that the root signed for it."""
    blue = pair.blue
    copy = blue.store.copy() if old_record else blue.store
    lost = blue.keys.node
    card = blue.keys.renewed("node")
    blue.keys.others.clear()
    copy.append([SidecarRecord(pair.ch, "card", "BLUE", canonical.sha256(card), card, pair.now.t_ms)], copy.head)
    put_back(pair, "BLUE", copy)
    return lost


@pytest.mark.parametrize("names", [("node",), ("watch-1",), ("node", "watch-1", "supervisor"), ()])
def test_a_new_card_holds_from_the_next_place_on_and_nobody_is_accused(names: tuple[str, ...]) -> None:
    pair = Pair()
    nil(pair)
    change(pair, *names)
    nil(pair)
    pair.settle()
    pair.green.step(ev.SayNil(pair.ch, GREEN, pair.now.t_ms + 5), pair.now)
    for end in pair.ends.values():
        end.step(ev.CheckLines(), pair.now)
        end.step(ev.SignCheckpoints(), pair.now)
    pair.settle()
    assert len(nils(pair.green, pair.ch)) == 2
    assert boards(pair) == {boards(pair).pop()}
    assert not faults(pair.green) + faults(pair.blue)
    assert [t.version for t in pair.green.tells(KeysChanged)] == [2]  # type: ignore[attr-defined]
    card = pair.green.node.card_of(pair.ch, "BLUE")
    assert card is not None
    assert (card.node, card.sealing) == (pair.blue.keys.node.public, "x25519:none2")
    assert pair.blue.node.lines[pair.ch].channel.outboxes["GREEN"].receipted == 4
    assert not pair.blue.node.lines[pair.ch].channel.cards_for("GREEN"), "a card that is receipted travels no more"


def test_what_was_said_before_is_still_judged_by_the_keys_of_then_after_every_restart() -> None:
    pair = Pair()
    nil(pair)
    pair.settle()
    for names in (("node",), ("watch-1", "node"), ("supervisor",)):
        change(pair, *names)
        nil(pair)
        pair.settle()
    assert len(nils(pair.green, pair.ch)) == 4
    for end in pair.ends.values():
        before = end.node.lines[pair.ch].channel.keys["BLUE"]
        end.restart(pair.now)
        after = end.node.lines[pair.ch].channel.keys["BLUE"]
        epoch = end.node.lines[pair.ch].channel.strands["BLUE"].epoch
        assert [after.at(epoch, n) for n in range(1, 10)] == [before.at(epoch, n) for n in range(1, 10)]
        assert [c.version for c in after.cards] == [4, 3, 2, 1]
        assert len(nils(end, pair.ch)) == 4
    nil(pair)
    pair.settle()
    assert len(nils(pair.green, pair.ch)) == 5
    assert not faults(pair.green) + faults(pair.blue)


def test_a_delivery_with_the_card_lost_is_repeated_and_then_believed() -> None:
    pair = Pair()
    change(pair, "node", "watch-1")
    pair.blue.out.clear()  # the card is lost on its way
    pair.blue.step(ev.RaiseAlert(pair.ch, BLUE), pair.now)
    pair.settle()
    assert [t.kind for t in pair.green.rung] == ["alert"], "it rings from behind the gap: the card travels along"  # type: ignore[attr-defined]
    assert held(pair.green, pair.ch) == 1
    pair.later(1_000)
    pair.tick()
    pair.settle()
    assert held(pair.green, pair.ch) == 3
    assert len(list(pair.green.node.lines[pair.ch].board)) == 1
    assert not faults(pair.green) + faults(pair.blue)


def test_frames_alone_are_enough_whoever_passes_them_on() -> None:
    """A third member passes another's strand on without cards beside it: old and new node key in one delivery."""
    pair = Pair()
    change(pair, "node", "watch-1")
    nil(pair)
    pair.blue.out.clear()
    line = pair.blue.node.lines[pair.ch]
    records = [pair.blue.store.entry(h) for h in line.channel.hashes([2, 3])]
    frames = tuple((r.envelope, r.body) for r in records if r is not None)
    for order in (frames[::-1], frames):
        pair.green.step(ev.Arrived(pair.ch, "BLUE", order), pair.now)
    assert held(pair.green, pair.ch) == 3
    assert len(nils(pair.green, pair.ch)) == 1


def test_a_header_signed_with_the_old_node_key_after_the_card_is_refused() -> None:
    pair = Pair()
    old = pair.blue.keys.node
    change(pair, "node")
    pair.settle()
    show(pair, placed(pair, BLUE, NilReturn(1), pair.blue.keys.post("watch-1"), node=old))
    assert held(pair.green, pair.ch) == 2
    assert "BadSignature" in {f.fault for f in faults(pair.green)}
    # Another epoch under the old key, from before the change, is refused as well.
    first = next(iter(pair.blue.node.lines[pair.ch].channel.own.heads()))
    place = msgspec.structs.replace(
        first, seq=1, hash=pair.blue.node.lines[pair.ch].channel.own.hash_at(first.epoch, 1)
    )
    show(pair, placed(pair, "BLUE/node", EpochOpened("REPAIRED", place, {"GREEN": None}), None, node=old,
                      epoch="ab" * 16, seq=1, prev="0" * 64))  # fmt: skip
    assert len(pair.green.node.lines[pair.ch].channel.strands["BLUE"].epochs) == 1
    assert any("replaced" in sentence for sentence in named(pair.green, "Outdated"))


def test_what_is_signed_beside_the_strands_counts_under_the_node_key_of_now() -> None:
    pair = Pair()
    pair.green.step(ev.SayNil(pair.ch, GREEN, pair.now.t_ms + 5), pair.now)
    out, pair.green.out = pair.green.out, []
    for send in out:
        pair.arrive(send, pair.green)
    late, pair.blue.out = pair.blue.out, []  # BLUE's receipt, under its old key
    change(pair, "node")
    pair.settle()
    for send in late:
        pair.arrive(send, pair.blue)
    assert [f.whose for f in faults(pair.green)] == ["world"]
    assert named(pair.green, "Outdated")
    assert pair.green.node.lines[pair.ch].channel.outboxes["BLUE"].receipted == 1
    pair.later(60_000)
    pair.tick()
    pair.settle()
    assert pair.green.node.lines[pair.ch].channel.outboxes["BLUE"].receipted == 2, "asked for again, signed anew"


def test_a_post_without_its_key_speaks_no_more_and_its_old_words_stand() -> None:
    pair = Pair()
    stolen = pair.blue.keys.post("watch-1")
    nil(pair)
    pair.settle()
    pair.blue.step(ev.RevokeKey(SUPERVISOR, "watch-1", "laptop lost"), pair.now)
    pair.settle()
    with pytest.raises(BadInput, match="revoked at entry 3"):
        nil(pair)
    show(pair, placed(pair, BLUE, NilReturn(9), stolen))
    assert held(pair.green, pair.ch) == 4, "it is kept"
    assert len(nils(pair.green, pair.ch)) == 1, "and has no effect; what came before has"
    assert any("signed with a key that was revoked at entry 3" in s for s in named(pair.green, "NOT_UNDERSTOOD"))
    show(
        pair,
        placed(
            pair, BLUE, ev_alert(pair), stolen, seq=5, prev=pair.green.node.lines[pair.ch].channel.strands["BLUE"].head
        ),
    )
    assert not [t for t in pair.green.rung if isinstance(t, Heard)], "it never rings"
    pair.green.restart(pair.now)
    assert len(nils(pair.green, pair.ch)) == 1


def ev_alert(pair: Pair) -> Word:
    from wideberth.core.say.words import Alert

    return Alert(pair.now.t_ms)


def test_a_card_without_a_post_takes_its_key_out_as_well_and_another_gives_it_a_new_one() -> None:
    pair = Pair()
    stolen = pair.blue.keys.post("watch-1")
    pair.blue.step(ev.RevokeKey(SUPERVISOR, "BLUE/watch-1"), pair.now)
    change(pair, "watch-1")
    nil(pair)
    pair.settle()
    assert len(nils(pair.green, pair.ch)) == 1, "a new key for the post"
    change(pair, without=("watch-1",))
    pair.settle()
    with pytest.raises(NotFound):
        nil(pair)
    show(pair, placed(pair, BLUE, NilReturn(9), stolen))
    assert len(nils(pair.green, pair.ch)) == 1


def test_a_revoked_supervisor_revokes_nobody_and_a_watch_never_does() -> None:
    pair = Pair()
    keys = pair.blue.keys
    with pytest.raises(BadInput, match="supervisor"):
        pair.blue.step(ev.RevokeKey(BLUE, "supervisor"), pair.now)
    watch = keys.post("watch-1")
    assert watch is not None
    show(pair, placed(pair, BLUE, KeyRevoked("supervisor", keys.post("supervisor").public), watch))  # type: ignore[union-attr]
    assert any("not a supervisor's post" in s for s in named(pair.green, "NOT_UNDERSTOOD"))
    pair = Pair()
    thief = pair.blue.keys.post("supervisor")
    pair.blue.step(ev.RevokeKey(SUPERVISOR, "supervisor"), pair.now)
    pair.settle()
    show(pair, placed(pair, SUPERVISOR, KeyRevoked("watch-1", watch.public), thief))
    nil(pair)  # at the same place in BLUE's own record: only the statement matters here
    assert pair.green.node.lines[pair.ch].channel.keys["BLUE"].at(
        pair.green.node.lines[pair.ch].channel.strands["BLUE"].epoch, 9
    ).revoked.keys() == {thief.public}  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        pair.blue.step(ev.RevokeKey(SUPERVISOR, "supervisor"), pair.now)


def _card(keys: Keys, **changes: object) -> bytes:
    post = keys.post("watch-1")
    assert post is not None
    posts = {"watch-1": Post(post.public, False)}
    card = Card(1, keys.party, keys.root.public, 2, keys.node.public, "", "", "", "", posts)
    return sign_card(msgspec.structs.replace(card, **changes), keys.root).encoded()


def test_a_card_of_another_root_party_or_version_changes_nothing() -> None:
    pair = Pair()
    blue, green = pair.blue.keys, pair.green.keys
    strangers = Keys("BLUE")
    strangers.root = green.root
    wrong = {
        "another root": _card(strangers, root=green.root.public),
        "another party": _card(blue, party="GREEN"),
        "an old version": _card(blue, version=1),
        "another's signature": sign_card(Card(1, "BLUE", blue.root.public, 3, blue.node.public, "", "", "", "",
                                              {"watch-1": Post(blue.node.public, False)}), green.root).encoded(),
    }  # fmt: skip
    for n, (what, card) in enumerate(wrong.items(), 2):
        with pytest.raises((BadInput, NotFound)):
            pair.blue.step(ev.ChangeCard("", card), pair.now)
        place = pair.green.node.lines[pair.ch].channel.strands["BLUE"]
        show(
            pair, placed(pair, "BLUE/node", CardChanged(card.decode()), None, seq=n, prev=place.head), sidecars=(card,)
        )
        assert held(pair.green, pair.ch) == n, f"{what}: kept"
        keys = pair.green.node.lines[pair.ch].channel.keys["BLUE"]
        assert keys.at(place.epoch, n + 1) == keys.at(place.epoch, 1), what
        assert keys.newest.card.version == 1, what
    assert len(named(pair.green, "NOT_UNDERSTOOD")) == len(wrong)


def test_a_card_whose_node_key_is_not_here_is_not_taken() -> None:
    pair = Pair()
    card = pair.blue.keys.renewed("node")
    pair.blue.keys.__dict__["_node"] = pair.blue.keys.others[0]
    with pytest.raises(BadInput, match="not here"):
        pair.blue.step(ev.ChangeCard("", card), pair.now)


def test_the_same_card_twice_is_written_once() -> None:
    pair = Pair()
    card = change(pair, "node")
    pair.settle()
    assert not pair.blue.step(ev.ChangeCard("", card), pair.now).store
    assert held(pair.green, pair.ch) == 2


# --- three members, several lines ---


def test_three_members_judge_alike_whatever_the_order() -> None:
    three = Several("AMBER", "BLUE", "GREEN")
    keys = three.keys["BLUE"]
    ch = three.home

    def say(by: str = BLUE) -> None:
        three.step("BLUE", ev.SayNil(ch, by, three.now.t_ms + 1))

    say()
    three.settle("BLUE", "AMBER")
    three.step("BLUE", ev.ChangeCard("", keys.renewed("node", "watch-1")))
    say()
    three.settle("BLUE", "AMBER")
    three.step("BLUE", ev.RevokeKey(SUPERVISOR, "watch-1"))
    three.settle("BLUE", "AMBER")
    three.step("AMBER", ev.CompareHeads())
    three.settle("AMBER", "GREEN")
    say("BLUE/supervisor")
    three.settle()
    for _ in range(4):
        three.later(31_000)
        for name in three.ends:
            three.step(name, ev.Tick())
        three.settle()
    found = {name: three.line(name).channel for name in three.ends}
    assert {c.strands["BLUE"].head for c in found.values()} == {found["BLUE"].own.head}
    epoch = found["BLUE"].own.epoch
    judged = {canonical.encode([shown(c.keys["BLUE"].at(epoch, n)) for n in range(1, 8)]) for c in found.values()}
    assert len(judged) == 1
    assert {len(nils(end, ch)) for end in three.ends.values()} == {3}
    assert not [f for end in three.ends.values() for f in faults(end) if f.fault != "Outdated"]


def shown(keys: object) -> object:
    return msgspec.to_builtins(keys)


def test_every_line_of_the_mechanism_changes_in_one_batch_and_a_later_one_begins_with_what_holds() -> None:
    lines = (
        LineTerms(Purpose.FLIGHT_SAFETY, ("AMBER", "BLUE", "GREEN")),
        LineTerms(Purpose.SEA, ("BLUE", "GREEN")),
    )
    three = Several("AMBER", "BLUE", "GREEN", lines=lines)
    sea = three.ch(Purpose.SEA, "BLUE", "GREEN")
    batch = three.step("BLUE", ev.ChangeCard("", three.keys["BLUE"].renewed("node")))
    assert {r.ch for r in batch.store if getattr(r, "type", "") == "card"} == {three.home, sea}
    three.settle()
    batch = three.step("BLUE", ev.RevokeKey(SUPERVISOR, "watch-1"))
    assert {r.ch for r in batch.store if getattr(r, "type", "") == "revoke"} == {three.home, sea}
    three.settle()
    for name, ch in (("GREEN", three.home), ("GREEN", sea), ("AMBER", three.home)):
        assert three.line(name, ch).channel.keys["BLUE"].newest.card.version == 2
        assert not [f for f in faults(three.ends[name]) if f.fault != "Outdated"]
    assert shared(three.line("GREEN", sea).board, ("BLUE", "GREEN"), three.now.t_ms) == []
