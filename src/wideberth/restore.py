# SPDX-License-Identifier: Apache-2.0
"""Putting a backup in the place of a node's record, so that the node knows that it was put back.

    found = look_into(home, file)               is it a record of this very party, whole?
    done = put_back(home, file, by="BLUE/supervisor", reason="disk died", now_ms=now_ms)

The record that was there is kept aside under another name and never deleted: it may hold what no peer has. For every
line the setting `resume/<ch>` is written, so that the node at its next start asks its peers what they hold of it before
it signs anything (`core/recovery.py`). A file copied by hand has no such setting: the mark beside the record shows it
at the next start (`open_record`), and where the whole folder was copied, the peers do, later.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from wideberth.core.records import Record, SettingRecord, SidecarRecord
from wideberth.core.recovery import NODE_ITSELF, setting_key
from wideberth.core.say import instant
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import Agreement, channel_id, read_agreement
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.party import Card, read_card
from wideberth.errors import BadInput, Fault, NotFound, StoreBroken, Worlds
from wideberth.home import Home
from wideberth.keyset import NODE, KeySet
from wideberth.signers import HomeSigners
from wideberth.store.lock import WriterLock
from wideberth.store.reader import Reader
from wideberth.store.sqlite import SqliteStore
from wideberth.store.watermark import Watermark

REASON_CHARS_MAX: Final = 500
_VERIFIER: Final = Ed25519Verifier()


class FoundLine(msgspec.Struct, frozen=True):
    """A line in a backup: its agreement, and our card as it will hold there.

    `fresh`: that card as our root signed it, where this folder has a newer one than the record; empty otherwise.
    """

    ch: str
    agreement: Agreement
    card: Card
    peers: tuple[str, ...]
    fresh: bytes = b""


class FoundRecord(msgspec.Struct, frozen=True):
    """What a backup is. `newest_ms`: when its newest record was stored, ms UTC; 0 when it is empty."""

    path: Path
    entries: int
    newest_ms: int
    lines: tuple[FoundLine, ...]


class PutBack(msgspec.Struct, frozen=True):
    """What was done. `aside`: where the record that was there is now, or None when there was none."""

    found: FoundRecord
    by: str
    aside: Path | None


def open_record(path: Path, start: str) -> tuple[SqliteStore, Watermark]:
    """The record of a node that starts, and the mark beside it. `start`: 32 random hex digits, of this start.

    Where the record is an older one than ran here last, and nobody used `wideberth restore`, every line gets its
    setting now: the node asks its peers before it signs anything routine. Raises: StoreBroken, StoreFull.
    """
    store = SqliteStore(path)
    try:
        mark = Watermark.beside(path)
        if mark.is_older(store):
            lines = {r.ch for r in store.load() if isinstance(r, SidecarRecord) and r.kind == "agreement"}
            keys = [key for key in map(setting_key, sorted(lines)) if not ((s := store.setting(key)) and s.value)]
            if keys:
                store.append([SettingRecord(key, NODE_ITSELF) for key in keys], store.head)
        mark.begin(store, start)
        store.stored = mark.note
    except BaseException:
        store.close()
        raise
    return store, mark


def own_root(home: Home) -> str:
    """Our root key: from our card, or from its own file. Raises: NotFound, BadInput."""
    with suppress(NotFound):
        return home.keys.root_public()
    raise NotFound("neither the root key nor card.json is in this folder: nothing says who we are. Bring one back")


def look_into(home: Home, file: Path) -> FoundRecord:
    """Read a backup through: whole, ours, and of this node. Raises: NotFound, StoreBroken, BadInput."""
    party = home.config.party
    own_root(home)
    if file.resolve() == home.record_path.resolve():
        raise BadInput(f"{file} is the record that is in place already; name a backup of it", field="file")
    with Reader(file, check=True) as reader:
        cards: dict[str, dict[str, Card]] = {}
        lines = []
        try:
            for record in reader.sidecars("card"):
                card = read_card(record.envelope, _VERIFIER)
                before = cards.setdefault(record.ch, {}).setdefault(card.party, card)
                if card.version > before.version:
                    cards[record.ch][card.party] = card
            for record in reader.sidecars("agreement"):
                agreement, _, _ = read_agreement(record.envelope, _VERIFIER)
                if agreement.version > 1:
                    continue  # the founding one says what the line is
                if record.ch not in {channel_id(agreement, line) for line in agreement.lines}:
                    raise BadInput(f"the agreement {agreement.mechanism} is filed under another line", field="file")
                if record.author != party:  # a peer's record holds the same agreement, and our card
                    raise BadInput(f"this is the record of {record.author}, another party's, not of {party}")
                lines.append(_ours(record.ch, agreement, cards.get(record.ch, {}), home, file))
        except Fault as fault:
            raise BadInput(f"{file} is not put back: {fault.sentence}", field="file") from fault
        if not lines:
            raise BadInput(
                f"{file} holds no agreement, so nothing says whose record it is; it is not put back. A node without a "
                "line needs no backup: it may begin with an empty record",
                field="file",
            )
        return FoundRecord(file, reader.counts()[0], reader.newest_ms(), tuple(lines))


def _ours(ch: str, agreement: Agreement, cards: dict[str, Card], home: Home, file: Path) -> FoundLine:
    party, sets = home.config.party, home.sets()
    us, card = agreement.member(party), cards.get(party)
    if us is None or us.root not in {root for keys in sets if (root := _root_of(keys))}:
        others = ", ".join(m.party for m in agreement.members)
        raise BadInput(
            f"this is another party's record: {agreement.mechanism} is between {others}, and none of them has the root "
            f"key of {party} in this folder",
            field="file",
        )
    nodes, fresh = {keys.facts(f).public for keys in sets for f in keys.files(NODE)}, b""
    if card is not None:
        card, fresh = _newer(card, home.set_named(agreement.nonce), nodes)
    if card is None or card.node not in nodes:
        raise BadInput(
            f"this record belongs to another node of {party}, or to a time before its key was changed: its node key is "
            "not in this folder. Bring the keys and the backup of the same node and time together. If that key is "
            "lost, make another one first: `wideberth keys rotate node` (docs/keys.md)",
            field="file",
        )
    terms = next(line for line in agreement.lines if channel_id(agreement, line) == ch)
    peers = tuple(m.party for m in agreement.members if m.root and m.party != party and m.party in terms.members)
    return FoundLine(ch, agreement, card, peers, fresh)


def _newer(held: Card, keys: KeySet, nodes: set[str]) -> tuple[Card, bytes]:
    """Our card in this folder and its envelope, where it is newer than the record's: the peers may know it already, and
    then they refuse what an older node key signs."""
    card, data = keys.card(), keys.card_bytes()
    if card is None or data is None or (card.root, card.party) != (held.root, held.party):
        return held, b""
    return (card, data) if card.version > held.version and card.node in nodes else (held, b"")


def _root_of(keys: KeySet) -> str:
    with suppress(NotFound):
        return keys.root_public()
    return ""


def supervisor(home: Home, found: FoundRecord, by: str) -> str:
    """The full name of a supervisor's post that may have this record put back. Raises: BadInput, NotFound."""
    party = home.config.party
    name = by.removeprefix(f"{party}/")
    known = [n for n, post in found.lines[0].card.posts.items() if post.supervisor and n in home.config.posts]
    say_so = f"a supervisor answers for it: --as {known[0]}" if known else "this node has no supervisor's post"
    if not name:
        raise BadInput(f"say who has this record put back; {say_so}", field="by")
    signers = HomeSigners(home)
    for line in found.lines:
        post = line.card.posts.get(name)
        if post is None or not post.supervisor:
            raise BadInput(f"{name} is not a supervisor's post on {line.agreement.mechanism}; {say_so}", field="by")
        if signers.key(post.key) is None:
            raise BadInput(f"the key of {name} in this folder is not the one on our card; bring it back", field="by")
    return f"{party}/{name}"


def put_back(home: Home, file: Path, *, by: str, reason: str, now_ms: int) -> PutBack:
    """Put a backup in place of the record of a node that is stopped. All or nothing: until the last step the record
    that was there stays in place.

    Raises: BadInput, NotFound; StoreBroken also while the node runs; StoreFull, Worlds.
    """
    if not reason.strip() or len(reason) > REASON_CHARS_MAX:
        raise BadInput(f"say why, in 1 to {REASON_CHARS_MAX} characters: --reason TEXT", field="reason")
    record = home.record_path
    found = look_into(home, file)
    post = supervisor(home, found, by)
    stamp = instant.show(now_ms).replace(":", "").replace("-", "")
    _fold(record, stamp)  # refuses while the node runs
    draft = home.path / f".restore-{stamp}" / record.name
    lock = WriterLock(record.with_name(record.name + ".lock"))
    try:
        _draft(found, draft, post, reason, now_ms)
        aside = _set_aside(record, stamp)
        os.replace(draft, record)
        _sync(home.path)
    except OSError as why:
        raise Worlds(f"{home.path}: {why.strerror or why}; see what is in there before the node is started") from why
    finally:
        shutil.rmtree(draft.parent, ignore_errors=True)
        lock.release()
    return PutBack(found, post, aside)


def _fold(record: Path, stamp: str) -> None:
    """Bring the log of the present record into its file, so that this is whole by itself. Where that fails, the record
    is damaged; its log, which SQLite may throw away then, is kept beside it."""
    if not record.exists():
        return
    log = record.with_name(record.name + "-wal")
    saved = _free(record, stamp, "-log")
    if log.exists():
        shutil.copy2(log, saved)
    try:
        SqliteStore(record).close()
    except StoreBroken as fault:
        if "pid" not in fault.details:
            return
        saved.unlink(missing_ok=True)
        raise StoreBroken(
            f"the node runs (process {fault.details['pid']}). Stop it first: `wideberth stop`", **fault.details
        ) from fault
    saved.unlink(missing_ok=True)


def _draft(found: FoundRecord, draft: Path, by: str, reason: str, now_ms: int) -> None:
    """A copy of the backup beside the record, with what the node must know at its next start."""
    draft.parent.mkdir(mode=0o700)
    with Reader(found.path) as reader:
        reader.copy(draft)
    store = SqliteStore(draft)
    try:
        note = {"by": by, "reason": reason, "file": found.path.name, "newest_ms": found.newest_ms}
        settings: list[Record] = [SettingRecord(f"restored/{now_ms}", json.dumps(note).encode())]
        settings += [SettingRecord(setting_key(line.ch), by.encode()) for line in found.lines]
        for line in found.lines:
            if line.fresh:
                key = canonical.sha256(line.fresh)
                settings.append(SidecarRecord(line.ch, "card", line.card.party, key, line.fresh, now_ms))
        store.append(settings, store.head)
    finally:
        store.close()


def _set_aside(record: Path, stamp: str) -> Path | None:
    """Keep the record that is in place, with its log if it could not be folded, under another name."""
    aside = _free(record, stamp)
    kept = None
    for tail in ("", "-wal"):
        old, new = record.with_name(record.name + tail), aside.with_name(aside.name + tail)
        if not os.path.lexists(old):
            continue
        try:
            os.link(old, new)
        except OSError:
            shutil.copy2(old, new)
        kept = aside
    _sync(record.parent)
    # A log that belongs to the old record must never be read into the new one.
    for tail in ("-wal", "-shm"):
        record.with_name(record.name + tail).unlink(missing_ok=True)
    return kept


def _free(record: Path, stamp: str, tail: str = "") -> Path:
    names = (f"{record.name}.before-{stamp}", *(f"{record.name}.before-{stamp}-{n}" for n in range(2, 100)))
    for name in names:
        path = record.with_name(name + tail)
        if not os.path.lexists(path) and not os.path.lexists(path.with_name(path.name + "-wal")):
            return path
    raise BadInput("this was tried a hundred times within a second; wait, and look what is in the folder", field="file")


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
