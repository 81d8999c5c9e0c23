# SPDX-License-Identifier: Apache-2.0
"""Homes for tests of keys: plain, or locked at the least cost that libsodium takes, so that tests stay quick."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from wideberth import home
from wideberth.config import Config
from wideberth.core.seal.party import Card
from wideberth.home import Home, Passphrases
from wideberth.rekey import own_card
from wideberth.vault import Cost

NOW_MS: Final = 1_900_000_000_000
QUICK: Final = Cost(ops=1, mem_kib=8)
NODE_WORDS: Final = "nine quiet herons over the estuary"
ROOT_WORDS: Final = "seven old keys under the stone"
POSTS: Final = ("watch-1", "supervisor")


def make(path: Path, *, locked: bool, posts: tuple[str, ...] = POSTS, party: str = "BLUE") -> Home:
    """A new home with its card; unlocked, and with the root key at hand."""
    passphrases = Passphrases(NODE_WORDS, ROOT_WORDS, QUICK) if locked else None
    made = home.create(
        path, Config(party=party, posts=posts), entropy=os.urandom, now_ms=NOW_MS, passphrases=passphrases
    )
    own_card(made)
    return made


def again(path: Path, *, locked: bool, root: bool = False) -> Home:
    """The same folder as another process finds it, unlocked."""
    found = home.load(path)
    if locked:
        found.unlock(NODE_WORDS)
        if root:
            found.keys.unlock_root(ROOT_WORDS)
    return found


def card_of(found: Home) -> Card:
    card = found.keys.card()
    assert card is not None
    return card
