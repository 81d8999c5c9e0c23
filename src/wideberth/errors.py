# SPDX-License-Identifier: Apache-2.0
"""The tree of faults. Each says whose it is: ours, theirs, or the world's.

    Fault
    ├── Ours        a command that cannot be carried out, a bug, a bad configuration
    │   ├── Misuse          a caller broke the rules of an interface: a bug to report
    │   ├── BadInput        what an officer or a file gave us cannot be used; nothing was signed or sent
    │   └── NotFound        there is no such notice, channel, peer or post here
    ├── Theirs      what a peer sent breaks the protocol; the offending bytes are kept as proof where they are signed
    │   ├── Oversized       longer than the limit both sides share
    │   ├── Malformed       not in the one spelling
    │   ├── BadSignature    the signature does not verify under the key that should have made it
    │   ├── Stranger        a party, channel, node or post that we have no agreement with
    │   ├── OutOfPlace      well signed, but it does not continue the strand
    │   ├── Equivocation    two different signed headers for one place: a proof that stands alone
    │   └── Spoiled         a delivery that cannot be used, and somebody signed for exactly that: a proof
    └── Worlds      neither side's fault
        ├── StoreFull       no room on the disk
        ├── StoreBroken     the store cannot be read, or somebody else wrote to it
        ├── Outdated        signed with a key that its owner has replaced meanwhile
        └── Unreachable     a peer, or our own node, does not answer

A fault has a `name` (its class), a sentence for an officer that says what to do (`str(fault)`), and `details`
(JSON-ready). Nothing else is ever raised across a package boundary on purpose; any other exception is a bug.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

Whose = Literal["ours", "theirs", "world"]


class Fault(Exception):
    """Something is wrong, and we know whose doing it is."""

    whose: ClassVar[Whose] = "ours"

    def __init__(self, sentence: str, **details: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.details = details

    @property
    def name(self) -> str:
        return type(self).__name__

    def as_json(self) -> dict[str, Any]:
        """`{"fault", "whose", "sentence", "details"}`, ready for JSON."""
        return {"fault": self.name, "whose": self.whose, "sentence": self.sentence, "details": self.details}


class Ours(Fault):
    whose = "ours"


class Misuse(Ours):
    """A caller broke the rules of an interface. This is a bug in wideberth: please report it."""


class BadInput(Ours, ValueError):
    """What an officer, a file or a program gave us cannot be used. Nothing was signed, stored or sent.

    `details["field"]` names the field at fault where there is one.
    """


class NotFound(Ours):
    """There is no such notice, channel, peer or post on this node."""


class Theirs(Fault):
    whose = "theirs"


class Oversized(Theirs):
    """Longer than the limit both sides share (`core/limits.py`)."""


class Malformed(Theirs, ValueError):
    """Not in the one spelling, or not the shape that the protocol gives."""


class BadSignature(Theirs):
    """The signature does not verify under the key that should have made it."""


class Stranger(Theirs):
    """A party, channel, node or post that we have no agreement with."""


class OutOfPlace(Theirs):
    """Well signed, but it does not continue the strand."""


class Equivocation(Theirs):
    """Two different signed headers for one place. `first` and `second` are the envelopes: a proof that stands alone."""

    def __init__(self, sentence: str, *, first: bytes, second: bytes, **details: Any) -> None:
        super().__init__(sentence, **details)
        self.first = first
        self.second = second


class Spoiled(Theirs):
    """A delivery through a mediator that cannot be used. `by` (a party or the mediator) signed for exactly that, and
    `proof` is canonical JSON that shows it to a stranger (`core/seal/mediation.py`)."""

    def __init__(self, sentence: str, *, by: str = "", proof: bytes = b"", **details: Any) -> None:
        super().__init__(sentence, by=by, **details)
        self.by = by
        self.proof = proof


class Worlds(Fault):
    whose = "world"


class StoreFull(Worlds):
    """No room on the disk. Nothing was half-written."""


class StoreBroken(Worlds):
    """The store cannot be read, or another process wrote to it. The node must stop, or it could sign a place twice."""


class Outdated(Worlds):
    """Signed with a node key that its owner has replaced: from before the change and late, or by whoever took it."""


class Unreachable(Worlds):
    """A peer, or our own node, does not answer."""
