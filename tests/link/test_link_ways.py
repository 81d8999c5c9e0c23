# SPDX-License-Identifier: Apache-2.0
"""Which way is taken, and what people are told when none works: once."""

import asyncio

import pytest

from wideberth.core.tells import Level
from wideberth.errors import BadSignature, Misuse, Unreachable
from wideberth.link import way as ways_module
from wideberth.link.outage import Outage
from wideberth.link.way import Came, Down, Route, Ways

TO = Route("c0" * 32, "BLUE", "GREEN")
NOBODY = Unreachable("nobody answers", reason="connect")


class Known:
    """A way that fails as it is told to."""

    def __init__(self, name):
        self.name = name
        self.fails = self.dead = None
        self.tried = 0

    async def post(self, wire, route):
        self.tried += 1
        if self.fails:
            raise self.fails
        return Came(wire, self.name)

    async def probe(self):
        if self.dead:
            raise self.dead

    def close(self):
        pass


def told():
    heard = []
    return heard, lambda name, fault: heard.append((name, fault))


def two():
    heard, tell = told()
    first, second = Known("direct"), Known("HOST")
    return first, second, Ways([first, second], tell), heard


def test_the_preferred_way_is_taken_while_it_works():
    async def story():
        _, second, ways, heard = two()
        for _ in range(3):
            assert (await ways.post(b"x", TO)).way == "direct"
        assert (second.tried, heard, ways.names) == (0, [], ("direct", "HOST"))

    asyncio.run(story())


def test_a_way_that_failed_stands_behind_until_a_probe_finds_it_again():
    async def story():
        first, _, ways, heard = two()
        first.fails = first.dead = Down(NOBODY)
        assert (await ways.post(b"x", TO)).way == "HOST"
        assert heard == [("direct", NOBODY)]
        assert (await ways.post(b"x", TO)).way == "HOST"
        assert first.tried == 1  # an urgent delivery does not first wait for what is known to be down
        assert await ways.probe() is None
        assert (await ways.post(b"x", TO)).way == "HOST"
        first.fails = first.dead = None
        await ways.probe()
        assert (await ways.post(b"x", TO)).way == "direct"

    asyncio.run(story())


def test_a_way_that_answers_probes_and_does_not_deliver_is_not_believed_by_its_probes(monkeypatch):
    async def story():
        first, second, ways, _ = two()
        first.fails = BadSignature("changed on its way")
        assert (await ways.post(b"x", TO)).way == "HOST"
        first.fails = None
        await ways.probe()
        assert (await ways.post(b"x", TO)).way == "HOST"
        monkeypatch.setattr(ways_module, "AGAIN_S", 0.0)
        first.fails = BadSignature("once more")
        second.fails = Down(NOBODY)
        with pytest.raises(Down):  # the one that was tried first says why
            await ways.post(b"x", TO)
        first.fails = None
        assert (await ways.post(b"x", TO)).way == "direct"  # its time has come again

    asyncio.run(story())


def test_when_no_way_works_the_first_ones_fault_is_raised_and_the_others_told():
    async def story():
        first, second, ways, heard = two()
        first.fails, second.fails = Down(NOBODY), BadSignature("spoilt")
        with pytest.raises(Down) as why:
            await ways.post(b"x", TO)
        assert why.value.fault is NOBODY
        assert heard == [("HOST", second.fails)]
        first.dead = second.dead = Down(NOBODY)
        assert await ways.probe() is NOBODY

    asyncio.run(story())


def test_a_line_without_a_way_is_our_bug():
    with pytest.raises(Misuse):
        Ways([])


class People:
    def __init__(self):
        self.heard = []
        self.urgent = False
        self.now_ms = 1_000
        self.outage = Outage(
            "c0" * 32, "GREEN", tell=self.heard.append, urgent=lambda: self.urgent, now_ms=lambda: self.now_ms
        )  # fmt: skip

    @property
    def told(self):
        return [(t.state, t.level) for t in self.heard]


def test_an_outage_is_told_once_and_its_end_once():
    people = People()
    assert people.outage.link() == "not tried yet"
    people.outage.works("direct")
    assert people.told == []  # that it works at first is no news
    for reason in ("connect", "timeout", "broken"):
        people.outage.failed(Unreachable(reason, reason=reason))
        people.outage.remind()
    assert people.told == [("NOT_RELAYED", Level.NOTE)]
    assert people.outage.link() == "NOT_RELAYED: broken"  # the status says what is wrong now
    assert people.outage.warning.startswith("NOT_RELAYED: what this node says does not reach GREEN")
    people.now_ms = 9_000
    people.outage.works("direct")
    people.outage.works("direct")
    assert people.told[1:] == [("WORKS", Level.NOTE)]
    assert (people.outage.warning, people.outage.link()) == ("", "reachable")


def test_something_urgent_behind_an_outage_rings_once():
    people = People()
    people.outage.failed(NOBODY)
    people.urgent = True
    for _ in range(3):
        people.outage.remind()
        people.outage.failed(NOBODY)
    assert people.told == [("NOT_RELAYED", Level.NOTE), ("NOT_RELAYED", Level.RING)]
    people.outage.works("HOST")
    people.outage.failed(NOBODY)  # the next outage, and it waits still
    assert people.told[2:] == [("WORKS", Level.NOTE), ("NOT_RELAYED", Level.RING)]


def test_another_way_is_told_and_is_no_outage():
    people = People()
    for name in ("direct", "HOST", "HOST", "direct"):
        people.outage.works(name)
    assert [t.sentence for t in people.heard] == [
        "What this node says now reaches GREEN by way of HOST.",
        "What this node says now reaches GREEN directly.",
    ]
