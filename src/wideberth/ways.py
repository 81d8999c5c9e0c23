# SPDX-License-Identifier: Apache-2.0
"""Which mediators this node knows, and by which ways it says things to whom: files in the node's folder.

    mediators/NAME.json   the card of a mediator whose twelve words were compared over a telephone
    ways.json             {"GREEN": ["direct", "HOST"], "CH/GREEN": ["HOST"]}: ways to a peer in the order in which they
                          are tried, for all lines or for one; a peer that is not named is reached directly

Nothing here is agreed with anybody: each side decides by which way *it* sends, and listens to every mediator that it
knows. A mediator can be left out again at any time (`wideberth way set GREEN direct`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from wideberth.core.limits import KIB
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.mediation import MediatorCard, check_mediator_name, read_mediator
from wideberth.core.seal.party import check_party_name
from wideberth.errors import BadInput, NotFound
from wideberth.fingerprint import fingerprint_words, same_words
from wideberth.folder import disk, read_file, write_file
from wideberth.link.way import DIRECT

WAYS_NAME: Final = "ways.json"
FOLDER_NAME: Final = "mediators"
# More ways than this to one peer, and nobody knows any more which one is meant.
WAYS_MAX: Final = 4
_CARD_BYTES_MAX: Final = 16 * KIB
_WAYS_BYTES_MAX: Final = 64 * KIB

_decoder: Final = msgspec.json.Decoder(dict[str, tuple[str, ...]])


class WayBook(msgspec.Struct, frozen=True):
    """Mediators by name, and ways by peer (`GREEN`) or by line and peer (`CH/GREEN`)."""

    mediators: dict[str, MediatorCard] = {}
    ways: dict[str, tuple[str, ...]] = {}

    def of(self, ch: str, peer: str) -> tuple[str, ...]:
        """Ways to a peer on a line, at least one; a mediator whose card is gone is left out."""
        chosen = self.ways.get(f"{ch}/{peer}") or self.ways.get(peer) or (DIRECT,)
        return tuple(way for way in chosen if way == DIRECT or way in self.mediators) or (DIRECT,)


def load_ways(folder: Path) -> WayBook:
    """What stands in a node's folder. Raises: BadInput, Theirs for a card that is spoilt, Worlds."""
    with disk(folder):
        cards = [_card(file) for file in sorted((folder / FOLDER_NAME).glob("*.json"))]
        file = folder / WAYS_NAME
        ways: dict[str, tuple[str, ...]] = {}
        if file.is_file():
            try:
                ways = _decoder.decode(read_file(file, _WAYS_BYTES_MAX))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                raise BadInput(f"{file} cannot be read; delete it, and set the ways anew with `way set`") from None
    return WayBook({card.mediator: card for card in cards}, ways)


def _card(file: Path) -> MediatorCard:
    return read_mediator(read_file(file, _CARD_BYTES_MAX), Ed25519Verifier())


def look(data: bytes) -> dict[str, str]:
    """What a mediator's card says, for the officer to read before it is taken in. Raises: Theirs."""
    card = read_mediator(data, Ed25519Verifier())
    return {
        "mediator": card.mediator, "url": card.url, "contact": card.contact, "words": fingerprint_words(card.key)
    }  # fmt: skip


def trust(folder: Path, data: bytes, heard: str) -> MediatorCard:
    """Take a mediator's card in, after an officer compared its words. Raises: BadInput, Theirs, Worlds."""
    card = read_mediator(data, Ed25519Verifier())
    if not same_words(heard, card.key):
        raise BadInput(
            f"these are not the words of the key on this card, which claims to be of {card.mediator}. It was not taken "
            "in. Ask them to read their words again (`wideberth mediate card` on their side)",
            field="words",
        )
    with disk(folder):
        (folder / FOLDER_NAME).mkdir(mode=0o700, exist_ok=True)
        write_file(folder / FOLDER_NAME / f"{card.mediator}.json", data, replace=True)
    return card


def set_ways(folder: Path, peer: str, ways: Sequence[str], ch: str = "") -> WayBook:
    """From now on go to `peer` by these ways, in this order; on one line only where `ch` is given. None: as for a peer
    that was never named. Raises: BadInput, NotFound, Worlds."""
    check_party_name(peer)
    book = load_ways(folder)
    for way in ways:
        if way != DIRECT:
            check_mediator_name(way)
            if way not in book.mediators:
                raise NotFound(
                    f"this node does not know a mediator {way}; take its card in with `way trust` first", field="ways"
                )
    if len(ways) > WAYS_MAX or len(set(ways)) != len(ways):
        raise BadInput(f"name each way once, and at most {WAYS_MAX}", field="ways")
    changed = {**book.ways}
    changed.pop(key := f"{ch}/{peer}" if ch else peer, None)
    if ways:
        changed[key] = tuple(ways)
    with disk(folder):
        write_file(folder / WAYS_NAME, msgspec.json.encode(changed), replace=True)
    return WayBook(book.mediators, changed)
