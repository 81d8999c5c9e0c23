# SPDX-License-Identifier: Apache-2.0
"""The recipient's end of a delivery that came through a mediator: who vouches for it, and what is kept of that.

Only mediators whose card this node took in (`ways.py`) are listened to, and only what both the mediator and the
sender's node signed is opened. The mediator's stamp is kept, whatever is in the delivery. What was spoiled on the way
is told with the proof; what nobody can be named for is told without accusing anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from wideberth.core.seal import canonical, mediation
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.core.seal.mediation import Handed, MediatorCard, Slip, Stamp
from wideberth.errors import Fault, Malformed, Spoiled, Stranger
from wideberth.link.delivery import read_address
from wideberth.link.wrapper import Wrapper, pack, unpack


class Books(Protocol):
    """What the desk asks of its node. Nothing here raises but where it says so."""

    def mediator(self, name: str) -> MediatorCard | None:
        """The card of a mediator that this node took in."""
        ...

    def node_keys(self, ch: str, party: str) -> tuple[str, ...]:
        """The keys that sign, or signed, for `party`'s node in this channel. Raises: Stranger."""
        ...

    def signer(self, ch: str) -> Signer:
        """Our own node's key in this channel."""
        ...

    def keep_stamp(self, ch: str, mediator: str, stamp: bytes) -> None: ...

    def told(self, ch: str, peer: str, fault: Fault) -> None:
        """Something that people should know: `Spoiled` comes with a proof to keep."""
        ...


# A fault with one of these reasons was seen by us alone, or proves nothing: told, and nobody is accused.
_TOLD: Final = ("stamp", "slip", "answer")


class Desk:
    def __init__(self, books: Books, verifier: Verifier, now_ms: Callable[[], int]) -> None:
        self._books = books
        self._verifier = verifier
        self._now_ms = now_ms

    def take(self, wire: bytes) -> Handed:
        """Check who signed for a wrapped delivery. Raises: Oversized, Malformed, BadSignature, Stranger, Spoiled."""
        wrapper = unpack(wire)
        card = self._books.mediator(mediation.stamped_by(wrapper.stamp))
        if card is None:
            fault = Stranger(
                "a delivery came by way of a mediator that this node does not know; it was not taken. If you agreed on "
                "one with the other side: `wideberth way trust`"
            )
            self._books.told("", "", fault)
            raise fault
        stamp = mediation.read_stamp(wrapper.stamp, card, self._verifier)
        keys = self._books.node_keys(stamp.ch, stamp.sender)
        try:
            handed = mediation.check_handed(
                wrapper.slip, wrapper.stamp, wrapper.sealed, card, keys, self._verifier
            )  # fmt: skip
            with mediation.answered_for(handed):
                _same_way(wrapper.sealed, stamp)
        except Fault as fault:
            self.refused(fault, stamp)
            raise
        self._books.keep_stamp(stamp.ch, card.mediator, wrapper.stamp)
        return handed

    def refused(self, fault: Fault, stamp: Stamp) -> None:
        """It does not open, or is not what it should be: people are told where it matters who did that."""
        if isinstance(fault, Spoiled) or fault.details.get("reason") in _TOLD:
            self._books.told(stamp.ch, stamp.sender, fault)

    def answer(self, handed: Handed, sealed: bytes) -> bytes:
        """What goes back through the mediator: our sealed answer and our node's slip, bound to what it answers."""
        was = handed.slip
        slip = Slip(1, was.ch, was.to, was.sender, canonical.sha256(sealed), self._now_ms(), answers=was.sha256)
        return pack(Wrapper(mediation.sign_slip(slip, self._books.signer(was.ch)), sealed))


def _same_way(sealed: bytes, stamp: Stamp) -> None:
    address = read_address(sealed)
    if (address.ch, address.sender, address.to) != (stamp.ch, stamp.sender, stamp.to):
        raise Malformed("the slip of a delivery names another channel, sender or recipient than the delivery itself")
