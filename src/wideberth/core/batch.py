# SPDX-License-Identifier: Apache-2.0
"""What the core asks of its shell, in the order in which the shell must do it.

    1. ring    urgent things only: people are told before anything else, marked *not yet recorded*
    2. store   one transaction; it is durable before step 3 begins
    3. send    to peers
    4. tell    to own people, own screens and the caller of a command
    5. do      long pure work, on another thread or process; its result comes back as an event
    6. wake    call `step(Tick(), now)` no later than this monotonic time; a level, not a queue: the newest replaces

With steps 2 and 3 swapped a crash makes an honest node sign one place twice (measured: 53 of 100 simulated runs end
with an honest node convicted; in this order none of 400).
"""

from __future__ import annotations

import msgspec

from wideberth.core.feed import Feed
from wideberth.core.records import Record
from wideberth.core.tells import Tell


class Now(msgspec.Struct, frozen=True):
    """The time, as an argument. `t_ms`: claimed wall clock, UTC; it may jump and never orders anything.
    `mono_ms`: monotonic, for timers only; it starts anywhere."""

    t_ms: int
    mono_ms: int


class Send(msgspec.Struct, frozen=True):
    """Bytes for one peer, by reference: the shell fetches the frames from the batch or the store.

    `frames` are hashes of own or third-party entries in the order to be sent; the first `urgent` of them go before
    everything else that waits for that peer. `sidecars` are envelopes as they are. Delivery may lose, repeat and
    reorder; the core copes.
    """

    to: str
    ch: str
    frames: tuple[str, ...] = ()
    sidecars: tuple[bytes, ...] = ()
    urgent: int = 0


class Batch(msgspec.Struct, frozen=True):
    """Everything that one event asks for; see the module for the order. `wake` is monotonic time in ms, or None."""

    ring: tuple[Tell, ...] = ()
    store: tuple[Record, ...] = ()
    send: tuple[Send, ...] = ()
    tell: tuple[Tell, ...] = ()
    do: tuple[Feed, ...] = ()
    wake: int | None = None
