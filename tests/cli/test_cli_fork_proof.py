# SPDX-License-Identifier: Apache-2.0
"""A fork shown to two peers, from the record on disk to the verdict of a stranger, by the command line alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.core.test_three_members import NAMES, Trio
from wideberth import home
from wideberth.cli import evidence as verbs
from wideberth.cli import exits
from wideberth.cli.session import Session, begin
from wideberth.cli.verbs import Root
from wideberth.config import Config
from wideberth.core import events as ev
from wideberth.core.seal import checkpoint
from wideberth.core.seal.checkpoint import Checkpoint
from wideberth.core.seal.merkle import Tree
from wideberth.store.sqlite import SqliteStore
from wideberth.verifier import verify

app = typer.Typer(cls=Root)
verbs.add_to(app)


def folder_of(trio: Trio, party: str, path: Path) -> Path:
    """A node's folder with what that party's core kept. The seed of the node's key is the one that signed it."""
    made = home.create(path / party, Config(party=party), entropy=os.urandom, now_ms=trio.now.t_ms)
    store = SqliteStore(made.record_path)
    store.append(list(trio.ends[party].store.load()), store.head)
    store.close()
    seed = hashlib.sha256(f"{party}/node".encode()).digest()
    (made.path / "keys" / "node.seed").write_text(seed.hex() + "\n")
    return made.path


def run(folder: Path, *args: str) -> tuple[int, list[dict[str, object]]]:
    begin(Session(folder, "", "", True))
    done = CliRunner().invoke(app, list(args))
    return done.exit_code, [json.loads(row) for row in done.stdout.splitlines()]


def stranger(bundle: Path, trusted: str) -> tuple[int, dict[str, object]]:
    """The one file for strangers, without our package."""
    command = [sys.executable, "-I", "-S", verify.__file__, str(bundle), "--trust", trusted, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def root_of(trio: Trio, party: str) -> str:
    return verify.sha256(trio.ends[party].keys.root.public.encode())


def test_two_bundles_name_a_fork_before_anybody_compared(tmp_path: Path) -> None:
    trio, bundles = Trio(), []
    trio.fork()
    for party in ("BLUE", "GREEN"):
        out = tmp_path / f"{party}.zip"
        code, (made,) = run(folder_of(trio, party, tmp_path), "evidence", "--out", str(out))
        assert (code, made["marks"]) == (0, []), "neither can know yet"
        bundles.append(str(out))
    code, rows = run(tmp_path / "BLUE", "verify", *bundles)
    assert code == exits.FOUND
    (fork,) = [str(r["fork"]) for r in rows if "fork" in r]
    assert fork.startswith("AMBER signed two different entries for place 2 of epoch")


def test_after_one_line_check_either_bundle_alone_proves_it(tmp_path: Path) -> None:
    trio = Trio()
    trio.fork()
    for name in NAMES:
        trio.ends[name].out.clear()
    trio.later(45_000)
    trio.ends["BLUE"].step(ev.CheckLines(), trio.now)
    trio.settle("BLUE", "GREEN")
    for party in ("BLUE", "GREEN"):
        out = tmp_path / f"{party}.zip"
        assert run(folder_of(trio, party, tmp_path), "evidence", "--out", str(out))[0] == 0
        mark = ["EQUIVOCATION of AMBER at entry 2"]
        code, (found,) = run(tmp_path / party, "verify", str(out), "--trust", root_of(trio, "AMBER"))
        assert (code, found["verdict"], found["marks"]) == (exits.FOUND, "trusted", mark)
        code, found = stranger(out, root_of(trio, "AMBER"))
        assert (code, found["verdict"], found["marks"]) == (0, "trusted", mark)


def test_a_checkpoint_over_another_strand_is_proven_to_a_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """AMBER sends BLUE a checkpoint over an entry that BLUE never got."""
    trio = Trio()
    strand = trio.ends["BLUE"].node.lines[trio.ch].channel.strands["AMBER"]
    head = Checkpoint(trio.ch, "AMBER", strand.epoch, 1, Tree([bytes(32)]).root())
    note = checkpoint.seal(head, trio.ends["AMBER"].keys.node)
    sidecar = json.dumps(note.decode(), ensure_ascii=False).encode()
    trio.ends["BLUE"].step(ev.Arrived(trio.ch, "AMBER", (), (sidecar,)), trio.now)
    out = tmp_path / "split.zip"
    assert run(folder_of(trio, "BLUE", tmp_path), "evidence", "--out", str(out))[0] == 0
    code, (found,) = run(tmp_path / "BLUE", "verify", str(out))
    assert (code, found["marks"]) == (exits.FOUND, ["SPLIT VIEW of AMBER at root 1"])
    assert stranger(out, root_of(trio, "AMBER"))[1]["marks"] == ["SPLIT VIEW of AMBER at root 1"]
