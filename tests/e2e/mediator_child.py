# SPDX-License-Identifier: Apache-2.0
"""A mediator in a process of its own, as `wideberth mediate up` runs it, and dishonest whenever a file says so.

    python tests/e2e/mediator_child.py --dir FOLDER --how FILE

FILE holds one word, read anew at every delivery: nothing (honest); `alter` (a byte, and the stamp is over the altered
bytes); `alter-late` (a byte, after the stamp); `alter-answer`; `swallow` (takes it, and never answers); `old-answer`
(passes nothing on, and returns an answer that it kept); `delay` (each delivery, by `DELAY_S`); `repeat` (hands every
delivery over three times, and the one before it after it).
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import msgspec

from wideberth.core.seal import canonical
from wideberth.core.seal.mediation import Slip
from wideberth.link.delivery import read_address
from wideberth.link.wrapper import Wrapper, pack, unpack
from wideberth.mediator.relay import Mediator
from wideberth.mediator.run import run_mediator

DELAY_S = 5.0


def altered(sealed: bytes) -> bytes:
    """One bit of the sealed part; everything outside the seal as it was."""
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


def dishonest(how: Path) -> type[Mediator]:
    def now() -> str:
        return how.read_text(encoding="utf-8").strip()

    class Dishonest(Mediator):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._kept: dict[str, tuple[Slip, Wrapper]] = {}
            self._before: tuple[Slip, Wrapper] | None = None

        async def relay(self, wire: bytes) -> tuple[bool, bytes]:
            said = unpack(wire)
            address = read_address(said.sealed)
            if now() != "old-answer" or address.to not in self._kept:
                return await super().relay(wire)
            slip = self.admit(said, (address.ch, address.sender, address.to))
            stamp = self.stamp(slip, said.slip, self._now_ms(), self._now_ms())
            return True, super().bring_back(*self._kept[address.to], stamp, self._now_ms())

        async def hand_over(self, slip: Slip, wrapper: Wrapper) -> bytes | str:
            match now():
                case "alter":
                    sealed = altered(wrapper.sealed)
                    claimed = msgspec.structs.replace(slip, sha256=canonical.sha256(sealed))
                    stamp = self.stamp(claimed, wrapper.slip, self._now_ms(), self._now_ms())
                    return await super().hand_over(slip, Wrapper(wrapper.slip, sealed, stamp))
                case "alter-late":
                    sealed = altered(wrapper.sealed)
                    return await super().hand_over(slip, msgspec.structs.replace(wrapper, sealed=sealed))
                case "swallow":
                    await asyncio.sleep(3600)
                case "delay":
                    await asyncio.sleep(DELAY_S)
                case "repeat":
                    for _ in range(2):
                        await super().hand_over(slip, wrapper)
                    answer = await super().hand_over(slip, wrapper)
                    if self._before is not None:
                        await super().hand_over(*self._before)
                    self._before = (slip, wrapper)
                    return answer
            return await super().hand_over(slip, wrapper)

        def bring_back(self, slip: Slip, answer: Wrapper, before: bytes, received_ms: int) -> bytes:
            self._kept[slip.sender] = (slip, answer)
            if now() != "alter-answer":
                return super().bring_back(slip, answer, before, received_ms)
            sealed = altered(answer.sealed)
            claimed = msgspec.structs.replace(slip, sha256=canonical.sha256(sealed))
            stamp = self.stamp(claimed, answer.slip, received_ms, self._now_ms())
            return pack(Wrapper(answer.slip, sealed, stamp, before))

    return Dishonest


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--how", type=Path, required=True)
    asked = parser.parse_args()
    run_mediator(asked.dir, True, dishonest(asked.how))


if __name__ == "__main__":
    main()
