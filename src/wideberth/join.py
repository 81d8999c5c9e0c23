# SPDX-License-Identifier: Apache-2.0
"""Meeting another party: this node's card, invitations out, invitations and replies in (more than one: `founding.py`).

Files beside the keys in a node's folder (`home.py`):

    card.json            our own card, signed by our root; made when first needed
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
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
from wideberth.core.seal.party import Card, Post, read_card, sign_card
from wideberth.errors import BadInput, Misuse, NotFound
from wideberth.fingerprint import fingerprint_words, same_words
from wideberth.home import Home
from wideberth.link.tls import fingerprint

# Posts whose name begins so hold a supervisor's key.
_SUPERVISOR = "supervisor"


class Joined(msgspec.Struct, frozen=True):
    """What came of an acceptance. `complete`: every member signed. `write` is a file for the other side, or None."""

    ch: str
    mechanism: str
    mode: str
    peer: str
    complete: bool
    write: bytes | None
    agreement: bytes
    cards: tuple[bytes, ...]


def own_card(home: Home) -> Envelope:
    """Our card as others get it. Made anew when keys, posts or address of the folder differ from the one on file."""
    path = home.path / "card.json"
    verifier = Ed25519Verifier()
    root = Ed25519Signer(home.root_seed())
    wanted = _card(home, root.public, 1)
    if path.exists():
        data = path.read_bytes()
        card = read_card(data, verifier, root=root.public)
        if msgspec.structs.replace(wanted, version=card.version) == card:
            return msgspec.json.decode(data, type=Envelope)
        wanted = msgspec.structs.replace(wanted, version=card.version + 1)
    sealed = sign_card(wanted, root)
    write(path, sealed.encoded())
    return sealed


def _card(home: Home, root: str, version: int) -> Card:
    config, identity = home.config, home.identity()
    posts = {
        name: Post(Ed25519Signer(home.post_seed(name)).public, name.startswith(_SUPERVISOR)) for name in config.posts
    }
    return Card(
        v=1, party=config.party, root=root, version=version, node=Ed25519Signer(home.node_seed()).public,
        sealing=home.sealing_keys()[-1].public(), url=config.public_url or f"https://{config.listen}",
        tls_sha256=fingerprint(identity.certificate_pem), tls_pem=identity.certificate_pem, posts=posts,
        contact=config.contact, time_zone=config.time_zone, languages=config.languages,
    )  # fmt: skip


def words(home: Home) -> str:
    """Our own fingerprint words, to be read over the telephone."""
    return fingerprint_words(Ed25519Signer(home.root_seed()).public)


def invite(
    home: Home, *, to: str, mechanism: str, purpose: Purpose, mode: Mode, rules: Rules, now_ms: int,
    entropy: Callable[[int], bytes], clauses: tuple[str, ...] = (),
) -> bytes:  # fmt: skip
    """The invitation file. It names everything that will be signed but the acceptor's key."""
    if to == home.config.party:
        raise BadInput("a party does not invite itself", field="to")
    lines = one_line(purpose, (to, home.config.party))
    offer = Offer(1, to, mechanism, mode, lines, rules, now_ms, entropy(16).hex(), clauses)
    made = make_invite(own_card(home), offer, Ed25519Signer(home.root_seed()))
    data = canonical.encode(made)
    write(home.path / "invites" / f"{offer.nonce}.json", data)
    return data


def look(file: Invite | ReplyFile) -> dict[str, Any]:
    """What an invitation or reply says, for the officer to read before anything is signed."""
    verifier = Ed25519Verifier()
    if isinstance(file, Invite):
        card, offer = read_invite(file, verifier)
        terms: dict[str, Any] = {
            "mechanism": offer.mechanism, "lines": msgspec.to_builtins(offer.lines), "mode": offer.mode.value,
            "rules": msgspec.to_builtins(offer.rules), "to": offer.to, "from_ms": offer.from_ms,
        }  # fmt: skip
    else:
        card = read_card(file.card.encoded(), verifier)
        agreement, _, _ = read_agreement(file.agreement.encoded(), verifier, complete=False)
        terms = {
            "mechanism": agreement.mechanism, "lines": msgspec.to_builtins(agreement.lines),
            "mode": agreement.mode.value,
            "rules": msgspec.to_builtins(agreement.rules),
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


def accept(home: Home, data: bytes, heard: str) -> Joined:
    """Sign what was offered (an invitation), or countersign what came back (a reply).

    `heard` are the words that the other side read over the telephone. Raises BadInput when they are not the words of
    the key in the file: then somebody changed it on the way, or it is not from whom you think.
    """
    file = parse_file(data)
    if not isinstance(file, Invite | ReplyFile):
        raise BadInput("this file belongs to a founding of more than two parties (`founding.accept`)", field="file")
    verifier = Ed25519Verifier()
    root = Ed25519Signer(home.root_seed())
    theirs = read_card(file.card.encoded(), verifier)
    check_words(heard, theirs)
    mine, compared = own_card(home), {theirs.party: theirs.root}
    if isinstance(file, Invite):
        reply = accept_invite(file, mine, root, verifier)
        kept = keep(home, reply.agreement, (file.card, mine), compared)
        return msgspec.structs.replace(kept, peer=theirs.party, write=canonical.encode(reply))
    complete = accept_reply(file, _invite_for(home, file, verifier), root, verifier)[1]
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
    joined = Joined(
        ch, agreement.mechanism, agreement.mode.value, "", complete, None, data, tuple(c.encoded() for c in cards)
    )
    line = {
        "agreement": data.decode(), "cards": [c.decode() for c in joined.cards], "hash": agreement_hash(agreement),
        "compared": compared,
    }  # fmt: skip
    write(home.path / "lines" / f"{ch}.json", json.dumps(line).encode())
    return joined


def lines_on_file(home: Home) -> Iterator[tuple[str, bytes, tuple[bytes, ...]]]:
    """`(ch, agreement, cards)` of every line that was joined in this folder."""
    folder = home.path / "lines"
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        line = json.loads(path.read_bytes())
        yield path.stem, line["agreement"].encode(), tuple(c.encode() for c in line["cards"])


def compared_on_file(home: Home) -> dict[str, str]:
    """`{root: party}` of every key whose words an officer of ours compared over a telephone."""
    folder = home.path / "lines"
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        found |= {root: party for party, root in json.loads(path.read_bytes()).get("compared", {}).items()}
    return found


def write(path: Path, data: bytes) -> None:
    """Replace a file whole, durable, readable by its owner only."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, path)
