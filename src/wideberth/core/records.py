# SPDX-License-Identifier: Apache-2.0
"""What a node asks its store to keep. Bytes are kept as they were sent; nothing is ever re-serialised."""

from __future__ import annotations

import msgspec


class EntryRecord(msgspec.Struct, frozen=True):
    """One place of one strand, own or theirs. Written once.

    `hash` is the hex SHA-256 of the payload (header) bytes. `envelope` is the DSSE JSON as sent; `body` the canonical
    `{body, salt}` as sent. `stored_ms` is this node's clock when it was stored, milliseconds UTC.
    """

    ch: str
    author: str
    epoch: str
    seq: int
    hash: str
    prev: str
    type: str
    envelope: bytes
    body: bytes
    stored_ms: int


class SidecarRecord(msgspec.Struct, frozen=True):
    """A signed statement beside the strand: receipts (`stored`, `shown`), agreements, cards, proofs. Written once.

    `key` makes it unique within (ch, kind): for a receipt its hash.
    """

    ch: str
    kind: str
    author: str
    key: str
    envelope: bytes
    stored_ms: int


class SettingRecord(msgspec.Struct, frozen=True):
    """A small local fact, newest value wins. Never leaves the node."""

    key: str
    value: bytes


Record = EntryRecord | SidecarRecord | SettingRecord
