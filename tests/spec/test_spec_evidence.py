# SPDX-License-Identifier: Apache-2.0
"""The vectors of spec/5 and spec/6 are what the code makes, and both verifiers end as they say.

To bring them up to a change that is meant: `python tests/spec/evidence_vectors.py`, and say so in CHANGELOG.md.
"""

from __future__ import annotations

import json

import pytest
from evidence_vectors import CHECKPOINTS, FOLDER, SPEC, bundles, checkpoints, encoded, expected, kept, payload_of
from tamper import NODE, brief, second_verdicts

from wideberth.core.seal import checkpoint
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.merkle import Tree
from wideberth.errors import Malformed
from wideberth.verifier import verify

EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


def test_the_vectors_are_what_the_code_makes() -> None:
    made = bundles()
    assert (FOLDER / "expected.json").read_text(encoding="utf-8") == encoded(expected(made))
    assert sorted(p.stem for p in FOLDER.glob("*.zip")) == sorted(made)
    for name, (data, *_) in made.items():
        assert (FOLDER / f"{name}.zip").read_bytes() == data, name
    assert CHECKPOINTS.read_text(encoding="utf-8") == encoded(checkpoints())


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_vector_ends_as_it_should(name: str) -> None:
    wanted = EXPECTED[name]
    found = verify.judged((FOLDER / f"{name}.zip").read_bytes(), wanted["trust"])
    assert (found["verdict"], found.get("file", "")) == (wanted["verdict"], wanted["file"]), found


@pytest.mark.skipif(NODE is None, reason="node is not installed: the verifier in JavaScript cannot run")
def test_the_second_verifier_ends_each_vector_alike(tmp_path) -> None:  # type: ignore[no-untyped-def]
    for name, wanted in EXPECTED.items():
        data = (FOLDER / f"{name}.zip").read_bytes()
        trust = [word for t in wanted["trust"] for word in ("--trust", t)]
        (second,) = second_verdicts(tmp_path, [data], *trust)
        assert (second["verdict"], second.get("file", "")) == (wanted["verdict"], wanted["file"]), name
        assert brief(second) == brief(verify.judged(data, wanted["trust"])), name


def test_checkpoints_read_or_are_malformed_as_the_vector_says() -> None:
    vector = json.loads(CHECKPOINTS.read_text(encoding="utf-8"))
    head, signed = checkpoint.read(vector["note"].encode())
    keys = vector["keys"]
    checkpoint.check_author(head, signed, [keys["BLUE"]], Ed25519Verifier())
    checkpoint.check_cosigner(head, signed, "GREEN", [keys["GREEN"]], Ed25519Verifier())
    tree = Tree(bytes.fromhex(h) for h in vector["leaves"])
    assert [tree.root(n + 1).hex() for n in range(tree.size)] == vector["roots"]
    assert checkpoint.check_proof(checkpoint.read_proof(vector["proof"].encode()), vector["leaves"][1]) == head
    for name, text in vector["malformed"].items():
        assert text != vector["note"], name
        with pytest.raises(Malformed):
            checkpoint.read(text.encode())
    for case in vector["ed25519"]:
        key, message, sig = (bytes.fromhex(case[k]) for k in ("key", "message", "sig"))
        assert verify.ed25519_in_python(key, message, sig) is case["verifies"], case["name"]


def test_the_texts_in_the_pages_are_those_of_the_vectors() -> None:
    page5 = (SPEC / "5-checkpoint.md").read_text(encoding="utf-8")
    assert json.loads(CHECKPOINTS.read_text(encoding="utf-8"))["note"] in page5
    page6 = (SPEC / "6-evidence.md").read_text(encoding="utf-8")
    files = verify.unpack((FOLDER / "good-channel.zip").read_bytes())
    assert files["report.txt"].decode() in page6
    for name in files:
        assert name.replace("b1" * 16, "EPOCH").replace("91" * 16, "EPOCH").replace("BLUE", "PARTY") in page6 or (
            name.split("/")[0] in page6
        )
    assert payload_of(files["manifest.json"]).startswith('{"ch":')
    assert kept().mechanism == "CAPE-LINE"
    for shape in verify.SHAPES:
        assert f"`{shape}`" in page6, shape
