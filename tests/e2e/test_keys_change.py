# SPDX-License-Identifier: Apache-2.0
"""Keys under a passphrase, and keys that change while real nodes run: nothing is lost, and nobody is shut out."""

from __future__ import annotations

import hashlib
import os
import pty
import select
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cliworld import Outcome, wideberth
from tests.e2e.nodes import COMMAND, RULES, NodeProcess, Two, make_home, meet, until
from wideberth import home, join
from wideberth.core.say import instant
from wideberth.core.say.rules import Mode
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.party import Card, read_card
from wideberth.demo.ports import free_port
from wideberth.rekey import GRACE_MS, set_passphrase, set_root_passphrase
from wideberth.vault import Cost

NODE_WORDS = "nine quiet herons over the estuary"
ROOT_WORDS = "seven old keys under the stone"
AREA = {"circle": "35.5,35.8,10km", "from": "+20m", "until": "+60m"}


@pytest.fixture
def two() -> Iterator[Two]:
    with Two() as made:
        yield made


def cli(node: NodeProcess, *args: str, **more: Any) -> Outcome:
    return wideberth("--dir", str(node.folder), *args, **more)


def card_of(folder: Path) -> Card:
    card = home.load(folder).keys.card()
    assert card is not None
    return card


def shown(port: int) -> str:
    """The certificate that a node shows to whoever calls, as its pin."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 5) as raw, context.wrap_socket(raw) as tls:
        der = tls.getpeercert(binary_form=True)
    assert der is not None
    return hashlib.sha256(der).hexdigest()


def uses(folder: Path) -> list[tuple[str, int]]:
    return sorted((f.use, f.n) for f in home.load(folder).keys.files() if not f.until_ms)


def both_speak(two: Two) -> None:
    """A notice each way, heard and receipted."""
    for one, other in ((two.blue, two.green), (two.green, two.blue)):
        ref = one.give(**AREA)["ref"]
        other.waits_for("heard", ref=ref)
    two.settle()


def test_every_key_is_changed_while_both_nodes_run_and_they_go_on(two: Two) -> None:
    both_speak(two)
    before = card_of(two.blue.folder)
    said = cli(two.blue, "keys", "rotate", "all", "--json")
    assert said.code == 0, said.err
    assert [entry["kind"] for entry in said.data[0]["said"]] == ["card"]
    after = card_of(two.blue.folder)
    assert (after.node != before.node, after.sealing != before.sealing) == (True, True)
    both_speak(two)
    # GREEN has the card: the old keys go, but those that may still be needed for a week.
    until(lambda: shown(two.blue.port) == after.tls_sha256, "the new certificate is shown")
    assert uses(two.blue.folder) == [
        ("node", 2), ("post/supervisor", 2), ("post/watch-1", 2), ("root", 1), ("seal", 2), ("tls", 2)
    ]  # fmt: skip
    old = sorted(f.use for f in home.load(two.blue.folder).keys.files() if f.until_ms)
    assert old == ["node", "seal", "tls"]
    both_speak(two)
    for node in (two.blue, two.green):
        node.stop()
        assert "all as signed" in cli(node, "doctor", "--audit").out
        two.restart(node)
    until(two.settled, "they meet again with new keys")
    both_speak(two)
    two.clock(two.now_ms + GRACE_MS + 1_000)
    two.blue.stop()
    two.restart(two.blue)
    assert not [f for f in home.load(two.blue.folder).keys.files() if f.until_ms]


def test_keys_that_were_changed_while_the_node_was_down_are_said_at_its_start(two: Two) -> None:
    two.blue.stop()
    said = cli(two.blue, "keys", "rotate", "watch-1", "node")
    assert "No node answers here" in said.out
    two.restart(two.blue)
    until(lambda: two.blue.told("said", kind="card"), "the node says its new card")
    both_speak(two)
    assert two.green.told("keys", party="BLUE")[-1]["version"] == 2


def test_a_peer_that_is_down_meanwhile_still_finds_us(two: Two) -> None:
    before = card_of(two.blue.folder)
    two.green.stop()
    assert cli(two.blue, "keys", "rotate", "all").code == 0
    assert shown(two.blue.port) == before.tls_sha256, "GREEN pins the old one, and does not know of another"
    two.blue.stop()
    two.restart(two.blue)
    assert shown(two.blue.port) == before.tls_sha256
    assert ("seal", 1) in uses(two.blue.folder)
    two.restart(two.green)
    ref = two.green.give(**AREA)["ref"]
    two.later_until(lambda: two.blue.told("heard", ref=ref), "what GREEN says first gets through")
    after = card_of(two.blue.folder)
    two.later_until(lambda: shown(two.blue.port) == after.tls_sha256, "GREEN has the card, and the new one is shown")
    both_speak(two)


def test_a_posts_key_that_was_stolen_is_taken_out_by_a_supervisor_and_replaced_by_the_root(two: Two) -> None:
    root = two.blue.folder / "keys" / "root.seed"
    stick = two.blue.folder.with_name("root.key")
    root.rename(stick)
    said = cli(two.blue, "keys", "revoke", "watch-1", "--as", "supervisor", "--text", "the laptop is gone")
    assert (said.code, "from this moment on" in said.out) == (0, True), said.err
    with pytest.raises(ValueError, match="revoked"):
        two.blue.give(**AREA)
    two.green.waits_for("heard", kind="revoke")
    fresh = cli(two.blue, "keys", "rotate", "watch-1", "--root-key", str(stick), "--json")
    assert fresh.code == 0, fresh.err
    both_speak(two)


def test_a_post_that_is_added_may_speak_at_once(two: Two) -> None:
    assert cli(two.blue, "keys", "add", "watch-2").code == 0
    ref = two.blue.give(**AREA, by="watch-2")["ref"]
    two.green.waits_for("heard", ref=ref)
    assert "BLUE/watch-2" in two.blue.status()["posts"]


def test_a_node_runs_under_a_passphrase_and_no_key_lies_open(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text(NODE_WORDS + "\n")
    words.chmod(0o600)
    made = Two()
    blue = made.blue.home
    set_passphrase(blue, NODE_WORDS, now_ms=made.now_ms)  # at the cost that people get
    blue.keys.unlock_root()
    set_root_passphrase(blue.keys, ROOT_WORDS, now_ms=made.now_ms, cost=Cost(1, 8))
    made.blue.begin(instant.show(made.now_ms))
    assert made.blue.said_up() is None
    assert "--passphrase-file" in made.blue.said_at_the_end()
    made.blue.forget_what_it_said()
    os.environ["WIDEBERTH_PASSPHRASE_FILE"] = str(words)
    try:
        with made as two:
            both_speak(two)
            again = cli(two.blue, "keys", "rotate", "sealing", "watch-1", "--root-passphrase-file", str(words))
            assert (again.code, "does not open the root key" in again.err) == (3, True)
            words_of_root = tmp_path / "root"
            words_of_root.write_text(ROOT_WORDS)
            words_of_root.chmod(0o600)
            done = cli(two.blue, "keys", "rotate", "sealing", "watch-1", "--root-passphrase-file", str(words_of_root))
            assert done.code == 0, done.err
            both_speak(two)
            assert {r["locked"] for r in cli(two.blue, "keys", "list", "--json").data} == {"home", "passphrase"}
    finally:
        del os.environ["WIDEBERTH_PASSPHRASE_FILE"]


def typed(folder: Path, *args: str, answers: tuple[str, ...]) -> tuple[int, str]:
    """A command at a terminal, where each question gets the next answer. What the terminal showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", COMMAND, "--dir", str(folder), *args]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    screen, waiting, answered, end = "", list(answers), 0, time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                data = os.read(ours, 4096)
            except OSError:
                break
            if not data:
                break
            screen += data.decode(errors="replace")
        if waiting and screen[answered:].rstrip().endswith(":"):
            time.sleep(0.3)  # nobody types before the terminal stops showing what is typed; that throws away the rest
            os.write(ours, (waiting.pop(0) + "\n").encode())
            answered = len(screen)
        if process.poll() is not None and not select.select([ours], [], [], 0.2)[0]:
            break
    os.close(ours)
    return process.wait(10), screen


def test_at_a_terminal_passphrases_are_asked_for_twice_and_never_shown(tmp_path: Path) -> None:
    folder = tmp_path / "n"
    code, screen = typed(
        folder, "init", "BLUE", "--listen", f"127.0.0.1:{free_port()}",
        answers=("short", NODE_WORDS, "something else", NODE_WORDS, NODE_WORDS, ROOT_WORDS, ROOT_WORDS),
    )  # fmt: skip
    assert code == 0, screen
    assert "differ" in screen
    assert NODE_WORDS not in screen
    assert ROOT_WORDS not in screen
    found = home.load(folder)
    found.unlock(NODE_WORDS)
    found.keys.unlock_root(ROOT_WORDS)
    code, screen = typed(folder, "keys", "rotate", "node", answers=("not these words", ROOT_WORDS, NODE_WORDS))
    assert code == 0, screen
    assert "does not open the root key" in screen
    code, screen = typed(folder, "up", answers=("no", "no", "no"))
    assert (code, "Traceback" in screen) == (3, False), screen


class Apart:
    """BLUE and GREEN with two mechanisms: Coast with BLUE's usual keys, and Cape, for which BLUE has keys apart."""

    def __init__(self, at: Path, *, own_root: bool) -> None:
        now_ms = time.time_ns() // 1_000_000
        homes = [
            make_home(at / p.lower(), p, port, port, now_ms)
            for p, port in ((p, free_port()) for p in ("BLUE", "GREEN"))
        ]
        self.coast = meet(*homes, Mode.SIMULATED, RULES, now_ms)
        self.cape = meet(*homes, Mode.SIMULATED, RULES, now_ms, "Cape", own=join.OwnKeys(own_root))
        self.blue, self.green = (NodeProcess(each.path) for each in homes)

    def heard(self, line: str, ref: str) -> bool:
        ch = {"Coast": self.coast, "Cape": self.cape}[line]
        return bool(self.green.told("heard", ref=ref, ch=ch))

    def give(self, line: str) -> None:
        given = self.blue.give(**AREA, line=line)
        until(lambda: self.heard(line, given["ref"]), f"it is heard on {line}")


@pytest.mark.parametrize("own_root", [False, True])
def test_the_keys_of_one_mechanism_are_changed_and_the_other_does_not_notice(tmp_path: Path, own_root: bool) -> None:
    apart = Apart(Path(tmp_path), own_root=own_root)
    blue, green = apart.blue, apart.green
    try:
        for node in (green, blue):
            node.begin()
        for node in (green, blue):
            node.is_up()
        until(lambda: all(len(n.status()["lines"]) == 2 for n in (blue, green)), "both lines are open")
        for line in ("Coast", "Cape"):
            apart.give(line)
        usual, cape = (known(s) for s in home.load(blue.folder).sets())
        assert (usual.root == cape.root) is not own_root
        words = {line["mechanism"]: line["peers"][0]["words"] for line in green.status()["lines"]}
        assert (words["Coast"] == words["Cape"]) is not own_root
        # The set of Cape is out: fresh keys there, and the post of a thief taken out at once.
        done = cli(blue, "keys", "rotate", "all", "--for", "Cape", "--json")
        assert done.code == 0, done.err
        assert [entry["ch"] for entry in done.data[0]["said"]] == [apart.cape]
        for line in ("Coast", "Cape"):
            apart.give(line)
        assert known(home.load(blue.folder).keys) == usual, "nothing of the other mechanism changed"
        assert [t["version"] for t in green.told("keys", party="BLUE", ch=apart.coast)] == []
        until(lambda: green.told("keys", party="BLUE", ch=apart.cape), "GREEN knows the new card of Cape")
        # And the other way round.
        assert cli(blue, "keys", "rotate", "node", "watch-1").code == 0
        for line in ("Coast", "Cape"):
            apart.give(line)
        assert [t["version"] for t in green.told("keys", party="BLUE", ch=apart.cape)] == [2]
    finally:
        for node in (blue, green):
            node.kill()


def known(keys: Any) -> Card:
    card = keys.card()
    assert card is not None
    return read_card(keys.card_bytes(), Ed25519Verifier(), root=card.root)


def test_a_node_whose_disk_was_stolen_comes_back_under_a_fresh_key_and_the_thief_is_refused(two: Two) -> None:
    both_speak(two)
    backup = two.blue.folder.with_name("blue.db")
    assert cli(two.blue, "backup", str(backup)).code == 0
    ref = two.blue.give(**AREA)["ref"]
    two.settle()
    two.blue.stop()
    # The whole folder is with the thief; at home are the root key, the settings and card in the safe, and the backup.
    stick, thief = two.blue.folder.with_name("root.key"), two.blue.folder.with_name("thief")
    shutil.copytree(two.blue.folder, thief)
    (thief / "keys" / "root.seed").rename(stick)
    for file in [*(two.blue.folder / "keys").iterdir(), *two.blue.folder.glob("record.db*")]:
        file.unlink()
    root = ("--root-key", str(stick))
    restore = ("restore", str(backup), "--as", "supervisor", "--reason", "the disk was stolen")
    refused = cli(two.blue, *restore)
    assert (refused.code, "keys rotate node" in refused.err) == (3, True), refused.err
    fresh = cli(two.blue, "keys", "rotate", "all", *root, "--json")
    assert fresh.code == 0, fresh.err
    put = cli(two.blue, *restore)
    assert put.code == 0, put.err
    two.blue.start(two._clock)
    two.later_until(two.settled, "GREEN gives back what was said since, and believes the new key")
    assert two.blue.notice(ref)["ref"] == ref
    both_speak(two)
    held = two.green.status()["lines"][0]["peers"][0]["held"]
    two.blue.stop()
    false = NodeProcess(thief)
    try:
        false.start(two._clock)
        said = false.give(**AREA)["ref"]
        refused_as = ("BadSignature", "Outdated")
        until(lambda: [t for t in two.green.told("fault") if t["fault"] in refused_as], "it is refused")
        assert not two.green.told("heard", ref=said)
        assert two.green.status()["lines"][0]["peers"][0]["held"] == held
    finally:
        false.kill()
    two.restart(two.blue)
    both_speak(two)


def test_a_break_glass_post_speaks_with_its_own_passphrase_and_everybody_sees_that_it_did(
    two: Two, tmp_path: Path
) -> None:
    words = cli(two.blue, "keys", "add", "break-glass", "--break-glass", "--supervisor", "--json").data[0]["passphrase"]
    two.settle()
    glass = tmp_path / "glass"
    glass.write_text(words + "\n")
    glass.chmod(0o600)
    alone = cli(two.blue, "alert", "--as", "break-glass")
    assert (alone.code, "in an envelope" in alone.err) == (3, True)
    with pytest.raises(ValueError, match="in an envelope"):
        two.blue.command("alert", by="break-glass")
    given = ("notice", "give", "--type", "AREA_ACTIVITY", "--hazard", "CREWED_AIRCRAFT", "--circle", "35.5,35.8,10km",
             "--low", "SFC", "--high", "FL300", "--from", "+20m", "--until", "+60m", "--as", "break-glass")  # fmt: skip
    wrong = tmp_path / "wrong"
    wrong.write_text("not what the envelope says")
    wrong.chmod(0o600)
    assert "does not open" in cli(two.blue, *given, "--post-passphrase-file", str(wrong)).err
    assert not two.blue.told("glass")
    said = cli(two.blue, *given, "--post-passphrase-file", str(glass))
    assert (said.code, "BLUE/break-glass (BREAK GLASS)" in said.out) == (0, True), said.err
    ref = said.out.split()[0].rstrip(":")
    drafts = cli(two.blue, "notice", "draft", "list", "--json").data
    assert len(drafts) == 1, "of the wrong passphrase only: being asked for one keeps no draft"
    rung = two.blue.waits_for("glass", by="BLUE/break-glass")
    assert (rung.get("level", "RING"), "Its envelope is open" in rung["sentence"]) == ("RING", True)
    heard = two.green.waits_for("heard", ref=ref)
    assert "BREAK-GLASS post BLUE/break-glass" in heard["sentence"]
    two.settle()
    for node in (two.blue, two.green):
        assert node.notice(ref)["versions"][0]["break_glass"] is True
        assert "BLUE/break-glass (BREAK GLASS)" in cli(node, "notice", "show", ref).out
    # The key was lent for that one command.
    with pytest.raises(ValueError, match="in an envelope"):
        two.blue.command("alert", by="break-glass")
    # A supervisor of that kind revokes as well, and the next envelope is another.
    revoked = cli(two.blue, "keys", "revoke", "watch-1", "--as", "break-glass", "--post-passphrase-file", str(glass))
    assert revoked.code == 0, revoked.err
    two.settle()
    fresh = cli(two.blue, "keys", "rotate", "break-glass", "--json").data[0]["passphrase"]
    two.settle()
    assert "does not open" in cli(two.blue, "alert", "--as", "break-glass", "--post-passphrase-file", str(glass)).err
    glass.write_text(fresh)
    assert cli(two.blue, "alert", "--as", "break-glass", "--post-passphrase-file", str(glass)).code == 0
    two.settle()
    assert two.green.rings()[-1]["facts"]["break_glass"] is True
