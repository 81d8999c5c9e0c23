# SPDX-License-Identifier: Apache-2.0
"""The private keys of a node's folder, as the core is given them (`core/seal/capabilities.py`): by their public halves,
which the cards name. So keys of one mechanism's own, and old and new ones while they change, need no rule here."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from wideberth.core.seal.keys import Ed25519Signer, Signer
from wideberth.core.seal.party import Card
from wideberth.errors import NotFound
from wideberth.home import Home
from wideberth.keyset import NODE, post_use


class HomeSigners:
    """All keys that the node may sign with, in memory: those on our cards, and those that were until lately.

    A key with a passphrase of its own is not among them; `lend` puts it there for one command.
    """

    def __init__(self, home: Home) -> None:
        """Raises: NotFound, BadInput when a key is missing or cannot be read."""
        self._home = home
        self._keys: dict[str, Signer] = {}
        self._lent: list[Signer] = []
        self._node: Signer = Ed25519Signer(home.node_seed())
        self._posts: dict[str, str] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the folder again: keys were added, or put away. Raises: NotFound, BadInput."""
        found: dict[str, Signer] = {}
        for keys in self._home.sets():
            for file in keys.files():
                if (file.use == NODE or file.use.startswith(post_use(""))) and keys.facts(file).by != "passphrase":
                    signer = keys.signer(file)
                    found[signer.public] = signer
        own = self._home.keys
        now = {name: own.current(post_use(name)) for name in self._home.config.posts}
        self._node = Ed25519Signer(self._home.node_seed())
        self._posts = {name: own.facts(file).public for name, file in now.items() if file is not None}
        self._keys = found

    @property
    def node(self) -> Signer:
        return self._node

    def post(self, name: str) -> Signer | None:
        return self._keys.get(self._posts.get(name, ""))

    def key(self, public: str) -> Signer | None:
        return self._keys.get(public) or next((s for s in self._lent if s.public == public), None)

    def node_of(self, card: Card) -> Signer:
        """The node's key on a card of ours. Raises: NotFound."""
        found = self._keys.get(card.node)
        if found is None:
            raise NotFound(
                f"the private key of this node, as version {card.version} of our card has it, is not in this folder; "
                "bring it back from a backup. docs/keys.md says what to do when it is lost"
            )
        return found

    @contextmanager
    def lent(self, signer: Signer) -> Generator[None, None, None]:
        """A key that is here only while this lasts."""
        self._lent.append(signer)
        try:
            yield
        finally:
            self._lent.remove(signer)
