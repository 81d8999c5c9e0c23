# SPDX-License-Identifier: Apache-2.0
"""Meeting another party: this node's card, invitations out, invitations and replies in (more than one: `founding.py`).

Files beside the keys in a node's folder (`home.py`):

    card.json            our own card, signed by our root (`rekey.py`); made when first needed
    invites/NONCE.json   what we offered and to whom; a reply is checked against it
    lines/CH.json        agreement and cards of a mechanism; a running node takes them in at once, another at its start

Only an officer who compared the words calls `accept`: the caller hands over what was heard on the telephone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from wideberth import folder
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import agreement_hash, channel_id, one_line, read_agreement
from wideberth.core.seal.envelope import Envelope
from wideberth.core.seal.founding import parse_file
from wideberth.core.seal.invite import (
    Invite,
    Offer,
    ReplyFile,
    accept_invite,
    accept_reply,
    make_invite,
    read_invite,
)
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.party import Card, read_card
from wideberth.errors import BadInput, Misuse, NotFound
from wideberth.fingerprint import fingerprint_words, same_words
from wideberth.home import Home, Passphrases, SetFacts
from wideberth.keyset import KeySet
from wideberth.rekey import own_card, root_public, root_signer


class OwnKeys(msgspec.Struct, frozen=True):
    """A mechanism with keys of its own (`Home.add_set`). `root`: with a root key of its own as well, so that the keys
    in it say nothing of our others. `passphrases`: what that root key is locked with, where keys are encrypted."""

    root: bool = False
    passphrases: Passphrases | None = None


class Joined(msgspec.Struct, frozen=True):
    """What came of an acceptance. `complete`: every member signed. `write` is a file for the other side, or None.
    `words` are ours in this mechanism."""

    ch: str
    mechanism: str
    mode: str
    peer: str
    complete: bool
    write: bytes | None
    agreement: bytes
    cards: tuple[bytes, ...]
    words: str


def words(home: Home, keys: KeySet | None = None) -> str:
    """Our own fingerprint words, to be read over the telephone: of our own set, or of one mechanism's."""
    return fingerprint_words(root_public(home, keys or home.keys))


def invite(
    home: Home, *, to: str, mechanism: str, purpose: Purpose, mode: Mode, rules: Rules, now_ms: int,
    entropy: Callable[[int], bytes], clauses: tuple[str, ...] = (), own: OwnKeys | None = None,
) -> bytes:  # fmt: skip
    """The invitation file. It names everything that will be signed but the acceptor's key. `own`: keys of its own."""
    if to == home.config.party:
        raise BadInput("a party does not invite itself", field="to")
    lines = one_line(purpose, (to, home.config.party))
    offer = Offer(1, to, mechanism, mode, lines, rules, now_ms, entropy(16).hex(), clauses)
    keys = keys_for(home, offer.nonce, mechanism, own, entropy, now_ms)
    made = make_invite(own_card(home, keys), offer, root_signer(home, keys))
    data = canonical.encode(made)
    write(home.path / "invites" / f"{offer.nonce}.json", data)
    return data


def keys_for(
    home: Home, nonce: str, mechanism: str = "", own: OwnKeys | None = None,
    entropy: Callable[[int], bytes] = os.urandom, now_ms: int = 0,
) -> KeySet:  # fmt: skip
    """Our keys in the mechanism that this nonce founds: our own set, or one that was made for it, or with `own` is
    made now."""
    if own is None:
        return home.set_named(nonce)
    return home.add_set(
        nonce, SetFacts(mechanism, own.root), entropy=entropy, now_ms=now_ms, passphrases=own.passphrases
    )


def look(file: Invite | ReplyFile) -> dict[str, Any]:
    """What an invitation or reply says, for the officer to read before anything is signed."""
    verifier = Ed25519Verifier()
    if isinstance(file, Invite):
        card, offer = read_invite(file, verifier)
        terms: dict[str, Any] = {
            "mechanism": offer.mechanism, "lines": msgspec.to_builtins(offer.lines), "mode": offer.mode.value,
            "rules": msgspec.to_builtins(offer.rules), "to": offer.to, "from_ms": offer.from_ms,
            "nonce": offer.nonce,
        }  # fmt: skip
    else:
        card = read_card(file.card.encoded(), verifier)
        agreement, _, _ = read_agreement(file.agreement.encoded(), verifier, complete=False)
        terms = {
            "mechanism": agreement.mechanism, "lines": msgspec.to_builtins(agreement.lines),
            "mode": agreement.mode.value,
            "rules": msgspec.to_builtins(agreement.rules), "nonce": agreement.nonce,
        }  # fmt: skip
    return {
        "file": "invitation" if isinstance(file, Invite) else "reply",
        "party": card.party,
        "words": fingerprint_words(card.root),
        "url": card.url,
        "contact": card.contact,
        "posts": sorted(card.posts),
        **terms,
    }


def accept(
    home: Home, data: bytes, heard: str, *, own: OwnKeys | None = None,
    entropy: Callable[[int], bytes] = os.urandom, now_ms: int = 0,
) -> Joined:  # fmt: skip
    """Sign what was offered (an invitation), or countersign what came back (a reply).

    `own`: an invitation is accepted with keys of its own, made at `now_ms`. `heard` are the words that the other side
    read over the telephone. Raises BadInput when they are not the words of the key in the file: then somebody changed
    it on the way, or it is not from whom you think.
    """
    file = parse_file(data)
    if not isinstance(file, Invite | ReplyFile):
        raise BadInput("this file belongs to a founding of more than two parties (`founding.accept`)", field="file")
    verifier = Ed25519Verifier()
    theirs = read_card(file.card.encoded(), verifier)
    check_words(heard, theirs)
    compared = {theirs.party: theirs.root}
    if isinstance(file, Invite):
        offer = read_invite(file, verifier)[1]
        keys = keys_for(home, offer.nonce, offer.mechanism, own, entropy, now_ms)
        mine, root = own_card(home, keys), root_signer(home, keys)
        reply = accept_invite(file, mine, root, verifier)
        kept = keep(home, reply.agreement, (file.card, mine), compared)
        return msgspec.structs.replace(kept, peer=theirs.party, write=canonical.encode(reply))
    if own is not None:
        raise BadInput("a mechanism has the keys that it was founded with: --own-keys is for `invite`", field="own")
    invitation = _invite_for(home, file, verifier)
    keys = keys_for(home, read_invite(invitation, verifier)[1].nonce)
    mine, root = own_card(home, keys), root_signer(home, keys)
    complete = accept_reply(file, invitation, root, verifier)[1]
    return msgspec.structs.replace(keep(home, complete, (mine, file.card), compared), peer=theirs.party)


def check_words(heard: str, theirs: Card) -> None:
    """Raises BadInput unless these are the words of the key on the card."""
    if not same_words(heard, theirs.root):
        raise BadInput(
            f"these are not the words of the key in this file, which claims to be from {theirs.party}. Nothing was "
            "signed. Ask them to read their words again (`wideberth status` on their side); if they still "
            "differ, the file was changed on its way",
            field="words", party=theirs.party,
        )  # fmt: skip


def _invite_for(home: Home, reply: ReplyFile, verifier: Ed25519Verifier) -> Invite:
    agreement, _, _ = read_agreement(reply.agreement.encoded(), verifier, complete=False)
    path = home.path / "invites" / f"{agreement.nonce}.json"
    if len(agreement.nonce) != 32 or not agreement.nonce.isalnum() or not path.exists():
        raise NotFound("this is a reply to an invitation that this node did not make", field="reply")
    file = parse_file(path.read_bytes())
    if not isinstance(file, Invite):
        raise Misuse(f"{path} is not an invitation")
    return file


def keep(home: Home, sealed: Envelope, cards: tuple[Envelope, ...], compared: dict[str, str]) -> Joined:
    """Put an agreement and its cards on file, for the node to take in. `compared`: the root of each member whose words
    an officer compared."""
    data = sealed.encoded()
    agreement, _, _ = read_agreement(data, Ed25519Verifier(), complete=False)
    complete = len(sealed.signatures) >= sum(1 for m in agreement.members if m.root)
    ch = channel_id(agreement)
    us = agreement.member(home.config.party)
    joined = Joined(
        ch, agreement.mechanism, agreement.mode.value, "", complete, None, data, tuple(c.encoded() for c in cards),
        fingerprint_words(us.root) if us is not None else "",
    )  # fmt: skip
    line = {
        "agreement": data.decode(), "cards": [c.decode() for c in joined.cards], "hash": agreement_hash(agreement),
        "compared": compared,
    }  # fmt: skip
    write(home.path / "lines" / f"{ch}.json", json.dumps(line).encode())
    return joined


def lines_on_file(home: Home) -> Iterator[tuple[str, bytes, tuple[bytes, ...]]]:
    """`(ch, agreement, cards)` of every line that was joined in this folder."""
    lines = home.path / "lines"
    for path in sorted(lines.glob("*.json")) if lines.is_dir() else ():
        line = json.loads(path.read_bytes())
        yield path.stem, line["agreement"].encode(), tuple(c.encode() for c in line["cards"])


def compared_on_file(home: Home) -> dict[str, str]:
    """`{root: party}` of every key whose words an officer of ours compared over a telephone."""
    lines = home.path / "lines"
    found: dict[str, str] = {}
    for path in sorted(lines.glob("*.json")) if lines.is_dir() else ():
        found |= {root: party for party, root in json.loads(path.read_bytes()).get("compared", {}).items()}
    return found


def write(path: Path, data: bytes) -> None:
    """Replace a file whole, durable, readable by its owner only."""
    with folder.disk(path):
        folder.make_folder(path.parent)
        folder.write_file(path, data, replace=True)
