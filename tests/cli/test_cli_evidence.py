# SPDX-License-Identifier: Apache-2.0
"""`evidence` and `verify` on a node's folder, by a command line of their own until the verbs are in the main one."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.pair import Keys, Pair
from wideberth import home
from wideberth.cli import evidence as verbs
from wideberth.cli import exits
from wideberth.cli.session import Session, begin
from wideberth.cli.verbs import Root
from wideberth.config import Config
from wideberth.core import events as ev
from wideberth.store.sqlite import SqliteStore
from wideberth.verifier import verify

app = typer.Typer(cls=Root)
verbs.add_to(app)


@pytest.fixture(scope="module")
def pair() -> Pair:
    made = Pair()
    made.blue.step(ev.GiveNotice(made.ch, "BLUE/watch-1", made.terms(lat=35.5, lng=36)), made.now)
    made.settle()
    return made


@pytest.fixture
def folder(tmp_path: Path, pair: Pair) -> Path:
    """BLUE's node folder with what the core kept; the node's key is the one that signed it."""
    made = home.create(tmp_path / "blue", Config(party="BLUE"), entropy=os.urandom, now_ms=pair.now.t_ms)
    store = SqliteStore(made.record_path)
    store.append(list(pair.blue.store.load()), store.head)
    store.close()
    seed = Keys("BLUE")
    node = hashlib.sha256(b"BLUE/node").digest()
    assert seed.node.public == pair.blue.keys.node.public
    (made.path / "keys" / "node.seed").write_text(node.hex() + "\n")
    return tmp_path / "blue"


def run(folder: Path, *args: str, line: str = "", as_json: bool = True) -> tuple[int, list[dict[str, object]], str]:
    begin(Session(folder, line, "", as_json))
    done = CliRunner().invoke(app, list(args))
    data = [json.loads(row) for row in done.stdout.splitlines()] if as_json and done.stdout else []
    return done.exit_code, data, done.output


def test_a_bundle_is_written_and_verifies_and_a_bent_one_is_refused(folder: Path, pair: Pair, tmp_path: Path) -> None:
    out = tmp_path / "e.zip"
    code, (made,), _ = run(folder, "evidence", "--out", str(out), "--for", "GREEN", line="Coast")
    assert (code, made["verdict"], made["entries"]) == (0, "integrity only", 3)
    assert "Not for release beyond GREEN" in verify.unpack(out.read_bytes())["report.txt"].decode()
    root = verify.sha256(pair.green.keys.root.public.encode())
    assert run(folder, "verify", str(out), "--trust", root)[1][0]["verdict"] == "trusted"
    bent = bytearray(out.read_bytes())
    bent[len(bent) // 2] ^= 1
    (tmp_path / "bent.zip").write_bytes(bent)
    code, (refused,), _ = run(folder, "verify", str(tmp_path / "bent.zip"))
    assert (code, refused["verdict"]) == (exits.THEIRS, "refused")
    assert run(folder, "verify", str(out), "--trust", "00" * 32)[0] == exits.THEIRS
    assert run(folder, "verify", str(tmp_path / "none.zip"))[0] == exits.NOT_FOUND
    assert run(folder, "verify", str(out), "--tsa-root", str(tmp_path / "none.pem"))[0] == exits.NOT_FOUND
    assert run(folder, "verify", str(out), "--tsa-root", str(out))[0] == exits.OURS


def test_people_read_that_it_is_integrity_only(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "e.zip"
    code, _, text = run(folder, "evidence", "--notice", "blu-0001-e", "--out", str(out), as_json=False)
    assert (code, "It verifies." in text) == (0, True)
    code, _, text = run(folder, "verify", str(out), as_json=False)
    assert code == 0
    assert "INTEGRITY ONLY" in text


@pytest.mark.parametrize(
    ("args", "line", "code"),
    [
        (("--notice", "BLU-0001-E", "--entry", "00"), "", exits.OURS),
        (("--notice", "BLU-0002-X"), "", exits.OURS),
        (("--entry", "00" * 32), "", exits.NOT_FOUND),
        (("--until", "2001-01-01T00:00Z"), "", exits.NOT_FOUND),
        ((), "elsewhere", exits.NOT_FOUND),
    ],
)
def test_a_selection_that_fits_nothing_says_so(folder: Path, args: tuple[str, ...], line: str, code: int) -> None:
    assert run(folder, "evidence", *args, line=line)[0] == code


def test_two_bundles_of_one_record_hold_no_fork(folder: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "1.zip", tmp_path / "2.zip"
    assert run(folder, "evidence", "--out", str(one))[0] == 0
    assert run(folder, "evidence", "--notice", "BLU-0001-E", "--out", str(two))[0] == 0
    code, data, _ = run(folder, "verify", str(one), str(two))
    assert (code, len(data)) == (0, 2)
