# SPDX-License-Identifier: Apache-2.0
"""A node in a process of its own, exactly as `wideberth up` runs it, with two hooks for tests put on from outside.

    python tests/e2e/node_child.py --dir FOLDER [--clock TIME] [--tap FILE] [--seed TEXT] [--restore-s SECONDS]
                                   [--bug TEXT]

`--tap` writes down, one JSON line each and in the order in which it happens, what leaves the node in plain text
(`offer` to a peer's line, `reply` to a delivery) and when the inner process is written to (`fed`), each with the node's
clock. `--seed` replaces the entropy of epochs, salts and nonces by a seeded one, for each line by itself, so that two
runs can be compared byte for byte whichever of two lines is quicker. `--restore-s` looks
that often, instead of every half minute, whether the disk's reserve can be held again. `--bug` puts a bug into the
core that shows itself when an ALERT with that text comes. The product knows none of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wideberth import service
from wideberth.cli.serve import run_node
from wideberth.clock import Clock
from wideberth.core import events as ev
from wideberth.core import node
from wideberth.core.batch import Batch, Now
from wideberth.core.carry.channel import Channel
from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.inner.client import InnerProcess
from wideberth.link.client import PeerLine
from wideberth.link.delivery import Delivery
from wideberth.runtime import Postman, Runtime


class Tap:
    def __init__(self, path: Path) -> None:
        self._out = path.open("a", buffering=1, encoding="utf-8")
        self.clock: Clock | None = None

    def note(self, what: str, **more: Any) -> None:
        t_ms = self.clock.now().t_ms if self.clock is not None else 0
        self._out.write(json.dumps({"what": what, "t_ms": t_ms, **more}) + "\n")

    def outbound(self, what: str, delivery: Delivery, urgent: int = 0) -> None:
        self.note(
            what, ch=delivery.ch, sender=delivery.sender, to=delivery.to, urgent=urgent,
            frames=[[f.envelope.decode("latin-1"), f.body.decode("latin-1")] for f in delivery.frames],
            sidecars=[s.decode("latin-1") for s in delivery.sidecars],
        )  # fmt: skip


class TappedLine:
    def __init__(self, line: Postman, tap: Tap) -> None:
        self._line = line
        self._tap = tap

    def offer(self, delivery: Delivery, *, urgent: int = 0) -> None:
        self._tap.outbound("offer", delivery, urgent)
        self._line.offer(delivery, urgent=urgent)


def tapped_runtime(tap: Tap) -> type[Runtime]:
    class Tapped(Runtime):
        def __init__(self, *args: Any, post: Callable[[str, str], PeerLine | None], **more: Any) -> None:
            def find(ch: str, peer: str) -> Postman | None:
                line = post(ch, peer)
                return None if line is None else TappedLine(line, tap)

            super().__init__(*args, post=find, **more)
            (tap.clock,) = (each for each in args if hasattr(each, "by_hand"))

        async def receive(self, delivery: Delivery) -> Delivery:
            reply = await super().receive(delivery)
            tap.outbound("reply", reply)
            return reply

    return Tapped


def tapped_inner(tap: Tap) -> type[InnerProcess]:
    class Tapped(InnerProcess):
        async def start(self) -> None:
            await super().start()
            assert self._process is not None
            assert self._process.stdin is not None
            write = self._process.stdin.write

            def noted(data: Any) -> None:
                # What officers ask of the inner side has nothing to do with peers; only the one-way feed is noted.
                if b'"ask":"feed"' in data and b'"feed":[' in data:
                    tap.note("fed")
                write(data)

            self._process.stdin.write = noted  # type: ignore[method-assign]

    return Tapped


def buggy(text: str) -> type[Node]:
    class Buggy(Node):
        def step(self, event: ev.Event, now: Now) -> Batch:
            batch = super().step(event, now)
            if isinstance(event, ev.RaiseAlert) and event.text == text:
                raise ZeroDivisionError(text)
            return batch

    return Buggy


class Seeded:
    """The n-th request for entropy gets the same bytes in every run."""

    def __init__(self, seed: str) -> None:
        self._seed, self._n = seed.encode(), 0

    def __call__(self, n: int) -> bytes:
        self._n += 1
        return hashlib.shake_256(self._seed + self._n.to_bytes(8, "big")).digest(n)


def seeded(seed: str) -> type[Line]:
    class SeededLine(Line):
        def __init__(self, channel: Channel, *rest: Any) -> None:
            *before, _, recall = rest  # the last but one is the entropy
            super().__init__(channel, *before, Seeded(f"{seed}/{channel.ch}"), recall)

    return SeededLine


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--clock", default="")
    parser.add_argument("--tap", type=Path)
    parser.add_argument("--seed", default="")
    parser.add_argument("--restore-s", type=float, default=0)
    parser.add_argument("--bug", default="")
    asked = parser.parse_args()
    if asked.bug:
        vars(service).update(Node=buggy(asked.bug))
    if asked.restore_s:
        vars(service).update(_RESTORE_S=asked.restore_s)
    if asked.tap:
        tap = Tap(asked.tap)
        vars(service).update(Runtime=tapped_runtime(tap), InnerProcess=tapped_inner(tap))
    if asked.seed:
        vars(node).update(Line=seeded(asked.seed))
    run_node(asked.dir, asked.clock, True)


if __name__ == "__main__":
    main()
