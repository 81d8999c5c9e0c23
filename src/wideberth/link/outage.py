# SPDX-License-Identifier: Apache-2.0
"""Whether what this node says to one peer gets there, for people: told once when it does not, once when it does again.

An outage begins with a delivery that did not get through, or a probe that nobody answers by any way; so it is told
within `PROBE_S` and a probe's patience, 7 s, even when nothing was to be sent (domain.md B9: under 10 s). It ends with
a delivery that did get through, and with nothing less: a mediator that answers probes and swallows deliveries does not
make it flicker. While it lasts, and before the first delivery, each probe that succeeds is followed by an empty
delivery, to find out.

It is told once, and once more, ringing, when something urgent waits behind it: silence about a warning that does not
get out is what this is for (F20).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Literal

from wideberth.core.tells import Level, LinkState
from wideberth.errors import Fault
from wideberth.link.client import PeerLine
from wideberth.link.delivery import Delivery
from wideberth.link.way import DIRECT, Ways

# Between two probes of one line, seconds. A probe is some 300 bytes there and back: 1 % of a line of 64 kbit/s.
PROBE_S: Final = 3.0

UNTRIED: Final = "UNTRIED"


class Outage:
    """The state of one line. `urgent` says whether something urgent is not receipted; `tell` takes what people hear."""

    def __init__(
        self, ch: str, peer: str, *, tell: Callable[[LinkState], None], urgent: Callable[[], bool],
        now_ms: Callable[[], int],
    ) -> None:  # fmt: skip
        self._ch = ch
        self._peer = peer
        self._tell = tell
        self._urgent = urgent
        self._now_ms = now_ms
        self._rang = False
        self._state: str = UNTRIED
        self._since_ms = 0
        self._way = ""
        self._fault: Fault | None = None

    @property
    def out(self) -> bool:
        return self._state == "NOT_RELAYED"

    @property
    def works_now(self) -> bool:
        """Whether the newest delivery got through, as far as is known; False before the first."""
        return self._state == "WORKS"

    @property
    def warning(self) -> str:
        """For whoever says something now: a sentence while the line is out, else empty."""
        return self._sentence() if self.out else ""

    def failed(self, fault: Fault) -> None:
        """A delivery did not get through, or no way answers a probe."""
        began = not self.out
        self._fault = fault
        if began:
            self._state, self._since_ms, self._rang = "NOT_RELAYED", self._now_ms(), False
        if not self.remind() and began:
            self._say(self._sentence(), Level.NOTE)

    def remind(self) -> bool:
        """Ring, once in an outage, if something urgent waits behind it. Returns whether it rang now."""
        if not self.out or self._rang or not self._urgent():
            return False
        self._rang = True
        self._say(self._sentence(), Level.RING)
        return True

    def works(self, way: str) -> None:
        """A delivery got through by this way."""
        was, before = self._state, self._way
        self._way, self._fault = way, None
        if was != "WORKS":
            self._state, self._since_ms = "WORKS", self._now_ms()
        if was == "NOT_RELAYED":
            self._say(f"What this node says reaches {self._peer} again{_by(way)}.", Level.NOTE)
        elif was == "WORKS" and way != before:
            self._say(f"What this node says now reaches {self._peer}{_by(way) or ' directly'}.", Level.NOTE)

    def as_json(self, ways: Ways) -> dict[str, Any]:
        """For the status. `since_ms`: our clock; `way` is empty before the first delivery."""
        return {"state": self._state, "since_ms": self._since_ms, "way": self._way, "ways": list(ways.names)}

    def link(self) -> str:
        """One line for people."""
        if self.out:
            return f"NOT_RELAYED: {self._fault}"
        return "not tried yet" if self._state == UNTRIED else f"reachable{_by(self._way)}"

    def _sentence(self) -> str:
        return f"NOT_RELAYED: what this node says does not reach {self._peer}: {self._fault}"

    def _say(self, sentence: str, level: Level) -> None:
        state: Literal["NOT_RELAYED", "WORKS"] = "NOT_RELAYED" if self.out else "WORKS"
        fault = self._fault
        details = {} if fault is None else {"fault": fault.name, "reason": str(fault.details.get("reason", ""))}
        self._tell(LinkState(self._ch, self._peer, state, self._way, sentence, details, level))


def _by(way: str) -> str:
    return "" if way in (DIRECT, "") else f" by way of {way}"


async def watch(line: PeerLine, ways: Ways, outage: Outage, empty: Delivery) -> None:
    """Probe until cancelled. A delivery under way says more than a probe, and would be in its way on a slow line."""
    while True:
        await asyncio.sleep(PROBE_S)
        outage.remind()
        if line.under_way:
            continue
        fault = await ways.probe()
        if fault is not None:
            line.suspect(fault)
        elif not outage.works_now:
            line.offer(empty)
