# SPDX-License-Identifier: Apache-2.0
"""Epochs that came before what they follow."""

from __future__ import annotations

from tests.core.test_keys import placed, show
from tests.core.test_line import give
from tests.pair import Pair
from wideberth.core.limits import PARKED_FRAMES_MAX
from wideberth.core.say.words import EpochOpened, Place
from wideberth.core.tells import FaultSeen


def test_a_thousand_epochs_that_wait_for_one_another_are_linked_when_the_first_comes() -> None:
    """A peer may park as many openings as fit: linking them is a loop, and not as deep as there are."""
    pair = Pair()
    give(pair)
    pair.settle()
    after = pair.blue.node.lines[pair.ch].channel.own.place
    chain = []
    for n in range(PARKED_FRAMES_MAX):
        opening = EpochOpened("REPAIRED", after, {"GREEN": None})
        chain.append(placed(pair, "BLUE/node", opening, None, epoch=f"{n:032x}", seq=1, prev="0" * 64))
        after = Place(f"{n:032x}", 1, chain[-1].hash)
    for n in range(1, len(chain), 256):
        show(pair, *reversed(chain[n : n + 256]))
    strand = pair.green.node.lines[pair.ch].channel.strands["BLUE"]
    assert len(strand.epochs) == 1
    show(pair, chain[0])
    assert len(strand.epochs) == 1 + len(chain)
    assert not [f for f in pair.green.tells(FaultSeen) if f.whose == "ours"]  # type: ignore[attr-defined]
