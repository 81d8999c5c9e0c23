# SPDX-License-Identifier: Apache-2.0
"""A mediator's folder: who it is, whom it serves. No key in it opens a delivery.

mediator.json         {"mediator", "listen", "url", "contact"}; written last
keys/stamp.seed       its Ed25519 key, which signs the stamps and *is* the mediator
keys/tls.key tls.crt  the certificate that its members pin
members/PARTY-KEY.json
                      a card of each party it serves, as that party's root signed it; KEY names the node key on it,
                      because a party may have one of its own for each mechanism, and changes it now and then
card.json             its own card, to be given to the members
log.db                every stamp it gave (`mediator/log.py`)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from wideberth.core.limits import KIB
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier, key_id
from wideberth.core.seal.mediation import MediatorCard, check_mediator_name, sign_mediator
from wideberth.core.seal.party import Card, read_card
from wideberth.errors import BadInput, NotFound
from wideberth.fingerprint import same_words
from wideberth.folder import (
    KEY_FILE_BYTES_MAX,
    Entropy,
    check_private,
    disk,
    fresh_seed,
    parse_seed,
    read_file,
    write_file,
)
from wideberth.link.tls import Identity, fingerprint, make_identity

SETTINGS_NAME: Final = "mediator.json"
CARD_NAME: Final = "card.json"
LOG_NAME: Final = "log.db"
# A card with 64 posts is under 10 KiB.
CARD_BYTES_MAX: Final = 64 * KIB
_SETTINGS_BYTES_MAX: Final = 4 * KIB


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`listen` is host:port; `url` where members find it, https://host:port."""

    mediator: str
    listen: str
    url: str
    contact: str = ""


class MediatorHome:
    """A mediator's folder that was found in order."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path: Final = path
        self.settings: Final = settings

    @property
    def log_path(self) -> Path:
        return self.path / LOG_NAME

    def signer(self) -> Ed25519Signer:
        """The key of the stamps. Raises: NotFound, BadInput, Worlds."""
        return Ed25519Signer(parse_seed(self._key("stamp.seed"), "keys/stamp.seed"))

    def identity(self) -> Identity:
        """The TLS certificate and its key. Raises: NotFound, BadInput, Worlds."""
        return Identity(self._key("tls.crt").decode("ascii", "replace"), self._key("tls.key"))

    def card(self) -> bytes:
        """Our own card, as members take it in. Raises: NotFound, BadInput, Worlds."""
        with disk(self.path):
            return read_file(self.path / CARD_NAME, CARD_BYTES_MAX)

    def members(self) -> dict[str, tuple[Card, ...]]:
        """Whom we serve, by name, each with its cards, the newest first. Raises: Theirs for a card that is spoilt,
        Worlds."""
        with disk(self.path):
            files = sorted((self.path / "members").glob("*.json"))
            cards = [read_card(read_file(file, CARD_BYTES_MAX), Ed25519Verifier()) for file in files]
        found: dict[str, tuple[Card, ...]] = {}
        for card in sorted(cards, key=lambda card: -card.version):
            found[card.party] = (*found.get(card.party, ()), card)
        return found

    def add(self, data: bytes, heard: str) -> Card:
        """Serve one more party, or take in its newer card, after its twelve words were compared.

        Raises: BadInput, Theirs, Worlds.
        """
        card = read_card(data, Ed25519Verifier())
        if not same_words(heard, card.root):
            raise BadInput(
                f"these are not the words of the key on this card, which claims to be of {card.party}; it is not "
                "served. Ask them to read their words again (`wideberth status` on their side)",
                field="words",
            )
        for known in self.members().get(card.party, ()):
            if known.root != card.root:
                raise BadInput(
                    f"another party called {card.party} is served already; delete its cards in members/ first if that "
                    "one is no longer",
                    field="card",
                )
            if known.node == card.node and known.version > card.version:
                raise BadInput(f"this card of {card.party} is older than the one that is served", field="card")
        with disk(self.path):
            write_file(self.path / "members" / f"{card.party}-{key_id(card.node)}.json", data, replace=True)
        return card

    def _key(self, name: str) -> bytes:
        file = self.path / "keys" / name
        with disk(self.path):
            if not file.is_file():
                raise NotFound(f"keys/{name} is missing; restore it from a backup")
            check_private(file)
            return read_file(file, KEY_FILE_BYTES_MAX)


def create(path: Path, settings: Settings, *, entropy: Entropy, now_ms: int) -> MediatorHome:
    """Make the folder (new or empty) with fresh keys. Raises: BadInput, StoreFull, Worlds."""
    check_mediator_name(settings.mediator)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise BadInput(f"{path} is already there and not an empty folder; name another", field="path")
    with disk(path):
        path.mkdir(parents=True, exist_ok=True)
        os.chmod(path, 0o700)
        for name in ("keys", "members"):
            (path / name).mkdir()
            os.chmod(path / name, 0o700)
        write_file(path / "keys" / "stamp.seed", seed := fresh_seed(entropy))
        identity = make_identity(settings.mediator, now_ms)
        write_file(path / "keys" / "tls.key", identity.key_pem)
        write_file(path / "keys" / "tls.crt", identity.certificate_pem.encode("ascii"))
        signer = Ed25519Signer(parse_seed(seed, "keys/stamp.seed"))
        card = MediatorCard(
            1, settings.mediator, signer.public, settings.url, fingerprint(identity.certificate_pem),
            identity.certificate_pem, settings.contact,
        )  # fmt: skip
        write_file(path / CARD_NAME, sign_mediator(card, signer))
        write_file(path / SETTINGS_NAME, msgspec.json.format(msgspec.json.encode(settings)))
    return load(path)


def load(path: Path) -> MediatorHome:
    """The mediator in `path`, its permissions checked. Raises: NotFound, BadInput, Worlds."""
    if not (path / SETTINGS_NAME).is_file():
        raise NotFound(f"there is no mediator in {path}; make one with `wideberth mediate init`", field="dir")
    with disk(path):
        check_private(path)
        check_private(path / "keys")
        try:
            settings = msgspec.json.decode(read_file(path / SETTINGS_NAME, _SETTINGS_BYTES_MAX), type=Settings)
        except (msgspec.MsgspecError, UnicodeDecodeError) as why:
            raise BadInput(f"{path / SETTINGS_NAME} cannot be read: {why}") from None
    return MediatorHome(path, settings)
