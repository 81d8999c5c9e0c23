# SPDX-License-Identifier: Apache-2.0
"""One mechanism at one node: the versions of its agreement and our lines in it. Nothing crosses to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wideberth.core.call.accord import Accord
from wideberth.core.effects import Effects, fault_tell
from wideberth.core.say.words import VoiceContact, Word
from wideberth.core.seal.agreement import Agreement, Versions, agreement_hash, read_agreement
from wideberth.core.seal.keys import Verifier
from wideberth.core.seal.party import Card
from wideberth.core.tells import Level
from wideberth.errors import BadInput, Fault

if TYPE_CHECKING:
    from wideberth.core.line import Line


class Mechanism:
    """`cards` are the members' first ones; each line keeps those that hold there now."""

    def __init__(self, versions: Versions, cards: dict[str, Card]) -> None:
        self.versions = versions
        self.cards = cards
        self.lines: dict[str, Line] = {}
        self.envelopes: dict[str, bytes] = {}
        self.card_envelopes: tuple[bytes, ...] = ()

    @property
    def home(self) -> Line:
        """The line on which the mechanism itself is talked about; every member is on it."""
        return next(line for line in self.lines.values() if line.channel.home)

    @property
    def accord(self) -> Accord:
        """What has become of the agreement."""
        accord = self.home.board.accord
        assert accord is not None, "the home line has one"
        return accord

    def take_in(self, whole: bytes, verifier: Verifier, out: Effects) -> None:
        """A version that is complete by the words of the home line."""
        try:
            self.add(read_agreement(whole, verifier)[0], whole, out)
        except Fault as fault:
            # Two versions follow one: every root signed both, ours among them.
            channel = self.home.channel
            out.tell.append(fault_tell(fault, channel.ch, channel.us, Level.RING))

    def take_in_complete(self, verifier: Verifier, out: Effects) -> None:
        """After a fold anew: versions that are complete only now."""
        for whole in self.accord.not_taken_in():
            self.take_in(whole, verifier, out)

    def add(self, agreement: Agreement, envelope: bytes, out: Effects | None = None) -> None:
        """A version that every root signed. With `out`: the node is told when it is new. Raises BadInput when it does
        not follow the newest."""
        if self.versions.add(agreement):
            self.envelopes[agreement_hash(agreement)] = envelope
            if out is not None:
                out.agreed.append((agreement, envelope))

    def outside(self, party: str, t_ms: int, agr: str) -> str:
        """What is marked on something that a member said at a time, by its own clock; empty when nothing is."""
        why = self.accord.outside(party, t_ms)
        if why:
            return why
        signed, in_force = self.versions.of(agr), self.accord.in_force(t_ms)
        if signed is not None and signed.version < in_force.version:
            return f"signed under version {signed.version} of the agreement; version {in_force.version} was in force"
        return ""

    def check_may_say(self, what: Word, party: str, now_ms: int, *, distress: bool) -> None:
        """After an exit only distress is said, and what answers it (domain.md A5, G8). Raises BadInput."""
        if distress or isinstance(what, VoiceContact) or self.accord.state(party, now_ms) != "TERMINATED":
            return
        raise BadInput(
            f"{self.accord.outside(party, now_ms)}. The record stays; nothing more is said on this mechanism, except "
            "that somebody is in distress: `distress`",
            field="ch",
        )
