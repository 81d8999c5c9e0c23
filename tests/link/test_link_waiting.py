# SPDX-License-Identifier: Apache-2.0
"""What waits for a peer: put together, urgent first, one delivery at a time, never without bounds."""

import asyncio

from linkworld import CH, frame, pair

from wideberth.link.client import TOGETHER_BYTES, WAITING_BYTES_MAX
from wideberth.link.delivery import Delivery


def gated(green):
    """GREEN answers only after `gate.set()`; `entered` says that a delivery is under way."""
    gate, entered = asyncio.Event(), asyncio.Event()

    async def answer(delivery):
        entered.set()
        await gate.wait()
        return await green.echo(delivery)

    green.answer = answer
    return gate, entered


def test_what_waits_goes_together_urgent_first_each_in_its_order_and_once():
    async def story():
        blue, green = pair()
        gate, entered = gated(green)
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("first")))
            await asyncio.wait_for(entered.wait(), 10)
            line.offer(blue.to("GREEN", frame("a"), frame("b"), sidecars=(b"1", b"2")))
            line.offer(blue.to("GREEN", frame("U1"), frame("c")), urgent=1)
            line.offer(blue.to("GREEN", frame("U2"), frame("b"), sidecars=(b"2", b"3")), urgent=1)
            line.offer(blue.to("GREEN", frame("a")), urgent=1)  # it has become urgent meanwhile
            gate.set()
            await blue.next_reply()
            await blue.next_reply()
            assert [d.frames for d in green.heard] == [
                (frame("first"),),
                tuple(map(frame, ("U1", "U2", "a", "b", "c"))),
            ]
            assert green.heard[1].sidecars == (b"1", b"2", b"3")
            assert line.waiting_bytes == 0
            assert line.dropped == 0

    asyncio.run(story())


def test_one_delivery_at_a_time_and_never_a_long_one():
    async def story():
        blue, green = pair()
        under_way = most = 0

        async def answer(delivery):
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            return await green.echo(delivery)

        green.answer = answer
        sent = [frame(str(n), 3000) for n in range(400)]
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            for n in range(0, 400, 50):
                line.offer(blue.to("GREEN", *sent[n : n + 50]))
            line.offer(blue.to("GREEN", frame("urgent")), urgent=1)
            while sum(len(d.frames) for d in green.heard) < 401:
                await blue.next_reply()
        assert most == 1
        assert [f for d in green.heard for f in d.frames] == [frame("urgent"), *sent]
        assert all(sum(f.size for f in d.frames) <= TOGETHER_BYTES for d in green.heard)
        assert len(green.heard) < 8

    asyncio.run(story())


def test_memory_is_bounded_and_urgent_frames_have_room_of_their_own():
    async def story():
        blue, green = pair()
        gate, entered = gated(green)
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("first")))
            await asyncio.wait_for(entered.wait(), 10)
            for n in range(200):
                line.offer(blue.to("GREEN", frame(f"flood {n}", 50_000), sidecars=(b'"%d"' % n,)))
            assert line.waiting_bytes <= WAITING_BYTES_MAX
            assert line.dropped > 0
            line.offer(blue.to("GREEN", frame("FLASH")), urgent=1)
            gate.set()
            await blue.next_reply()
            await blue.next_reply()
            assert green.heard[1].frames[0] == frame("FLASH")
            while line.waiting_bytes:
                await blue.next_reply()

    asyncio.run(story())


def test_an_empty_offer_asks_the_peer_for_what_it_has():
    async def story():
        blue, green = pair()

        async def answer(delivery):
            return Delivery(CH, "GREEN", "BLUE", (frame("yours"),))

        green.answer = answer
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN"))
            assert (await blue.next_reply()).frames == (frame("yours"),)

    asyncio.run(story())
