# SPDX-License-Identifier: Apache-2.0
"""Parties that lie, with their real keys: real nodes whose wire, clock or pen is bent. They sign for nobody else.

equivocator  signs two different entries for one place, and shows one of them to one peer only
backdater    puts its clock back by an hour, again and again
withholder   never sends every third entry to one peer, and never gives a receipt
flooder      sends everything five times, with garbage beside it
poisoner     signs well-placed entries whose bodies are nonsense
splitter     signs checkpoints for one peer over entries that it never sent
"""

from __future__ import annotations

from typing import Final

import msgspec

from wideberth.core import events as ev
from wideberth.core.batch import Send
from wideberth.core.effects import Effects, entry_record
from wideberth.core.say.words import NilReturn
from wideberth.core.seal import checkpoint
from wideberth.core.seal import entry as entries
from wideberth.core.seal.canonical import sha256
from wideberth.core.witnessing import note_in
from wideberth.sim.network import Frames
from wideberth.sim.site import Site
from wideberth.sim.weather import HOUR, SECOND

_EVERY_MS: Final = 50 * SECOND


class Liar(Site):
    """`victim` is the peer that is shown something else. `lie` happens every so often."""

    victim = ""

    def begin(self, victim: str) -> None:
        self.victim = victim
        self._next_lie()

    def _next_lie(self) -> None:
        def lie() -> None:
            if self.up:
                for ch in self.node.lines:
                    self.lie(ch)
            self._next_lie()

        self.later(self._dice.around(_EVERY_MS), lie)

    def lie(self, ch: str) -> None:
        """Something beside what the wire bends."""

    def weather_turned(self) -> None:
        """It is kind from now on."""

    def _ours(self, frame: tuple[bytes, bytes]) -> entries.Entry | None:
        entry = entries.read(*frame)[0]
        return entry if entry.header.sender == self.party else None


class Equivocator(Liar):
    """Half of them begin only when the weather has turned kind, so that one line check must be enough to find out."""

    def begin(self, victim: str) -> None:
        self._begins = self._dice.chance(0.5)
        super().begin(victim)

    def weather_turned(self) -> None:
        self._begins = True

    def lie(self, ch: str) -> None:
        for _ in range(4):
            self.submit(ev.SayNil(ch, f"{self.party}/watch-1", self.now().t_ms + HOUR))

    def _give(self, send: Send, frames: Frames, sidecars: tuple[bytes, ...]) -> None:
        if send.to == self.victim and self._begins:
            frames = tuple(map(self._other, frames))
        super()._give(send, frames, sidecars)

    def _other(self, frame: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        entry = self._ours(frame)
        if entry is None or entry.header.seq < 3 or entry.header.seq % 4:
            return frame
        header = msgspec.structs.replace(entry.header, t_ms=entry.header.t_ms + 1)
        return entries.seal(header, entry.body, self.keys.node).envelope, entry.body


class Backdater(Liar):
    def lie(self, ch: str) -> None:
        self.clock.jump(-HOUR)
        self.submit(ev.SayNil(ch, f"{self.party}/watch-1", self.now().t_ms + 2 * HOUR))


class Withholder(Liar):
    def _give(self, send: Send, frames: Frames, sidecars: tuple[bytes, ...]) -> None:
        if send.to == self.victim:
            frames = tuple(f for f in frames if (entry := self._ours(f)) is None or entry.header.seq % 3)
        sidecars = tuple(s for s in sidecars if b"vnd.wideberth.receipt+" not in s)
        if frames or sidecars:
            super()._give(send, frames, sidecars)


class Flooder(Liar):
    def _give(self, send: Send, frames: Frames, sidecars: tuple[bytes, ...]) -> None:
        dice = self._dice
        for _ in range(5):
            super()._give(send, frames, sidecars)
        garbage = tuple((dice.octets(dice.between(1, 900)), dice.octets(dice.between(1, 90))) for _ in range(4))
        bent = tuple((envelope[:-3] + dice.octets(3), body) for envelope, body in frames[:4])
        super()._give(send, garbage + bent, tuple(dice.octets(60) for _ in range(4)))


class Poisoner(Liar):
    def lie(self, ch: str) -> None:
        if self.disk.low or self.doom is not None:
            return
        line, now, by = self.node.lines[ch], self.now(), f"{self.party}/watch-1"
        body = self._dice.pick((
            b"\xff\xfe", b"{}", b"[" * 4000, b'{"body":{"said":{}},"salt":""}', self._dice.octets(300),
            self._signed_by_another(ch, by, now.t_ms),
        ))  # fmt: skip
        entry = entries.seal(line.channel.header("nil", by, now.t_ms, body), body, self.keys.node)
        assert entry.header.body_sha256 == sha256(body)
        out = Effects()
        line.channel.wrote(entry, urgent=False)
        out.store.append(entry_record(entry, now.t_ms))
        for peer in line.channel.peers:
            line.send_fresh(peer, now, out)
        batch = out.batch(self.node.wake_ms(now))
        self.effects([(ev.Tick(), batch)])
        self._set_alarm(batch.wake, now)

    def _signed_by_another(self, ch: str, by: str, t_ms: int) -> bytes:
        """A person's statement under the key of another post."""
        said, sig = entries.state(by, ch, t_ms, NilReturn(t_ms), self.keys.post("watch-2"))
        return entries.pack_body(said, sig, self._dice.octets(entries.SALT_BYTES))


class Splitter(Liar):
    def _give(self, send: Send, frames: Frames, sidecars: tuple[bytes, ...]) -> None:
        if send.to == self.victim:
            sidecars = tuple(map(self._over_others, sidecars))
        super()._give(send, frames, sidecars)

    def _over_others(self, sidecar: bytes) -> bytes:
        if not sidecar.startswith(b'"'):
            return sidecar
        found, _ = checkpoint.read(note_in(sidecar))
        if found.author != self.party:
            return sidecar
        data = checkpoint.seal(msgspec.structs.replace(found, root=b"\x05" * 32), self.keys.node)
        return msgspec.json.encode(data.decode())


LIARS: Final[dict[str, type[Liar]]] = {
    kind.__name__.lower(): kind for kind in (Equivocator, Backdater, Withholder, Flooder, Poisoner, Splitter)
}
