# SPDX-License-Identifier: Apache-2.0
"""Kill a change of keys at every single call that it makes to the disk, and look at what is left.

    python tests/home/kill_each_step.py CASE

For each n the folder is copied, a child process begins the change and is killed (SIGKILL) right before its n-th call
that creates, writes out, renames or deletes anything; then the folder is loaded as another process finds it, judged,
and the same change is done again to its end. Prints how many steps there were. Run by `test_home_killed.py`, in a
process without threads, because it forks.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.home.keysworld import NODE_WORDS, NOW_MS, QUICK, ROOT_WORDS, again, card_of, make
from wideberth import home
from wideberth.errors import BadInput
from wideberth.home import Home, SetFacts
from wideberth.link.tls import fingerprint
from wideberth.rekey import GRACE_MS, NewPost, Rekey, change, own_card, set_passphrase, settle
from wideberth.signers import HomeSigners

NEW_WORDS = "ten loud geese over the estuary"
CALLS = ("open", "replace", "rename", "unlink", "mkdir", "fsync", "chmod", "rmdir")
NONCE = "0a" * 16


def killed(act: Callable[[], object], n: int) -> bool:
    """Whether `act`, in a child, came to an n-th call before it was done."""
    child = os.fork()
    if child == 0:
        left = n

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **more: Any) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **more)

            return call

        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            act()
        except BaseException:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            os._exit(3)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def whole(found: Home) -> None:
    """The card and the private keys of every set fit together, and nothing is left to be signed."""
    for keys in found.sets():
        card = keys.card()
        if card is None:
            continue
        signers = HomeSigners(found)
        assert signers.node_of(card).public == card.node
        for name, post in card.posts.items():
            assert post.break_glass or signers.key(post.key) is not None, name
        assert keys.sealing_keys()[-1].public() == card.sealing
        if not keys.name:
            assert fingerprint(keys.identity().certificate_pem) == card.tls_sha256
            assert set(card.posts) == set(found.config.posts)
        assert own_card(found, keys).encoded() == keys.card_bytes()
    assert not (found.path / "change.json").exists()


def each_step(folder: Path, act: Callable[[Path], object], judge: Callable[[Path, bool], None]) -> int:
    """`judge(folder, done)`: after a kill, then after the whole."""
    for n in range(1, 2_000):
        copy = folder.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        if not killed(partial(act, copy), n):
            judge(copy, True)
            return n - 1
        judge(copy, False)
        act(copy)
        judge(copy, True)
    raise AssertionError("it never came to its end")


def changing(locked: bool, **asked: Any) -> Callable[[Path], object]:
    def act(folder: Path) -> object:
        found = again(folder, locked=locked, root=True)
        if card_of(found).version == 1:
            change(found, Rekey(**asked), entropy=os.urandom, now_ms=NOW_MS)
        return None

    return act


def case_change(folder: Path, *, locked: bool, **asked: Any) -> int:
    before = make(folder / "blue", locked=locked)
    card, settings, old = card_of(before), before.config, before.sealing_keys()[0]
    act = changing(locked, **asked)
    shutil.copytree(before.path, folder / "done")
    act(folder / "done")
    files = key_files(folder / "done")

    def judge(path: Path, done: bool) -> None:
        found = again(path, locked=locked, root=True)
        whole(found)
        now = card_of(found)
        assert now.version == 2 or not done
        if now.version == 1:
            assert (now, found.config) == (card, settings)
        # Whatever happened, what others sealed or hold of the old card still works.
        assert old.id in {k.id for k in found.sealing_keys()}
        assert HomeSigners(found).node_of(card).public == card.node
        assert not done or len(key_files(path)) == len(files), key_files(path)

    return each_step(before.path, act, judge)


def key_files(path: Path) -> list[str]:
    """What a change that was cut short leaves behind is not among them after the next one."""
    return sorted(f.name for f in (path / "keys").rglob("*") if f.suffix in (".seed", ".key", ".crt", ".new"))


def case_settle(folder: Path) -> int:
    made = make(folder / "blue", locked=True)
    change(made, Rekey(rotate=("node", "seal", "tls", "post/watch-1")), entropy=os.urandom, now_ms=NOW_MS)
    old = made.sealing_keys()[0].id

    def act(path: Path) -> None:
        found = again(path, locked=True)
        settle(found.keys, NOW_MS)
        found.keys.prune(NOW_MS)

    def judge(path: Path, done: bool) -> None:
        found = again(path, locked=True)
        whole(found)
        assert old in {k.id for k in found.sealing_keys()}
        kept = [f for f in found.keys.files() if f.until_ms]
        for file in kept:
            found.keys.secret(file)
            if file.use == "tls":
                found.keys.identity(file)
        assert not done or sorted(f.use for f in kept) == ["node", "seal", "tls"]

    steps = each_step(folder / "blue", act, judge)

    def prune(path: Path) -> None:
        again(path, locked=True).keys.prune(NOW_MS + GRACE_MS)

    def pruned(path: Path, done: bool) -> None:
        found = again(path, locked=True)
        whole(found)
        assert not done or not [f for f in found.keys.files() if f.until_ms]

    act(folder / "blue")
    return steps + each_step(folder / "blue", prune, pruned)


def case_passphrase(folder: Path, *, locked: bool) -> int:
    made = make(folder / "blue", locked=locked)
    seeds = (made.node_seed(), made.post_seed("watch-1"), made.sealing_keys()[0].to_bytes())

    def opened(path: Path) -> Home:
        """By the old passphrase or the new one, whichever holds."""
        found = home.load(path)
        for words in (NODE_WORDS, NEW_WORDS):
            with contextlib.suppress(BadInput):
                if not found.unlocked:
                    found.unlock(words)
        return found

    def act(path: Path) -> None:
        set_passphrase(opened(path), NEW_WORDS, now_ms=NOW_MS, cost=QUICK)

    def judge(path: Path, done: bool) -> None:
        found = opened(path)
        assert (found.node_seed(), found.post_seed("watch-1"), found.sealing_keys()[0].to_bytes()) == seeds
        if done:
            assert {found.keys.facts(f).by for f in found.keys.files() if f.use != "root"} == {"home"}
            fresh = home.load(path)
            fresh.unlock(NEW_WORDS)
            fresh.keys.unlock_root(ROOT_WORDS if locked else "")
            whole(fresh)

    return each_step(folder / "blue", act, judge)


def case_set(folder: Path) -> int:
    make(folder / "blue", locked=True)

    def act(path: Path) -> None:
        found = again(path, locked=True, root=True)
        keys = found.add_set(NONCE, SetFacts("Cape", False), entropy=os.urandom, now_ms=NOW_MS)
        own_card(found, keys)

    def judge(path: Path, done: bool) -> None:
        found = again(path, locked=True, root=True)
        whole(found)
        assert not done or [s.card() is not None for s in found.sets()] == [True, True]

    return each_step(folder / "blue", act, judge)


CASES: dict[str, Callable[[Path], int]] = {
    "rotate": lambda f: case_change(f, locked=True, rotate=("node", "post/watch-1", "seal", "tls")),
    "rotate-plain": lambda f: case_change(f, locked=False, rotate=("node", "post/watch-1", "seal", "tls")),
    "add": lambda f: case_change(f, locked=True, add={"watch-2": NewPost()}),
    "revoke": lambda f: case_change(f, locked=True, revoke=("watch-1",)),
    "settle": case_settle,
    "passphrase": lambda f: case_passphrase(f, locked=True),
    "first-passphrase": lambda f: case_passphrase(f, locked=False),
    "own-keys": case_set,
}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as root:
        print(CASES[sys.argv[1]](Path(root)))
