# SPDX-License-Identifier: Apache-2.0
"""Two connections to one place, kept open ahead of need, for what is urgent and for probes.

    warm = Warm("https://192.0.2.7:7443", tls)
    await warm.probe(hello, b"")                    # also what opens them and keeps them open
    status, body = await warm.post(to, data, patience)

On a line of 1 kB/s a TLS handshake takes several seconds, and on one connection everything waits behind a lost segment
for as long as TCP's growing timeout says. So a post goes at once on the connection that answered last, and, if there
is no answer within `AGAIN_S`, a second time on the other; the first answer counts. Repeats are harmless: the peer keeps
each entry once, and receipts it as often as it is asked.

Probes take turns between the two. One that is not answered in time is told so, but goes on for a while: hanging up
would cost the very connection that is needed next.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from wideberth.link.post import Answer, Endpoint, Patience, Poster

# A good line answers in a fraction of it; a thin one has by then said an urgent delivery once.
AGAIN_S: Final = 2.5
# A probe of a hundred bytes. With `outage.PROBE_S` between two, a line that falls dead is told in under 10 s (B9).
ANSWER_S: Final = 4.0
# How many times the usual, on a line where the usual is slow.
_ROUNDS: Final = 3
# An unanswered probe holds its connection so many times as long as people wait for its answer.
_HOLDS: Final = 4


_Try = asyncio.Task[Answer]


class Warm:
    """See the module."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self._posters = (Poster(url, tls), Poster(url, tls))
        self._busy: dict[Poster, _Try] = {}
        self._probing: set[Poster] = set()
        self._needed: set[_Try] = set()
        self._answered_s = dict.fromkeys(self._posters, 0.0)
        self._probed_s = dict.fromkeys(self._posters, 0.0)
        self._round_s = 0.0

    @property
    def losses(self) -> int:
        """How many connections were lost so far: after one, the peer may have started anew and forgotten what it has
        not stored."""
        return sum(poster.losses for poster in self._posters)

    async def post(self, to: Endpoint, data: bytes, patience: Patience) -> Answer:
        """Raises what `Poster.post` raises, of the first try."""
        if self._busy and not self._idle():
            # Any answer frees one sooner than a new connection is made.
            await asyncio.wait(self._busy.values(), timeout=AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
        first = self._start(self._best(), to, data, patience)
        self._needed.add(first)
        try:
            return await self._first_answer(first, to, data, patience)
        finally:
            self._needed.discard(first)

    async def _first_answer(self, first: _Try, to: Endpoint, data: bytes, patience: Patience) -> Answer:
        tries = {first}
        await asyncio.wait(tries, timeout=AGAIN_S)
        while not any(_answered(each) for each in tries):
            if all(each.done() for each in tries):
                return first.result()
            if len(tries) == 1 and (idle := self._idle()):
                tries.add(self._start(idle[0], to, data, patience))
            wait = [each for each in tries if not each.done()]
            # One second at most, where the other connection may still come free.
            timeout = 1.0 if len(tries) == 1 else None
            await asyncio.wait(wait, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        return next(each for each in tries if _answered(each)).result()

    async def probe(self, to: Endpoint, data: bytes) -> Answer | None:
        """None: posts are under way on both, which says more. Raises what `Poster.post` raises."""
        loop = asyncio.get_running_loop()
        idle = self._idle()
        if not idle:
            if self._probing >= set(self._posters):
                raise TimeoutError
            return None
        poster = min(idle, key=lambda each: self._probed_s[each])
        answer_s = max(ANSWER_S, _ROUNDS * self._round_s)
        self._probed_s[poster] = begun_s = loop.time()
        held_s = _HOLDS * answer_s
        task = self._start(poster, to, data, Patience(held_s, held_s, held_s))
        self._probing.add(poster)
        task.add_done_callback(lambda _: self._probing.discard(poster))
        task.add_done_callback(lambda done: self._took(done, loop.time() - begun_s))
        await asyncio.wait((task,), timeout=answer_s)
        if not task.done():
            raise TimeoutError
        return task.result()

    def close(self) -> None:
        for task in self._busy.values():
            task.cancel()
        for poster in self._posters:
            poster.close()

    def _start(self, poster: Poster, to: Endpoint, data: bytes, patience: Patience) -> _Try:
        task = asyncio.create_task(poster.post(to, data, patience))
        self._busy[poster] = task
        task.add_done_callback(lambda done: self._done(poster, done))
        return task

    def _done(self, poster: Poster, task: _Try) -> None:
        if not task.cancelled():
            task.exception()  # who no longer waits for it need not hear of it either
        if self._busy.get(poster) is task:
            del self._busy[poster]
        if _answered(task):
            self._answered_s[poster] = asyncio.get_running_loop().time()

    def _took(self, task: _Try, seconds: float) -> None:
        if _answered(task):
            self._round_s = (self._round_s + seconds) / 2 if self._round_s else seconds

    def _idle(self) -> list[Poster]:
        return [each for each in self._posters if each not in self._busy]

    def _best(self) -> Poster:
        """An open one that answered last. Where both are busy: one that is held by a probe or a second try."""
        idle = self._idle()
        if idle:
            return max(idle, key=lambda each: (each.is_open, self._answered_s[each]))
        poster = min(self._posters, key=lambda each: self._busy[each] in self._needed)
        self._busy.pop(poster).cancel()
        poster.close()
        return poster


def _answered(task: _Try) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
