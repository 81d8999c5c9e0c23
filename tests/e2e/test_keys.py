# SPDX-License-Identifier: Apache-2.0
"""Keys that change between real nodes, as docs/keys.md has it: rotated, stolen, lost with the machine, and a node that
is killed in the midst of it. Afterwards both records are audited whole, and evidence of all that was said verifies."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.cliworld import wideberth
from tests.e2e.nodes import NodeProcess, Two
from tests.e2e.test_restore_drills import done, give, put_back, recovered
from wideberth import home, rekey
from wideberth.core.records import EntryRecord
from wideberth.errors import BadInput, NotFound
from wideberth.store.reader import Reader


@pytest.fixture
def two() -> Iterator[Two]:
    with Two(clock="2030-01-01T18:30:00Z") as made:
        yield made


def certify(two: Two, node: NodeProcess, *rotate: str) -> dict[str, str]:
    """Fresh keys in the folder and a card that the root signed for them; nothing of it holds yet."""
    loaded = home.load(node.folder)
    _, sealed = rekey.change(loaded, rekey.Rekey(rotate=rotate), entropy=os.urandom, now_ms=two.now_ms)
    return {"card": sealed.encoded().decode(), "by": ""}


def rotate(two: Two, node: NodeProcess, *uses: str) -> list[dict[str, Any]]:
    return list(node.post("/v1/keys/card", certify(two, node, *uses)))


def holds(node: NodeProcess) -> dict[str, Any]:
    return dict(node.get("/v1/keys")[0])


def whole(two: Two, tmp_path: Path) -> None:
    """At rest and stopped: audits find nothing, and a bundle of each side verifies."""
    refs = [sorted(n["ref"] for n in node.get("/v1/notices", all=1)) for node in two.nodes]
    assert refs[0] == refs[1]
    accused = [f for node in two.nodes for f in node.told("fault") if f["whose"] == "theirs"]
    assert not accused, accused
    for node in two.nodes:
        node.stop()
    strands = [node.strands() for node in two.nodes]
    for author in ("BLUE", "GREEN"):
        assert sorted(strands[0][author]) == sorted(strands[1][author])
    for node in two.nodes:
        audited = wideberth("--dir", str(node.folder), "doctor", "--audit")
        assert audited.code == 0, audited.out + audited.err
        file = tmp_path / f"{node.party}.zip"
        made = wideberth("--dir", str(node.folder), "evidence", "--out", str(file), "--json")
        assert made.code == 0, made.err
        verdict = wideberth("verify", str(file), "--json")
        assert verdict.data[0]["verdict"] == "integrity only", verdict.out


def test_every_key_is_rotated_while_the_nodes_run(two: Two, tmp_path: Path) -> None:
    give(two.blue, 35.0)
    two.settle()
    for n, uses in enumerate((("post/watch-1",), ("node",), ("seal",), ("node", "seal", "post/watch-1")), 2):
        assert [w["kind"] for w in rotate(two, two.blue, *uses)] == ["card"]
        assert (holds(two.blue)["version"], holds(two.blue)["can_sign"]) == (n, True)
        give(two.blue, 35.0 + n / 10)
        two.settle()
        two.green.waits_for("keys", party="BLUE", version=n)
        two.green.command("ack", ref=two.green.get("/v1/notices")[0]["ref"])
        two.settle()
    checked = two.blue.post("/v1/check", {"wait_s": 5})
    assert checked[0]["cosigned"] == checked[0]["entries"], (
        "line checks and checkpoints are signed with the keys of now"
    )
    two.blue.kill()
    two.restart(two.blue)
    assert holds(two.blue)["version"] == 5
    give(two.blue, 35.9)
    two.settle()
    whole(two, tmp_path)


def test_a_stolen_post_is_out_with_one_command_and_everybody_ignores_it(two: Two, tmp_path: Path) -> None:
    first = give(two.blue, 35.0)
    two.settle()
    revoke = {"post": "watch-1", "by": "supervisor", "text": "laptop stolen"}
    with pytest.raises(BadInput, match="supervisor"):
        two.blue.post("/v1/keys/revoke", {**revoke, "by": "watch-1"})
    assert [w["kind"] for w in two.blue.post("/v1/keys/revoke", revoke)] == ["revoke"]
    assert two.blue.post("/v1/keys/revoke", revoke) == [], "twice does no harm"
    with pytest.raises(NotFound):
        two.blue.post("/v1/keys/revoke", {**revoke, "post": "nobody"})
    two.settle()
    with pytest.raises(BadInput, match="revoked at entry 3"):
        give(two.blue, 35.4)
    heard = two.green.waits_for("heard", kind="revoke")
    assert "laptop stolen" in heard["sentence"]
    assert two.green.notice(first)["versions"], "what came before stands"
    rotate(two, two.blue, "post/watch-1")
    give(two.blue, 35.8)
    two.settle()
    whole(two, tmp_path)


def test_the_node_key_is_lost_with_the_machine(two: Two, tmp_path: Path) -> None:
    """docs/keys.md: another node key, certified by the root; the backup put back; the node goes on."""
    kept = give(two.blue, 35.0)
    two.settle()
    done(two.blue, "backup", str(tmp_path / "old.db"))
    after = give(two.blue, 35.4)
    two.settle()
    two.blue.kill()
    for file in (two.blue.folder / "keys").glob("node*.seed"):
        file.unlink()
    refused = wideberth("--dir", str(two.blue.folder), "restore", str(tmp_path / "old.db"), "--as", "supervisor",
                        "--reason", "the machine burnt")  # fmt: skip
    assert refused.code != 0
    certify(two, two.blue, "node")
    put_back(two, two.blue, tmp_path / "old.db")
    with pytest.raises(BadInput, match="waits for GREEN"):
        give(two.blue, 35.8)
    alert = two.blue.command("alert", text="under the new key")["ref"]
    recovered(two)
    assert alert in {r["ref"] for r in two.green.told("heard", kind="alert")}
    give(two.blue, 35.8)
    recovered(two)
    assert {kept, after} <= {n["ref"] for n in two.blue.get("/v1/notices", all=1)}
    assert (holds(two.blue)["version"], holds(two.blue)["can_sign"]) == (2, True)
    assert two.green.told("keys", party="BLUE", version=2)
    whole(two, tmp_path)


def test_a_node_killed_while_its_keys_change_goes_on_with_those_that_its_record_says(two: Two, tmp_path: Path) -> None:
    chance = random.Random(20300101)
    versions = 1
    for n in range(6):
        card = certify(two, two.blue, "node", "post/watch-1")
        versions += 1
        pid = os.fork()
        if pid == 0:
            try:
                two.blue.post("/v1/keys/card", card)
            except BaseException:
                os._exit(1)
            os._exit(0)
        time.sleep(chance.uniform(0, 0.03))
        two.blue.kill()
        os.waitpid(pid, 0)
        two.restart(two.blue)
        # Whichever it was: what the record says can be signed, and asking again does the rest.
        assert holds(two.blue)["can_sign"]
        two.blue.command("alert", text=f"after kill {n}")
        two.blue.post("/v1/keys/card", card)
        assert holds(two.blue)["version"] == versions
        give(two.blue, 34.8 + n / 5)
        two.later_until(two.settled, "GREEN holds everything")
    cards = [r for r in records(two.green) if r.author == "BLUE" and r.type == "card"]
    assert len(cards) == versions - 1
    whole(two, tmp_path)


def records(node: NodeProcess) -> list[EntryRecord]:
    with Reader(node.home.record_path) as reader:
        return [r for r in reader.channel(reader.channels()[0]) if isinstance(r, EntryRecord)]
