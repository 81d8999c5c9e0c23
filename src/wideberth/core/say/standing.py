# SPDX-License-Identifier: Apache-2.0
"""Words about the mechanism itself: its agreement, its lines, the keys of its members, and positions.

None of them is operational: they warn of nothing, and no notice, acknowledgement or alarm depends on them. The state of
the agreement, of the line and of the relationship are three different things (domain.md §0.5, A4, B3, H5).
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from wideberth.core.limits import FRAME_BYTES_MAX, NAME_CHARS_MAX, STATEMENT_CHARS_MAX, TEXT_CHARS_MAX
from wideberth.core.say.base import WordBase, short
from wideberth.errors import BadInput

NONCE_CHARS: Final = 32


class KeySignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A root key's signature over an agreement: `keyid` is a hint, `sig` padded base64 of 64 bytes."""

    keyid: str
    sig: str


class Proposal(WordBase, frozen=True, tag="propose"):
    """A new version of the agreement, in the very bytes that will be signed. Changes nothing.

    `counters` is the hash of the proposed version that this one answers, or empty.
    """

    agreement: str
    counters: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")
        short(self.agreement, FRAME_BYTES_MAX // 2, "agreement")


class Signing(WordBase, frozen=True, tag="sign"):
    """A member's root signed that version. It is in force when every member's did (domain.md A3)."""

    of: str
    sig: KeySignature


class Suspension(WordBase, frozen=True, tag="suspend"):
    """The speaker suspends its part of the agreement from `from_ms`. Lines stay open (domain.md A4, A5).

    Without a text it holds as well, and is marked *no text*.
    """

    from_ms: int
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, STATEMENT_CHARS_MAX, "text")


class Reinstatement(WordBase, frozen=True, tag="reinstate"):
    """The speaker ends its own suspension."""

    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, STATEMENT_CHARS_MAX, "text")


class Exit(WordBase, frozen=True, tag="exit"):
    """The speaker leaves the mechanism from `from_ms`, for good. The record stays; only distress passes after it."""

    from_ms: int
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, STATEMENT_CHARS_MAX, "text")


class Operational(WordBase, frozen=True, tag="operational"):
    """The speaker declares itself ready under the version `of`. `red` names what is not: then a supervisor signed."""

    of: str
    red: tuple[str, ...] = ()
    text: str = ""

    def __post_init__(self) -> None:
        for item in self.red:
            short(item, NAME_CHARS_MAX, "item")
        short(self.text, TEXT_CHARS_MAX, "text")


class LineCheck(WordBase, frozen=True, tag="check"):
    """A person asks whether a person is there (domain.md B2). `nonce`: 32 hex digits."""

    nonce: str
    text: str = ""

    def __post_init__(self) -> None:
        if len(self.nonce) != NONCE_CHARS:
            raise BadInput("the nonce of a line check is 32 hex digits", field="nonce")
        short(self.text, TEXT_CHARS_MAX, "text")


class LineCheckAnswer(WordBase, frozen=True, tag="checked"):
    """A person answers one exact line check: the hash of its entry, and its nonce."""

    of: str
    nonce: str
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")


class LineWord(WordBase, frozen=True, tag="line"):
    """What the speaker says about the line itself (domain.md B3, B7): it refuses to talk on it, takes it out of use
    for a while, closes it, or is back. Never more than a member's own word; urgent words pass in every state."""

    state: Literal["REFUSED", "SUSPENDED", "OPEN", "CLOSED"]
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")


class Statement(WordBase, frozen=True, tag="statement"):
    """A statement of position. It changes nothing (domain.md H5). `language` is a BCP 47 tag; `about` may name entries
    by their hashes."""

    text: str
    language: str = "en"
    about: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise BadInput("a statement says something", field="text")
        short(self.text, STATEMENT_CHARS_MAX, "text")
        short(self.language, 35, "language")


class CardChanged(WordBase, frozen=True, tag="card"):
    """The speaker's new card, signed by its root: from the next place of this strand on its keys hold (spec/1).

    `card` is the DSSE envelope as it was signed.
    """

    card: str

    def __post_init__(self) -> None:
        short(self.card, FRAME_BYTES_MAX // 2, "card")


class KeyRevoked(WordBase, frozen=True, tag="revoke"):
    """A post's key is no longer its own: nothing signed with it after this place has any effect (domain.md J6).

    `post` is the short name, `key` the public key. It cannot reach back: what a peer received before it stands.
    """

    post: str
    key: str
    text: str = ""

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")


StandingWord = (
    Proposal | Signing | Suspension | Reinstatement | Exit | Operational
    | LineCheck | LineCheckAnswer | LineWord | Statement | CardChanged | KeyRevoked
)  # fmt: skip
