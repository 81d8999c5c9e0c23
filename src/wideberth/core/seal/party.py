# SPDX-License-Identifier: Apache-2.0
"""Who speaks: a party, its keys, and the card that it shows to others.

A party is its root key. The root signs a `Card` which certifies the keys that work day by day: the node's key (places
and receipts), the posts' keys (what a person says), the sealing key (what is sent to it) and the pin of its TLS
certificate. Names of people stay at home; a post such as `BLUE/watch-1` is a pseudonym.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from wideberth.core.limits import NAME_CHARS_MAX
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.envelope import CARD, Envelope
from wideberth.core.seal.keys import Signer, Verifier, unb64
from wideberth.errors import BadInput, Malformed, Stranger

_PARTY: Final = re.compile(r"[A-Z][A-Z0-9-]{1,15}")
_POST: Final = re.compile(r"[a-z][a-z0-9-]{0,23}")
POSTS_MAX: Final = 64


class Post(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A post that may speak: its key, and whether it is a supervisor's.

    `break_glass`: its key lies in an envelope for the day when nobody else can speak, and each use of it is said aloud.
    `supervisor` has no default, because it is always written.
    """

    key: str
    supervisor: bool
    break_glass: bool = False

    def __post_init__(self) -> None:
        unb64(self.key, "post key", 32)


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a party shows: signed by its root. `version` grows; the highest one that verifies holds.

    `posts` maps the short post name (`watch-1`) to its key; in the record it is written `PARTY/watch-1`.
    `sealing` is the suite and public key that deliveries are sealed to; `tls_sha256` the hex pin of its certificate.
    """

    v: int
    party: str
    root: str
    version: int
    node: str
    sealing: str
    url: str
    tls_sha256: str
    tls_pem: str
    posts: dict[str, Post]
    contact: str = ""
    time_zone: str = "UTC"
    languages: tuple[str, ...] = ("en",)

    def __post_init__(self) -> None:
        check_party_name(self.party)
        if self.v != 1:
            raise Malformed(f"card: version {self.v} of the format is not known here")
        unb64(self.root, "root key", 32)
        unb64(self.node, "node key", 32)
        if not 1 <= len(self.posts) <= POSTS_MAX:
            raise Malformed(f"card: a party has 1 to {POSTS_MAX} posts")
        for post in self.posts:
            check_post_name(post)
        if len(self.contact) > NAME_CHARS_MAX or len(self.url) > 256 or len(self.tls_pem) > 4096:
            raise Malformed("card: a text is too long")

    def post(self, by: str) -> Post:
        """The post `PARTY/name`. Raises Stranger if this card does not know it."""
        party, _, name = by.partition("/")
        post = self.posts.get(name)
        if party != self.party or post is None:
            raise Stranger(f"{by} is not a post on the card of {self.party}", post=by)
        return post


class Keys(msgspec.Struct, frozen=True):
    """What holds at one place of a strand: a card, and which posts' keys were taken out of use before it.

    `revoked`: public key → the `seq` of the entry that took it out.
    """

    card: Card
    revoked: dict[str, int] = {}

    def post(self, by: str) -> Post:
        """The post `PARTY/name`, whose key holds here. Raises Stranger."""
        post = self.card.post(by)
        if post.key in self.revoked:
            raise Stranger(f"the key of {by} was revoked at entry {self.revoked[post.key]}", post=by)
        return post


_DECODER: Final = msgspec.json.Decoder(Card)


def check_party_name(name: str) -> None:
    if not _PARTY.fullmatch(name):
        raise BadInput(
            f"a party's name is 2 to 16 capitals, digits or hyphens, such as BLUE, not {name[:40]!r}", field="party"
        )


def check_post_name(name: str) -> None:
    if not _POST.fullmatch(name):
        raise BadInput(
            f"a post's name is small letters, digits or hyphens, such as watch-1, not {name!r}", field="post"
        )


def sign_card(card: Card, root: Signer) -> Envelope:
    return envelope.seal(CARD, canonical.encode(card), root)


def read_card(data: bytes, verifier: Verifier, *, root: str | None = None) -> Card:
    """A card that its own root signed. Give `root` when you know whose card it must be.

    Raises: Oversized, Malformed, BadSignature, Stranger.
    """
    sealed, payload = envelope.read(data, CARD)
    card = canonical.read(payload, _DECODER, "card")
    if root is not None and card.root != root:
        raise Stranger(f"this card of {card.party} is not of the party that we agreed with: its root key differs")
    envelope.check(sealed, payload, card.root, verifier, f"card of {card.party}")
    return card
