# SPDX-License-Identifier: Apache-2.0
"""`keys`: which keys there are, fresh ones in their place, posts that come and go, passphrases, and the root key.

Every change is made in the folder first, whole (`rekey.py`); then a running node says the new card on its lines. Where
none runs, the next start says it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import group, verb
from wideberth.errors import BadInput, NotFound, Unreachable

if TYPE_CHECKING:
    from wideberth.home import Home
    from wideberth.keyset import KeySet
    from wideberth.rekey import Rekey

app = group("Keys: what there is, fresh ones, posts, passphrases (docs/keys.md).")
root = group("The root key: to a safe place, and out of this folder.")
app.add_typer(root, name="root")

_FOR = "Of the mechanism of this name, which has keys of its own."


@verb(app, "list")
def list_() -> None:
    """What each key is for, its fingerprint and its age. Asks for no passphrase."""
    from wideberth import home
    from wideberth.cli import show

    made = home.load(here().folder)
    show.rows([row for keys in made.sets() for row in _rows(made, keys)], _table)


@verb(app, "add")
def add(
    post: Annotated[str, typer.Argument(help="The new post's name, such as watch-3.")],
    supervisor: Annotated[bool, typer.Option("--supervisor", help="A supervisor's post.")] = False,
    break_glass: Annotated[
        bool,
        typer.Option("--break-glass", help="With a passphrase of its own, shown once, for an envelope on the wall."),
    ] = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="Write the break-glass passphrase as a QR code.")] = None,
    mechanism: Annotated[str, typer.Option("--for", help=_FOR)] = "",
) -> None:
    """A post more: a key, and a card that names it. Needs the root key."""
    from wideberth.rekey import NewPost, Rekey

    if svg is not None and not break_glass:
        raise BadInput("--svg is for the passphrase of a --break-glass post", field="svg")
    made, keys = _ready(mechanism)
    envelope = _Envelope(post, svg) if break_glass else None
    asked = Rekey(add={post: NewPost(supervisor, envelope.words if envelope is not None else "")})
    _change(made, keys, asked, f"{post} may speak", envelope)


@verb(app, "rotate")
def rotate(
    what: Annotated[list[str], typer.Argument(help="Posts by name, node, sealing, tls; or `all`.")],
    svg: Annotated[Path | None, typer.Option("--svg", help="Write a break-glass passphrase as a QR code.")] = None,
    mechanism: Annotated[str, typer.Option("--for", help=_FOR)] = "",
) -> None:
    """Fresh keys in the place of those, and a card that names them. Needs the root key."""
    from wideberth.rekey import Rekey

    made, keys = _ready(mechanism)
    card = keys.card()
    posts = dict(card.posts) if card is not None else {}
    names = [*([] if keys.name else ["tls"]), "node", "sealing", *posts] if what == ["all"] else what
    uses = tuple(dict.fromkeys({"sealing": "seal"}.get(n, n if n in ("node", "tls") else f"post/{n}") for n in names))
    broken = [n for n in names if n in posts and posts[n].break_glass]
    if len(broken) > 1:
        raise BadInput(f"one break-glass post after the other: {', '.join(broken)}", field="what")
    envelope = _Envelope(broken[0], svg) if broken else None
    passphrases = {broken[0]: envelope.words} if envelope is not None else {}
    _change(made, keys, Rekey(rotate=uses, passphrases=passphrases), f"fresh keys for {', '.join(names)}", envelope)


@verb(app, "revoke")
def revoke(
    post: Annotated[str, typer.Argument(help="The post whose key is not to be believed any more.")],
    text: Annotated[str, typer.Option("--text", help="Why, in a few words; the other sides read it.")] = "",
    mechanism: Annotated[str, typer.Option("--for", help=_FOR)] = "",
) -> None:
    """Take a post's key out of use: at once by a supervisor (--as), and for good by a card without it (root key)."""
    from wideberth.cli import show
    from wideberth.rekey import Rekey

    made, keys = _ready(mechanism, check=post)
    name = post.removeprefix(f"{made.config.party}/")
    said = False
    if here().post and not mechanism:
        try:
            here().client().post("/v1/keys/revoke", {"by": here().by(), "post": name, "text": text})
            said = True
        except Unreachable:
            show.note("The node does not answer; the other sides learn of it when it is up again. Call them.")
    try:
        _open(made, keys)
    except (BadInput, NotFound) as why:
        if not said:
            raise
        show.tell(
            {"revoked": name, "said": True, "card": None},
            f"Revoked on every line, from this moment on. No card without {name} was signed: {why.sentence}. Do that "
            f"soon: `wideberth keys revoke {name} --root-key FILE`.",
        )
        return
    _change(made, keys, Rekey(revoke=(name,)), f"{name} may not speak any more", None)


@verb(app, "passphrase")
def passphrase(
    root_: Annotated[bool, typer.Option("--root", help="The root key's instead of the node's.")] = False,
) -> None:
    """Another passphrase, or a first one; no key changes. With --new-passphrase-file, or asked for twice."""
    from wideberth import home, rekey
    from wideberth.cli import passphrase as given
    from wideberth.cli import show
    from wideberth.clock import SystemClock

    made = home.load(here().folder)
    now_ms = SystemClock().now().t_ms
    why = "a new passphrase is needed, and there is no terminal to ask for one"
    if root_:
        given.unlock_root(made)
        words = given.new("the root key", why, kind="new-")
        file = rekey.set_root_passphrase(made.keys, words, here().root_key, now_ms=now_ms)
        show.tell(
            {"root": True, "file": str(file)}, f"{file} has the new passphrase now. Copies of it elsewhere do not."
        )
        return
    given.unlock(made)
    first = not made.encrypted
    words = given.new("your node's keys", why, kind="new-")
    locked = rekey.set_passphrase(made, words, now_ms=now_ms)
    text = "The new passphrase holds. No key changed; old copies of keys/lock.json still open with the old one."
    if first:
        text = (
            f"{locked} keys are encrypted now. What lay there plain may linger on this disk and in old backups. The "
            "root key is not among them: `wideberth keys passphrase --root`."
        )
    show.tell({"root": False, "encrypted": locked}, text)


@verb(root, "export")
def export(
    file: Annotated[Path, typer.Argument(help="A new file, such as one on a stick; never written over.")],
) -> None:
    """Copy the root key to a file. A key that is encrypted stays so, under its passphrase."""
    from wideberth import home
    from wideberth.cli import show

    made = home.load(here().folder)
    made.keys.copy_root(file)
    locked = made.keys.root_locked()
    plain = "" if locked else " It is NOT encrypted: `wideberth keys passphrase --root` first would have done that."
    show.tell(
        {"file": str(file), "encrypted": locked},
        f"Copied the root key to {file}.{plain} Make a second copy for another place; then `wideberth keys root forget "
        f"--root-key {file}` takes it out of this folder.",
    )


@verb(root, "forget")
def forget() -> None:
    """Delete the root key from this folder, once a copy is elsewhere: --root-key names it, and it is tried first."""
    from wideberth import home
    from wideberth.cli import passphrase as given
    from wideberth.cli import show

    made = home.load(here().folder)
    copy = here().root_key
    if copy is None:
        raise BadInput(
            "name the copy that you keep with --root-key FILE; it is tried before this one goes", field="root"
        )
    if made.keys.root_file() is None:
        raise NotFound("there is no root key in this folder any more")
    given.unlock_root(made)
    made.keys.forget_root(copy)
    show.tell(
        {"forgotten": True, "copy": str(copy)},
        f"The root key is no longer in this folder; {copy} has it, and opens. The bytes may linger on this disk until "
        "it reuses them.",
    )


def announce_card(card: bytes) -> list[dict[str, Any]] | None:
    """Hand a card of the folder to the running node, which says it on its lines, in its own name: the root signed it.
    The entries; None where no node answers: then it does so at its next start. Raises the node's own faults."""
    try:
        said: list[dict[str, Any]] = here().client().post("/v1/keys/card", {"card": card.decode("ascii")})
    except Unreachable:
        return None
    return said


def _ready(mechanism: str, check: str = "") -> tuple[Home, KeySet]:
    """The home, and the set of keys that is meant. Raises: NotFound, BadInput."""
    from wideberth import home

    made = home.load(here().folder)
    keys = set_for(made, mechanism)
    card = keys.card()
    name = check.removeprefix(f"{made.config.party}/")
    if check and (card is None or name not in card.posts):
        posts = ", ".join(sorted(card.posts)) if card is not None else "none"
        raise NotFound(f"there is no post {name!r} on our card; there are {posts}", field="post")
    return made, keys


def set_for(made: Home, mechanism: str) -> KeySet:
    """The keys of a mechanism that has its own; ours where none is named. Raises: NotFound."""
    if not mechanism:
        return made.keys
    found = [s for s in made.sets() if s.name and made.set_facts(s).mechanism == mechanism]
    if len(found) != 1:
        raise NotFound(
            f"no mechanism called {mechanism!r} has keys of its own; `keys list` shows which do", field="for"
        )
    return found[0]


def _open(made: Home, keys: KeySet) -> None:
    """The root key first: without it nothing is made."""
    from wideberth import rekey
    from wideberth.cli import passphrase as given

    if keys.name and rekey.own_root(made, keys):
        given.unlock_set_root(keys, made.set_facts(keys).mechanism)
    else:
        given.unlock_root(made)
    given.unlock(made)


def _change(made: Home, keys: KeySet, asked: Rekey, what: str, envelope: _Envelope | None) -> None:
    import os

    from wideberth import rekey
    from wideberth.cli import show
    from wideberth.clock import SystemClock

    rekey.check(keys, asked)
    _open(made, keys)
    if envelope is not None:
        # On paper before it holds: a passphrase that nobody saw would be lost for good.
        envelope.write()
        if not here().json:
            envelope.show()
    made, sealed = rekey.change(made, asked, entropy=os.urandom, now_ms=SystemClock().now().t_ms, keys=keys)
    cards = [sealed]
    if "tls" in asked.rotate:  # the other sets share it
        cards += [rekey.own_card(made, other) for other in made.sets() if other.name and other.card() is not None]
    card = keys.card()
    version = card.version if card is not None else 0
    heard = [announce_card(each.encoded()) for each in cards]
    said = None if None in heard else [entry for entries in heard for entry in entries or ()]
    if said is None:
        then = "No node answers here: the other sides learn of it when it is up. Until then the old keys hold there."
    elif said:
        lines = len({entry["ch"] for entry in said})
        then = f"Said on {lines} line(s). Old keys are kept until every peer has it, and some of them a week longer."
    else:
        then = "No line needed to be told."
    data: dict[str, Any] = {"card": version, "said": said, "what": what}
    if envelope is not None:
        data["passphrase"] = envelope.words
    show.tell(data, f"Card {version}: {what}. {then}")


class _Envelope:
    """The passphrase of a break-glass post, for paper: made here, shown once, kept nowhere."""

    def __init__(self, post: str, svg: Path | None) -> None:
        from wideberth.fingerprint import words_by_lot

        self.post = post
        self.svg = svg
        self.words = words_by_lot()

    def write(self) -> None:
        from wideberth import qr

        if self.svg is not None:
            qr.write_svg(self.words, self.svg)

    def show(self) -> None:
        from wideberth import qr
        from wideberth.cli import show

        show.say(
            "",
            f"Write this on paper now, put it into an envelope, seal it, and say on it: break glass, post {self.post}. "
            "It is shown once and kept nowhere:",
            "",
            f"    {self.words}",
            "",
        )
        show.picture(qr.blocks(self.words))


def _rows(made: Home, keys: KeySet) -> list[dict[str, Any]]:
    from wideberth.core.seal.keys import key_id

    card, mechanism = keys.card(), made.set_facts(keys).mechanism
    rows = []
    for file in keys.files():
        facts = keys.facts(file)
        now = keys.current(file.use)
        current = now is not None and now.path == file.path
        name = file.use.removeprefix("post/")
        post = card.posts.get(name) if card is not None and file.use.startswith("post/") else None
        what = f"{made.config.party}/{name}" if file.use.startswith("post/") else {"seal": "sealing"}.get(name, name)
        rows.append(
            {
                "key": what, "for": mechanism or "all other mechanisms", "state": _state(file.until_ms, current),
                "until_ms": file.until_ms, "made_ms": facts.made_ms, "locked": facts.by, "public": facts.public,
                "id": facts.public[:16] if file.use == "tls" else key_id(facts.public), "file": str(file.path),
                "supervisor": bool(post and post.supervisor), "break_glass": bool(post and post.break_glass),
                "card": card.version if card is not None else 0,
            }
        )  # fmt: skip
    return rows


def _state(until_ms: int, current: bool) -> str:
    return "old" if until_ms else "in use" if current else "replaced"


def _table(rows: list[dict[str, Any]]) -> None:
    import time

    from wideberth.cli import show

    now_ms = time.time_ns() // 1_000_000
    locked = {"home": "passphrase", "passphrase": "its own passphrase", "plain": "NOT ENCRYPTED"}

    def notes(row: dict[str, Any]) -> str:
        parts = [row["state"]] if row["state"] != "old" else [f"old, deleted after {show.utc(row['until_ms'])}"]
        parts += ["supervisor"] if row["supervisor"] else []
        parts += ["break glass"] if row["break_glass"] else []
        return ", ".join(parts)

    def age(row: dict[str, Any]) -> str:
        return f"{show.span(max(0, now_ms - row['made_ms']))} ago"

    several = len({row["for"] for row in rows}) > 1
    columns = [
        ("key", [r["key"] for r in rows]),
        *([("for", [r["for"] for r in rows])] if several else []),
        ("fingerprint", [r["id"] for r in rows]),
        ("made", [age(r) for r in rows]),
        ("locked by", [locked[r["locked"]] for r in rows]),
        ("", [notes(r) for r in rows]),
    ]
    show.table([name for name, _ in columns], zip(*(cells for _, cells in columns), strict=True))
