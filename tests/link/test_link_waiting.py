# SPDX-License-Identifier: Apache-2.0
"""What waits for a peer: put together, what is urgent beside and before the rest, never without bounds."""

import asyncio
import base64
import random

from linkworld import CH, frame, pair

from wideberth.link.client import TOGETHER_BYTES, WAITING_BYTES_MAX
from wideberth.link.delivery import Delivery, Frame
from wideberth.link.pace import ROUTINE_BYTES_MIN


def gated(green):
    """GREEN answers only after `gate.set()`; `entered` says that a delivery is under way."""
    gate, entered = asyncio.Event(), asyncio.Event()

    async def answer(delivery):
        entered.set()
        await gate.wait()
        return await green.echo(delivery)

    green.answer = answer
    return gate, entered


def test_what_waits_goes_together_each_in_its_order_and_once():
    async def story():
        blue, green = pair()
        gate, entered = gated(green)
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("first")))
            await asyncio.wait_for(entered.wait(), 10)
            line.offer(blue.to("GREEN", frame("a"), frame("b"), sidecars=(b"1", b"2")))
            line.offer(blue.to("GREEN", frame("b"), frame("first"), frame("c"), sidecars=(b"2", b"3")))
            gate.set()
            await blue.next_reply()
            await blue.next_reply()
            assert [d.frames for d in green.heard] == [(frame("first"),), tuple(map(frame, ("a", "b", "c")))]
            assert green.heard[1].sidecars == (b"1", b"2", b"3")
            assert (line.waiting_bytes, line.dropped) == (0, 0)

    asyncio.run(story())


def only_routine_waits(green, *held):
    """GREEN answers at once to everything but these frames; those wait for `gate`."""
    gate, entered = asyncio.Event(), asyncio.Event()

    async def answer(delivery):
        if set(held) & set(delivery.frames):
            entered.set()
            await gate.wait()
        return await green.echo(delivery)

    green.answer = answer
    return gate, entered


def test_an_urgent_frame_is_through_while_a_routine_delivery_is_still_under_way():
    async def story():
        blue, green = pair()
        gate, entered = only_routine_waits(green, frame("slow"))
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("slow"), sidecars=(b"1",)))
            await asyncio.wait_for(entered.wait(), 10)
            line.offer(blue.to("GREEN", frame("a"), sidecars=(b"2",)))
            line.offer(blue.to("GREEN", frame("U"), frame("b"), sidecars=(b"3",)), urgent=1)
            line.offer(blue.to("GREEN", frame("a")), urgent=1)  # it has become urgent while it waited
            for _ in range(20):
                if sum(len(d.frames) for d in green.heard) == 2:
                    break
                await blue.next_reply()
            # With it goes what it was offered with, and nothing else.
            assert [f for d in green.heard for f in d.frames] == [frame("U"), frame("a")]
            assert [s for d in green.heard for s in d.sidecars] == [b"3"]
            gate.set()
            while len(green.heard[-1].frames) != 1 or green.heard[-1].frames[0] != frame("b"):
                await blue.next_reply()
            assert green.heard[-1].sidecars == (b"2", b"3")

    asyncio.run(story())


def test_a_routine_delivery_makes_way_for_an_urgent_one_that_is_not_answered_soon_and_is_said_again():
    async def story():
        blue, green = pair()
        gate, entered = only_routine_waits(green, frame("slow"), frame("U"))
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("slow"), sidecars=(b"1",)))
            await asyncio.wait_for(entered.wait(), 10)
            line.offer(blue.to("GREEN", frame("U")), urgent=1)
            line.offer(blue.to("GREEN", frame("behind")))
            while line.waiting_bytes < frame("slow").size + 1 + frame("behind").size:  # what was cut waits again
                await asyncio.sleep(0.01)
            gate.set()
            whole = blue.to("GREEN", frame("slow"), frame("behind"), sidecars=(b"1",))
            while whole not in green.heard:
                await asyncio.sleep(0.01)
            assert line.dropped == 0

    asyncio.run(story())


def test_an_urgent_frame_that_was_answered_for_is_said_again_only_when_a_connection_was_lost():
    """Until what comes before it has come no receipt can say that it has: the core offers it again and again."""

    async def story():
        blue, green = pair()
        serving = await green.serve()
        async with blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("U")), urgent=1)
            await blue.next_reply()
            for _ in range(3):
                line.offer(blue.to("GREEN", frame("U")), urgent=1)
                assert not line.waiting_bytes
            await serving.stop()
            async with await green.serve(port=serving.port):
                while len(green.heard) < 2:
                    line.offer(blue.to("GREEN", frame("U")), urgent=1)
                    await asyncio.sleep(0.01)
                assert {d.frames for d in green.heard} == {(frame("U"),)}

    asyncio.run(story())


def test_on_a_thin_line_a_routine_delivery_pauses_for_an_urgent_one_and_goes_on():
    async def story():
        blue, green = pair()
        async with await green.serve(body_s=60) as serving, blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("x")))
            await blue.next_reply()
            line.pace.exchanged(3000, 1.0)
            long = Frame(b'"' + base64.b64encode(random.Random(1).randbytes(1500)) + b'"', b'""')
            line.offer(blue.to("GREEN", long))
            while not line.under_way:
                await asyncio.sleep(0.01)
            line.offer(blue.to("GREEN", frame("U")), urgent=1)
            await blue.next_reply()
            assert [d.frames for d in green.heard] == [(frame("x"),), (frame("U"),)]
            await asyncio.wait_for(blue.replies.get(), 60)
            assert green.heard[-1].frames == (long,)  # once, in one piece: nothing was cut
            assert len(green.heard) == 3

    asyncio.run(story())


def test_one_routine_delivery_at_a_time_and_never_a_long_one():
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
            while sum(len(d.frames) for d in green.heard) < 400:
                await blue.next_reply()
        assert most == 1
        assert [f for d in green.heard for f in d.frames] == sent
        sizes = [sum(f.size for f in d.frames) for d in green.heard]
        # The first ones find out what the line can do.
        assert sizes[0] <= ROUTINE_BYTES_MIN
        assert max(sizes) <= TOGETHER_BYTES
        assert len(sizes) < 40

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
            while line.waiting_bytes:
                await blue.next_reply()
            assert (frame("FLASH"),) in [d.frames for d in green.heard]

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
