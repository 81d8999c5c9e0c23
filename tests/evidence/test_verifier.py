# SPDX-License-Identifier: Apache-2.0
"""No bit of a bundle can change, no entry can be dropped, moved, replaced or cut off, and no stranger's keys pass."""

from __future__ import annotations

import ast
import base64
import json
import os
import pty
import random
import subprocess
import sys
from pathlib import Path

import pytest
from dertoken import token
from evidenceworld import Day
from tamper import (
    NODE,
    brief,
    lines,
    renamed,
    resealed,
    second_verdicts,
    sidecar_line,
    stamp_name,
    strand_file,
    with_lines,
    with_sidecar,
)

from wideberth import evidence
from wideberth.core.say.words import Place
from wideberth.core.seal import bundle, canonical, checkpoint, heads
from wideberth.core.seal.checkpoint import Checkpoint
from wideberth.core.seal.heads import Heads
from wideberth.verifier import verify

FLIPS = 2_000
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed: the verifier in JavaScript cannot run")


@pytest.fixture(scope="module")
def whole(day: Day) -> bytes:
    return day.bundle(with_verifier=True)


@pytest.fixture(scope="module")
def part(day: Day) -> bytes:
    return day.bundle(bundle.by_time(0, day.notice.stored_ms + 1), redact=frozenset([day.entries("BLUE")[1].hash]))


def flips(data: bytes) -> list[tuple[str, bytes]]:
    """Random single bits in the files of a bundle; each with the name of its file."""
    chance = random.Random(7)
    at, places = 0, []
    for name, body in verify.unpack(data).items():
        at = data.index(name.encode() + body, at) + len(name)
        places.append((name, at, len(body)))
    bent = []
    for _ in range(FLIPS):
        name, start, size = chance.choice(places)
        changed = bytearray(data)
        changed[start + chance.randrange(size)] ^= 1 << chance.randrange(8)
        bent.append((name, bytes(changed)))
    return bent


def test_an_honest_bundle_verifies_and_says_that_it_does_not_prove_identity(whole: bytes, part: bytes) -> None:
    for data in (whole, part):
        found = verify.judged(data)
        assert found["verdict"] == "integrity only"
        assert "NOT proven whose keys" in found["meaning"]


def test_2000_flipped_bits_are_refused_with_the_file_named(whole: bytes, part: bytes) -> None:
    for data in (whole, part):
        for name, bent in flips(data)[: FLIPS // 2]:
            found = verify.judged(bent)
            assert (found["verdict"], found["file"]) == ("refused", name)


def test_a_flipped_bit_in_a_file_that_was_packed_again_is_refused_too(whole: bytes, part: bytes) -> None:
    chance = random.Random(8)
    for data in (whole, part):
        files = verify.unpack(data)
        for _ in range(250):
            name = chance.choice(sorted(files))
            bent = bytearray(files[name])
            bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
            found = verify.judged(verify.pack({**files, name: bytes(bent)}))
            assert found["verdict"] == "refused"
            # In a strand the line is named as well; a card's name may be the manifest's, whose signer it certifies.
            assert found["file"].split(",")[0] == name


def test_a_flipped_bit_of_the_zip_itself_is_refused(part: bytes) -> None:
    chance = random.Random(9)
    names = {*verify.unpack(part), "zip"}
    for at in sorted({chance.randrange(len(part)) for _ in range(600)} | set(range(len(part) - 400, len(part)))):
        bent = bytearray(part)
        bent[at] ^= 1 << chance.randrange(8)
        found = verify.judged(bytes(bent))
        assert found["verdict"] == "refused", at
        # A bit of a name, or of its length, may be what changed.
        file = found["file"].split(",")[0]
        near = [n for n in names if sum(a != b for a, b in zip(n, file, strict=False)) <= 1]
        assert any(len(n) == len(file) or file.startswith(n) or n.startswith(file) for n in near), (at, found)


@pytest.mark.parametrize(("cut", "named"), [(1, "zip"), (22, "zip"), (1_000, None), (20_000, None)])
def test_a_truncated_or_longer_file_is_refused(whole: bytes, cut: int, named: str | None) -> None:
    found = verify.judged(whole[:-cut])
    assert found["verdict"] == "refused"
    assert named in (None, found["file"])
    assert verify.judged(whole + b"\0")["verdict"] == "refused"
    assert verify.judged(b"")["verdict"] == "refused"


def bent_by_the_exporter(day: Day, data: bytes) -> dict[str, tuple[bytes, str]]:
    """What an exporter with its own key could try on its peer's strand and on the rest; and the file to be named."""
    node = day.pair.blue.keys.node
    files = verify.unpack(data)
    theirs, name = lines(files, "GREEN"), strand_file(files, "GREEN")
    line = json.loads(theirs[1])
    other = json.loads(theirs[2])
    swapped = json.dumps({**line, "body": other["body"]}, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    forged = json.loads(base64.b64decode(line["entry"]["payload"]))
    forged["t_ms"] += 60_000
    payload = base64.b64encode(json.dumps(forged, sort_keys=True, separators=(",", ":")).encode()).decode()
    moved = {**line, "entry": {**line["entry"], "payload": payload}}
    backdated = json.dumps(moved, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    card = next(f for f in files if f.startswith("cards/GREEN"))
    note = next(f for f in files if f.startswith("checkpoints/GREEN"))
    empty = {f: d for f, d in files.items() if f != card}
    stamp = next(f for f in files if f.startswith("stamps/"))
    stamped = f"checkpoints/{stamp[7:-21]}.txt"
    fence, heads_line = sidecar_line(files, "heads"), files["sidecars.jsonl"].splitlines()
    held = json.loads(heads_line[fence])
    told = json.loads(base64.b64decode(held["payload"]))
    told["holds"]["BLUE"][0][1] += 1
    more = canonical.encode({**held, "payload": base64.b64encode(canonical.encode(told)).decode()})
    wild = Heads(1, day.ch, "BLUE", "0d" * 16, "", True, {"BLUE": (Place("x", 1, "y"),)}, 1)
    split = stamped.replace("checkpoints/", "splits/")

    def with_(wanted: list[bytes]) -> bytes:
        return resealed(with_lines(files, "GREEN", wanted), node)

    return {
        "dropped in the middle": (with_([theirs[0], *theirs[2:]]), f"{name}, line 2"),
        "dropped at the end": (with_(theirs[:-1]), f"{name}, line 1"),
        "dropped at the beginning": (with_(theirs[1:]), name),
        "reordered": (with_([theirs[0], theirs[2], theirs[1], *theirs[3:]]), f"{name}, line 3"),
        "twice": (with_([theirs[0], theirs[0], *theirs[1:]]), f"{name}, line 2"),
        "with another's body": (with_([theirs[0], swapped, *theirs[2:]]), f"{name}, line 2"),
        "with another time": (with_([theirs[0], backdated, *theirs[2:]]), f"{name}, line 2"),
        "cut in a line": (with_([*theirs[:-1], theirs[-1][:-9]]), name),
        "one's own entry as theirs": (with_([*theirs, lines(files, "BLUE")[0]]), f"{name}, line {len(theirs) + 1}"),
        "without their card": (resealed(empty, node), f"{name}, line 1"),
        "with a file too many": (resealed({**files, "more.txt": b"x"}, node), "more.txt"),
        "another report": (resealed({**files, "report.txt": files["report.txt"] + b"x"}, node), "report.txt"),
        "another picture": (resealed({**files, "report.html": files["report.html"][:-1]}, node), "report.html"),
        "another note": (resealed(files, node, note="all is well"), "report.html"),
        "another scope": (resealed(files, node, scope=""), "report.html"),
        "another root": (resealed({**files, note: files[note][:-8] + b"AAAAAA=\n"}, node), note),
        "without an agreement": (
            resealed({f: d for f, d in files.items() if not f.startswith("agreements/")}, node), "cards/BLUE-1.json",
        ),
        "a stamp on another checkpoint": (
            resealed(renamed(files, stamp, stamp_name(note, files[stamp])), node), stamp_name(note, files[stamp]),
        ),
        "a stamp on none": (
            resealed(renamed(files, stamp, stamp_name("x/0000000001.txt", files[stamp])), node),
            stamp_name("x/0000000001.txt", files[stamp]),
        ),
        "a stamp with a bit changed": (
            resealed({**files, stamp: files[stamp][:-1] + b"\1"}, node), stamp,
        ),
        "a stamp over another text": (
            resealed(renamed(files, stamp, stamp_name(stamped, token("all is well")), token("all is well")), node),
            stamp_name(stamped, token("all is well")),
        ),
        "another answer to a restore": (resealed(with_sidecar(files, fence, more), node), "sidecars.jsonl"),
        "an answer to a restore of no form": (
            resealed(with_sidecar(files, fence, heads.seal(wild, node)), node), "sidecars.jsonl",
        ),
        "an honest checkpoint as a split view": (resealed({**files, split: files[stamped]}, node), split),
        "a split view by nobody": (
            resealed({**files, split: checkpoint.witness(
                Checkpoint(day.ch, "BLUE", split.split("/")[2], int(split[-14:-4]), bytes(32)), "BLUE", node, 1
            )}, node), split,
        ),
        "a split view of no strand": (resealed({**files, "splits/x.txt": b"x"}, node), "splits/x.txt"),
        "signed by the other side": (resealed(files, day.pair.green.keys.node), "manifest.json"),
        "in another's name": (resealed(files, node, **{"from": "GREEN"}), "manifest.json"),
        "not listed": (verify.pack({**files, "verify.py": b"print()"}), "verify.py"),
        "missing": (verify.pack({f: d for f, d in files.items() if f != "report.txt"}), "report.txt"),
        "without a manifest": (verify.pack({f: d for f, d in files.items() if f != "manifest.json"}), "manifest.json"),
    }  # fmt: skip


def test_what_the_exporter_itself_bends_is_refused_with_the_file_named(day: Day) -> None:
    for what, (bent, named) in bent_by_the_exporter(day, day.bundle()).items():
        found = verify.judged(bent)
        file = found["file"].split(",")[0]
        assert (what, found["verdict"], file) == (what, "refused", named.split(",")[0]), found


def test_every_single_line_of_a_strand_is_missed(day: Day) -> None:
    files = verify.unpack(day.bundle())
    for party in ("BLUE", "GREEN"):
        theirs = lines(files, party)
        for n in range(len(theirs)):
            bent = resealed(with_lines(files, party, theirs[:n] + theirs[n + 1 :]), day.pair.blue.keys.node)
            found = verify.judged(bent)
            assert found["verdict"] == "refused"
            assert found["file"].startswith(f"strands/{party}/")


def test_a_bundle_forged_whole_is_integrity_only_and_fails_under_trust(day: Day) -> None:
    class Forger(Day):
        pass

    from tests import pair

    real = pair.Keys._key
    try:
        pair.Keys._key = lambda self, name: real(self, name + " forged")  # type: ignore[method-assign]
        forged = Forger().bundle()
    finally:
        pair.Keys._key = real  # type: ignore[method-assign]
    root = verify.sha256(day.pair.green.keys.root.public.encode())
    assert verify.judged(forged)["verdict"] == "integrity only"
    assert verify.judged(forged, [root])["verdict"] == "refused"
    honest = verify.judged(day.bundle(), [root])
    assert honest["verdict"] == "trusted"
    assert honest["meaning"] == "these are the keys of GREEN"


def test_trust_takes_capitals_and_the_words_that_were_read_aloud(day: Day) -> None:
    from wideberth.fingerprint import fingerprint_words

    data = day.bundle()
    green = day.pair.green.keys.root.public
    assert verify.judged(data, [verify.sha256(green.encode()).upper()])["verdict"] == "trusted"
    assert evidence.verdict(data, [fingerprint_words(green).upper()])["verdict"] == "trusted"
    words = fingerprint_words(day.pair.green.keys.node.public)
    assert evidence.verdict(data, [words])["verdict"] == "refused"


def test_the_file_alone_runs_without_our_package_and_without_pynacl(day: Day, tmp_path: Path) -> None:
    files = verify.unpack(day.bundle(with_verifier=True))
    script, good, bad = tmp_path / "verify.py", tmp_path / "good.zip", tmp_path / "bad.zip"
    script.write_bytes(files["verify.py"])
    good.write_bytes(day.bundle())
    bad.write_bytes(next(data for _, data in flips(day.bundle())))
    root = verify.sha256(day.pair.blue.keys.root.public.encode())

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-I", "-S", str(script), *options], capture_output=True, text=True)

    fine = run(str(good), "--trust", root, "--json")
    assert (fine.returncode, json.loads(fine.stdout)["verdict"], fine.stderr) == (0, "trusted", "")
    assert run(str(good)).stdout.startswith("verdict: integrity only\nmeaning: it is NOT proven whose keys these are\n")
    refused = run(str(bad))
    assert refused.returncode == 1
    assert refused.stdout.startswith("verdict: refused\nfile: ")
    assert run(str(good), "--trust", "00" * 32).returncode == 1
    assert run(str(tmp_path / "none.zip")).returncode == 2
    assert run().returncode == 2


@pytest.mark.parametrize("ours", [False, True], ids=["the file alone", "wideberth verify"])
def test_progress_is_shown_on_a_terminal_and_nowhere_else(day: Day, tmp_path: Path, ours: bool) -> None:
    good = tmp_path / "good.zip"
    good.write_bytes(day.bundle())
    start = "from wideberth.cli.main import run; run()"
    command = [sys.executable, "-c", start, "verify"] if ours else [sys.executable, verify.__file__]

    def on_terminal(*options: str) -> str:
        theirs, terminal = pty.openpty()
        try:
            done = subprocess.run([*command, str(good), *options], stdout=subprocess.PIPE, stderr=terminal, check=False,
                                  env={**os.environ, "TERM": "xterm"})  # fmt: skip
            assert b"integrity only" in done.stdout.lower()
            os.write(terminal, b"|")  # so that there is something to read
            return os.read(theirs, 65_536).decode()
        finally:
            os.close(terminal)
            os.close(theirs)

    assert f"{'7/7' if ours else '7 of 7 entries'}" in on_terminal()
    assert on_terminal("--json") == "|"
    piped = subprocess.run([*command, str(good)], capture_output=True, text=True, check=False)
    assert (piped.returncode, piped.stderr) == (0, "")


def test_the_verifier_is_one_file_of_under_500_lines_on_the_standard_library() -> None:
    source = Path(verify.__file__).read_text("utf-8")
    assert len(source.splitlines()) < 500
    tree = ast.parse(source)
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in named} - sys.stdlib_module_names == {"nacl"}
    for word in ("socket", "urllib", "http.client", "subprocess", "requests"):
        assert f"import {word}" not in source


@needs_node
def test_both_verifiers_agree_on_every_tampering(day: Day, whole: bytes, part: bytes, tmp_path: Path) -> None:
    bundles = [whole, part, day.bundle(bundle.one_entry(day.notice.hash), party="GREEN")]
    for data in (day.bundle(), day.bundle(bundle.by_time(0, day.entries("GREEN")[2].stored_ms + 1))):
        bundles += [bent for bent, _ in bent_by_the_exporter(day, data).values()]
    bundles += [bent for _, bent in flips(part)[:300]]
    chance = random.Random(11)
    files = verify.unpack(part)
    for _ in range(200):
        name = chance.choice(sorted(files))
        bent = bytearray(files[name])
        bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        bundles.append(resealed({**files, name: bytes(bent)}, day.pair.blue.keys.node)
                       if name != "manifest.json" and chance.random() < 0.7
                       else verify.pack({**files, name: bytes(bent)}))  # fmt: skip
    second = second_verdicts(tmp_path, bundles)
    for data, theirs in zip(bundles, second, strict=True):
        assert brief(verify.judged(data)) == brief(theirs)
    root = verify.sha256(day.pair.green.keys.root.public.encode())
    verdicts = [v["verdict"] for v in second_verdicts(tmp_path, bundles[:3], "--trust", root)]
    assert verdicts == ["trusted"] * 3
