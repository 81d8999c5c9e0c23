# SPDX-License-Identifier: Apache-2.0
"""Whoever speaks to a node over its peer port with anything in hand: nothing, or all of BLUE's own keys.

bad = Dishonest(two)             # BLUE is stopped; from now on we are BLUE, with its keys and its strand
bad.post(b"garbage")             # (status, problem) as a peer sees them
bad.deliver(bad.frame(b"..."))   # sealed as BLUE's node would
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from typing import Any, cast

import msgspec

from tests.e2e.nodes import Two
from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now
from wideberth.core.line import Line
from wideberth.core.node import Node
from wideberth.core.records import EntryRecord
from wideberth.core.seal import entry as entries
from wideberth.core.seal.keys import Ed25519Verifier, Signer
from wideberth.link.delivery import MAGIC, PAD_BYTES, Delivery, open_delivery, read_address
from wideberth.link.sealing import key_id, seal
from wideberth.link.way import CONTENT_TYPE, PATH
from wideberth.service import HomeSigners
from wideberth.store.memory import MemoryStore
from wideberth.store.sqlite import SqliteStore

INFO = b"wideberth delivery 1\0"


class Dishonest:
    def __init__(self, two: Two) -> None:
        two.blue.stop()
        self.two = two
        self.ch = two.ch
        self.port = two.green.port
        self.signers = HomeSigners(two.blue.home)
        self._store = MemoryStore()
        kept = SqliteStore(two.blue.home.record_path)
        self._node = Node("BLUE", self.signers, Ed25519Verifier(), os.urandom, self._store.entry)
        for record in kept.load():
            self._node.load(record)
            self._store.append([record], self._store.head)
        kept.close()

    @property
    def line(self) -> Line:
        return self._node.lines[self.ch]

    # --- what a stranger can do ---

    def connection(self) -> http.client.HTTPSConnection:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)

    def post(self, body: Any, *, path: str = PATH, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Status, and the problem as data (or the sealed reply as bytes)."""
        connection = self.connection()
        try:
            connection.request("POST", path, body, {"Content-Type": CONTENT_TYPE, **(headers or {})})
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        return response.status, data if response.status == 200 else json.loads(data)

    def sealed(
        self, plain: bytes, *, ch: str = "", sender: str = "BLUE", to: str = "GREEN", public: str = ""
    ) -> bytes:  # fmt: skip
        """Any bytes at all, sealed to GREEN (or to `public`) in a delivery that claims what we like."""
        public = public or self.line.channel.cards["GREEN"].sealing
        names = b"".join(len(n).to_bytes(2, "big") + n for n in (sender.encode(), to.encode()))
        header = MAGIC + bytes.fromhex(ch or self.ch) + key_id(public) + names
        return header + seal(public, plain, INFO + header)

    # --- what a member with keys can do ---

    def frame(
        self, body: bytes, kind: str = "notice", *, node: Signer | None = None, **changes: Any
    ) -> tuple[bytes, bytes]:
        """A frame for BLUE's next place, signed by BLUE's own node key (or by `node`), with any body."""
        channel = self.line.channel
        header = channel.header(kind, "BLUE/watch-1", self.two.now_ms, body)
        entry = entries.seal(msgspec.structs.replace(header, **changes), body, node or self.signers.node)
        return entry.envelope, entry.body

    def took(self, frame: tuple[bytes, bytes]) -> None:
        """GREEN keeps this: BLUE's next place is after it."""
        entry, _, _ = entries.read(*frame)
        self.line.channel.wrote(entry, urgent=False)

    def says(self, command: ev.Command) -> tuple[bytes, bytes]:
        """A frame exactly as BLUE's honest node would write it."""
        batch: Batch = self._node.step(command, Now(self.two.now_ms, 0))
        self._store.append(batch.store, self._store.head)
        (record,) = [r for r in batch.store if isinstance(r, EntryRecord)]
        return record.envelope, record.body

    def deliver(self, *frames: tuple[bytes, bytes], sidecars: tuple[bytes, ...] = ()) -> Delivery:
        """Sealed as it should be; the opened reply."""
        status, answer = self.post(self.sealed(inside([list(f) for f in frames], list(sidecars))))
        assert status == 200, answer
        address = read_address(cast(bytes, answer))
        (key,) = [k for k in self.two.blue.home.sealing_keys() if k.id == address.key_id]
        return open_delivery(answer, address, key)


def inside(frames: list[list[bytes]], sidecars: list[bytes]) -> bytes:
    """The inside of a delivery in its one spelling, whatever is in it."""
    raw = msgspec.Raw
    data = msgspec.json.encode(
        {"frames": [[raw(part) for part in frame] for frame in frames], "sidecars": [raw(s) for s in sidecars]}
    )
    return data.ljust(-len(data) // PAD_BYTES * -PAD_BYTES)
