# SPDX-License-Identifier: Apache-2.0
"""Our card, and changes of the keys on it: a post more, one less, a fresh key in place of another.

    sealed = own_card(home)                                                     the card as it should be now
    sealed = change(home, Rekey(rotate=("post/watch-1",)), entropy=…, now_ms=…)  fresh key, new version, stored

A change goes like this: fresh private keys are written beside the old ones, where they do nothing; the root signs a
card of the next version; `change.json` is put in place, and in that instant the change has happened; then `card.json`
and `config.toml` are replaced, and `change.json` goes. Killed before that instant the old card holds, and the fresh
keys are taken away by the next change; killed after it, loading the folder finishes the rest (`home.load`).

The other sides learn of it from a running node (`announce.py`). Until all our lines have the new card, the old private
keys stay, because the record says until where the old card holds. Then `settle` puts node, sealing and TLS keys away
for `GRACE_MS` and deletes a post's at once. A revoked post's key is deleted with the change itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from wideberth import folder
from wideberth.config import Config, check_post, write_config
from wideberth.core.say import instant
from wideberth.core.seal.envelope import Envelope
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.core.seal.party import Card, Post, check_post_name, sign_card
from wideberth.errors import BadInput, NotFound
from wideberth.folder import Entropy
from wideberth.home import LOCK_NAME, Change, Home, begin, finish
from wideberth.keyset import NODE, ROOT, SEAL, TLS, KeySet, post_use, public_on
from wideberth.link.tls import fingerprint
from wideberth.vault import MODERATE, Cost, Vault, lock_by_passphrase

# How long a replaced node, sealing or TLS key is kept once every line has the new card: a peer that was away for a week
# may still send what it sealed before; a record put back from a copy of last week may still have to be signed.
GRACE_MS: Final = 7 * instant.MS_PER_DAY
# Posts whose name begins so hold a supervisor's key, unless the card says otherwise.
SUPERVISOR: Final = "supervisor"


class NewPost(msgspec.Struct, frozen=True):
    """What a new post is. With `passphrase` its key has that one of its own: a break-glass post."""

    supervisor: bool = False
    passphrase: str = ""


class Rekey(msgspec.Struct, frozen=True):
    """One change of a set's keys. `rotate` names uses (`node`, `seal`, `tls`, `post/NAME`); `revoke` names posts.

    `passphrases`: for rotated posts whose key has a passphrase of its own, by name. `cost`: of those passphrases.
    """

    rotate: tuple[str, ...] = ()
    add: Mapping[str, NewPost] = {}
    revoke: tuple[str, ...] = ()
    passphrases: Mapping[str, str] = {}
    cost: Cost = MODERATE


def root_signer(home: Home, keys: KeySet) -> Ed25519Signer:
    """The root of a set: its own, or the home's. Raises: NotFound, BadInput."""
    return Ed25519Signer((keys if own_root(home, keys) else home.keys).root_seed())


def root_public(home: Home, keys: KeySet) -> str:
    """The public half of it, without any passphrase. Raises: NotFound."""
    return (keys if own_root(home, keys) else home.keys).root_public()


def own_root(home: Home, keys: KeySet) -> bool:
    return not keys.name or home.set_facts(keys).own_root


def own_card(home: Home, keys: KeySet | None = None) -> Envelope:
    """Our card as others get it. Signed anew when keys, posts or address differ from the one on file; for that the root
    key is needed, and our keys unlocked."""
    keys = keys or home.keys
    data, card = keys.card_bytes(), keys.card()
    wanted = _wanted(home, keys, card, home.config, prove=False)
    if data is not None and card is not None and msgspec.structs.replace(wanted, version=card.version) == card:
        return msgspec.json.decode(data, type=Envelope)
    sealed = _signed(home, keys, _wanted(home, keys, card, home.config, prove=True))
    with folder.disk(home.path):
        folder.write_file(keys.card_path, sealed.encoded(), replace=True)
    return sealed


def needs_new_card(home: Home, keys: KeySet | None = None) -> bool:
    """Whether `own_card` would sign."""
    keys = keys or home.keys
    card = keys.card()
    if card is None:
        return True
    wanted = _wanted(home, keys, card, home.config, prove=False)
    return msgspec.structs.replace(wanted, version=card.version) != card


def change(
    home: Home, asked: Rekey, *, entropy: Entropy, now_ms: int, keys: KeySet | None = None
) -> tuple[Home, Envelope]:
    """Carry out a change; returns the home with its new settings, and the new card.

    Raises: BadInput, NotFound (nothing has changed then); StoreFull, Worlds.
    """
    keys = keys or home.keys
    with folder.disk(home.path), folder.alone(home.path):
        finish(keys.path)
        config = home.config
        before = keys.card()
        check(keys, asked)
        root_signer(home, keys)  # before anything is made
        _drop_drafts(keys, before)
        fresh: dict[str, str] = {}
        for use in (*asked.rotate, *map(post_use, asked.add)):
            name = use.removeprefix("post/")
            passphrase = asked.add[name].passphrase if name in asked.add else asked.passphrases.get(name, "")
            _, fresh[use] = keys.make(
                use, entropy=entropy, now_ms=now_ms, party=config.party, passphrase=passphrase, cost=asked.cost
            )
        if not keys.name:
            left = (*(p for p in config.posts if p not in asked.revoke), *(p for p in asked.add))
            config = _with_posts(config, left)
        card = _wanted(home, keys, before, config, prove=True, fresh=fresh, asked=asked)
        drop = tuple(f.path.name for post in asked.revoke for f in keys.files(post_use(post)) if not f.until_ms)
        sealed = _signed(home, keys, card)
        text = write_config(config) if config != home.config else ""
        begin(keys.path, Change(sealed.encoded().decode("ascii"), text, drop))
    return Home(home.path, config, home.keys), sealed


def settle(keys: KeySet, now_ms: int) -> list[str]:
    """Every line has our newest card: put the keys that it replaced away, and delete those whose time has come."""
    return keys.retire(now_ms + GRACE_MS)


def set_passphrase(home: Home, passphrase: str, *, now_ms: int, cost: Cost = MODERATE) -> int:
    """Another passphrase for the node's keys, or a first one. No key changes. How many files were plain and no longer
    are. Killed in between: either passphrase holds, and a second call locks what is still plain.

    Raises: BadInput while locked; StoreFull, Worlds.
    """
    with folder.disk(home.path), folder.alone(home.path):
        vault = home.opener.need()
        if vault is None:
            vault, lock = Vault.make(passphrase, now_ms=now_ms, cost=cost)
        else:
            lock = vault.locked(passphrase, now_ms=now_ms, cost=cost)
        folder.write_file(home.path / "keys" / LOCK_NAME, lock, replace=True)
        home.opener.locked, home.opener.vault = True, vault
        return sum(keys.lock_all(now_ms) for keys in home.sets())


def set_root_passphrase(
    keys: KeySet, passphrase: str, path: Path | None = None, *, now_ms: int, cost: Cost = MODERATE
) -> Path:
    """Another passphrase for the root key, or a first one: here, or in a file elsewhere. The key must be at hand. Which
    file it was. Raises: NotFound, BadInput, StoreFull, Worlds."""
    file = path or (found.path if (found := keys.root_file()) is not None else None)
    if file is None:
        raise NotFound("there is no root key in this folder; name its file with --root-key FILE", field="root-key")
    seed = keys.root_seed()
    text = lock_by_passphrase(
        keys.what(ROOT), seed.hex().encode("ascii") + b"\n", Ed25519Signer(seed).public, passphrase, now_ms=now_ms,
        cost=cost,
    )  # fmt: skip
    with folder.disk(file):
        folder.write_file(file, text, replace=True)
    return file


def check(keys: KeySet, asked: Rekey) -> None:
    """Whether a change can be made at all, before anybody is asked for anything. Raises: BadInput, NotFound."""
    card = keys.card()
    posts = set(card.posts) if card is not None else set()
    for name in asked.add:
        check_post(name)
        check_post_name(name)
        if name in posts:
            raise BadInput(f"there is already a post {name!r}; a fresh key for it: `wideberth keys rotate {name}`")
    for use in asked.rotate:
        if use == TLS and keys.name:
            raise BadInput("the TLS certificate is shared by all key sets: rotate it without --line", field="what")
        name = use.removeprefix("post/")
        if use not in (NODE, SEAL, TLS) and name not in posts:
            raise NotFound(f"there is no post {name!r} on our card; there are {', '.join(sorted(posts))}", field="what")
        broken = use not in (NODE, SEAL, TLS) and card is not None and card.posts[name].break_glass
        if broken and not asked.passphrases.get(name):
            raise BadInput(f"{name} is a break-glass post: its fresh key needs a passphrase of its own", field="what")
    for name in asked.revoke:
        if name not in posts:
            raise NotFound(f"there is no post {name!r} on our card; there are {', '.join(sorted(posts))}", field="what")
    if not posts - set(asked.revoke) and not asked.add:
        raise BadInput("this is the last post on our card, and a party has one: add another first", field="what")


def _drop_drafts(keys: KeySet, card: Card | None) -> None:
    """Delete fresh keys of a change that was cut short before it happened: no card ever named them."""
    if card is None:
        return
    for file in keys.files():
        wanted = public_on(card, file.use)
        now = keys.current(file.use)
        newer = now is not None and file.n > now.n and keys.facts(now).public == wanted
        if not file.until_ms and file.use != ROOT and (newer or not wanted):
            keys.delete(file)


def _with_posts(config: Config, posts: tuple[str, ...]) -> Config:
    return msgspec.structs.replace(config, posts=posts)


def _signed(home: Home, keys: KeySet, card: Card) -> Envelope:
    return sign_card(card, root_signer(home, keys))


def _wanted(
    home: Home, keys: KeySet, card: Card | None, config: Config, *, prove: bool, fresh: Mapping[str, str] | None = None,
    asked: Rekey | None = None,
) -> Card:  # fmt: skip
    """The card as it should be. With `prove` every public key is either on the present card, which the root signed, or
    taken from its opened private key: what a file merely says of itself is never certified."""
    fresh, asked = fresh or {}, asked or Rekey()

    def public(use: str, at: KeySet) -> str:
        if use in fresh:
            return fresh[use]
        file = at.current(use)
        if file is None:
            raise NotFound(
                f"the private key {use} is missing; restore it from a backup, or make a fresh one: `keys rotate`"
            )
        found = at.facts(file).public
        if prove and found != public_on(card, use):
            at.secret(file)
        return found

    certificate = home.keys.certificate(fresh.get(TLS, ""))
    root = root_signer(home, keys).public if prove else root_public(home, keys)
    before = card.posts if card is not None else {}
    names = config.posts if not keys.name else tuple(n for n in before or config.posts if n not in asked.revoke)
    names = (*names, *(n for n in asked.add if n not in names))
    posts = {}
    for name in names:
        key, known, added = public(post_use(name), keys), before.get(name), asked.add.get(name)
        if added is not None:
            posts[name] = Post(key, added.supervisor, bool(added.passphrase))
        elif known is not None:
            posts[name] = msgspec.structs.replace(known, key=key)
        else:
            posts[name] = Post(key, name.startswith(SUPERVISOR))
    return Card(
        v=1, party=config.party, root=root, version=card.version + 1 if card is not None else 1,
        node=public(NODE, keys), sealing=public(SEAL, keys), url=config.public_url or f"https://{config.listen}",
        tls_sha256=fingerprint(certificate), tls_pem=certificate, posts=posts, contact=config.contact,
        time_zone=config.time_zone, languages=config.languages,
    )  # fmt: skip
