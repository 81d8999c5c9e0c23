# SPDX-License-Identifier: Apache-2.0
"""Whose sealing keys we hold: our own to open with, the peers' to seal to. Who is who is decided elsewhere; a key gets
in here after the signed entry that publishes it was believed."""

from __future__ import annotations

from typing import Protocol

from wideberth.errors import NotFound, Stranger
from wideberth.link.delivery import Address
from wideberth.link.sealing import SealingKey, check_public


class KeyRing(Protocol):
    """What the link asks before it opens or seals anything."""

    def opening(self, address: Address) -> SealingKey:
        """Our key for a delivery that comes with this address. Raises: Stranger when it is not for us, or from nobody
        we know in that channel, or sealed to a key that we no longer have."""
        ...

    def sealing(self, ch: str, party: str) -> str:
        """The public key to seal to `party` in `ch`. Raises: Stranger."""
        ...


class MemoryKeyRing:
    """A key ring that is told everything. Changes take effect at the next delivery."""

    def __init__(self) -> None:
        self._own: dict[bytes, SealingKey] = {}
        self._us: dict[str, str] = {}
        self._only: dict[str, frozenset[bytes]] = {}
        self._peers: dict[tuple[str, str], str] = {}

    def add_own(self, key: SealingKey) -> None:
        """One more key to open with: after a rotation the old one stays until `drop_own`."""
        self._own[key.id] = key

    def drop_own(self, key_id: bytes) -> None:
        """Forget a key; what is still under way to it will be sealed again by its sender. Raises: NotFound."""
        if self._own.pop(key_id, None) is None:
            raise NotFound("no such sealing key here")

    def join(self, ch: str, us: str, only: frozenset[bytes] | None = None) -> None:
        """We are called `us` in channel `ch`, where only the keys with these ids open; None: all of ours.

        A mechanism with keys of its own is not to be told from its deliveries to be ours elsewhere.
        """
        self._us[ch] = us
        self._only.pop(ch, None)
        if only is not None:
            self._only[ch] = only

    def leave(self, ch: str) -> None:
        """Know nothing of channel `ch` any more."""
        self._us.pop(ch, None)
        self._only.pop(ch, None)
        for known in [k for k in self._peers if k[0] == ch]:
            del self._peers[known]

    def set_peer(self, ch: str, party: str, public: str) -> None:
        """From now on seal to `party` in `ch` with `public`. Raises: Malformed when that is not a usable key."""
        check_public(public)
        self._peers[ch, party] = public

    def opening(self, address: Address) -> SealingKey:
        known = self._us.get(address.ch) == address.to and (address.ch, address.sender) in self._peers
        ours = known and address.key_id in self._only.get(address.ch, (address.key_id,))
        key = self._own.get(address.key_id) if ours else None
        if key is None:
            raise Stranger(
                "this delivery is not for us, or from nobody we have an agreement with, or for a key now gone"
            )
        return key

    def sealing(self, ch: str, party: str) -> str:
        public = self._peers.get((ch, party))
        if public is None:
            raise Stranger(f"no sealing key of {party!r} is known in this channel; ask the peer for a new invitation")
        return public
