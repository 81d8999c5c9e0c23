# SPDX-License-Identifier: Apache-2.0
"""Two real nodes; one of them has its checkpoints stamped by a real TSA, which then breaks."""

from __future__ import annotations

import msgspec
from tests.e2e.nodes import Two, until
from tsaworld import serving

from wideberth import home
from wideberth.core.records import SidecarRecord
from wideberth.core.seal import checkpoint
from wideberth.stamps import KIND, check_token, imprints, read_roots, token_in


def names(node) -> list[str]:
    node.told_up_to_now()
    return [t["fault"] for t in node.told("fault") if t["fault"] in ("NoStamp", "StampsAgain")]


def say(node) -> int:
    """One more entry and a check; how many entries the node has said."""
    node.give(circle="36.20N 37.15E", radius="15km", **{"from": "+1h", "until": "+2h"})
    node.post("/v1/check", {"wait_s": 0})
    return int(node.line["seq"])


def stamped(node, size: int) -> None:
    until(lambda: (node.line["stamp"] or {}).get("size") == size, f"a stamp over {size} entries")


def test_a_node_with_a_tsa_keeps_stamps_and_goes_on_without_it(authority):
    with serving(authority) as tsa:
        two = Two(clock="")
        folder = two.blue.folder
        (folder / "tsa-root.pem").write_bytes(authority.root.read_bytes())
        found = home.load(folder)
        found.save(msgspec.structs.replace(found.config, tsa=(tsa.url,), tsa_roots=("tsa-root.pem",)))
        with two:
            first = say(two.blue)
            stamped(two.blue, first)
            assert two.green.line["stamp"] is None
            tsa.behave = tsa.breaks
            for _ in range(2):
                second = say(two.blue)
                until(lambda: names(two.blue) == ["NoStamp"], "the failure is told")
            two.settle()  # every word arrived all the same
            assert names(two.blue) == ["NoStamp"]
            tsa.behave = tsa.well
            two.blue.post("/v1/check", {"wait_s": 0})
            stamped(two.blue, second)
            assert names(two.blue) == ["NoStamp", "StampsAgain"]
            two.blue.stop()
            records = [r for r in two.blue.records() if isinstance(r, SidecarRecord)]
            asked = tsa.asked
            two.restart(two.blue)
            assert two.blue.line["stamp"]["size"] == second
            two.blue.post("/v1/check", {"wait_s": 0})
        assert tsa.asked == asked
    roots = read_roots([("root", authority.root.read_bytes())])
    texts = {checkpoint.read(r.envelope)[0].text() for r in records if r.kind == checkpoint.KIND}
    tokens = [token_in(r.envelope) for r in records if r.kind == KIND]
    assert len(tokens) >= 2
    for token in tokens:
        (text,) = [t for t in texts if imprints(token, t)]
        check_token(token, text, roots)


def test_a_node_whose_roots_are_missing_starts_and_says_so(authority):
    two = Two(clock="")
    found = home.load(two.blue.folder)
    found.save(msgspec.structs.replace(found.config, tsa=("http://127.0.0.1:9/",), tsa_roots=("gone.pem",)))
    with two:
        two.blue.told_up_to_now()
        (told,) = two.blue.told("fault", fault="NoStamp")
        assert "gone.pem" in told["sentence"]
        assert told["whose"] == "ours"
