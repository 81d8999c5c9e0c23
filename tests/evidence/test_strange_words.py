# SPDX-License-Identifier: Apache-2.0
"""Words of any shape, well signed: a report never fails on them, and both verifiers write the same one."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from evidenceworld import Day
from tamper import NODE, brief, second_verdicts

from wideberth import evidence
from wideberth.core import events as ev
from wideberth.core.effects import entry_record
from wideberth.core.say.notice import ShortForm, accident
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.words import Cause, Hazard, NoticeType
from wideberth.core.seal import bundle, canonical, envelope
from wideberth.core.seal import entry as entries
from wideberth.core.seal.envelope import STATEMENT, Signature
from wideberth.core.seal.keys import b64, key_id
from wideberth.verifier import verify

INTEGERS = (0, -1, 1, 999, -999, 1_000, 10**9, -(10**9), 2**53 - 1, -(2**53) + 1, 253402300799999, 253402300800000)
TEXTS = (
    "",
    "circle",
    "polygon",
    "corridor",
    "SFC",
    "é",
    "\u202e",
    "\x7f\x85",
    "<b>&\"'",
    "\U0001f6e9",
    "\u2028",
    "a\nb",
)
FIELDS = ("terms", "volumes", "shape", "kind", "centre", "corners", "route", "radius_mm", "half_width_mm", "start_ms",
          "lower", "mm", "ref", "x_ms", "__proto__", "1", "0")  # fmt: skip


def anything(chance: random.Random, depth: int) -> Any:
    match chance.randrange(9 if depth else 5):
        case 0 | 1:
            return chance.choice(INTEGERS)
        case 2:
            return chance.choice(TEXTS)
        case 3:
            return chance.choice((True, False, None))
        case 4:
            return [chance.choice(INTEGERS), chance.choice(INTEGERS)]
        case 5 | 6:
            return [anything(chance, depth - 1) for _ in range(chance.randrange(4))]
        case _:
            return {chance.choice(FIELDS): anything(chance, depth - 1) for _ in range(chance.randrange(4))}


def shape(chance: random.Random) -> Any:
    """Often a shape that can be drawn, at any place on Earth or beyond it."""
    point = [chance.randrange(-(2**53), 2**53) >> chance.randrange(40) for _ in range(2)]
    near = [point[0] + chance.randrange(-(10**9), 10**9), point[1] + chance.randrange(-(10**9), 10**9)]
    drawn = {
        "circle": {"kind": "circle", "centre": point, "radius_mm": chance.choice(INTEGERS)},
        "polygon": {"kind": "polygon", "corners": [point, near, [0, 0]][: chance.randrange(4)]},
        "corridor": {"kind": "corridor", "route": [near, point], "half_width_mm": chance.choice(INTEGERS)},
    }
    whole = drawn[chance.choice(sorted(drawn))]
    if chance.random() < 0.2:
        whole[chance.choice(sorted(whole))] = anything(chance, 2)
    return whole


@pytest.fixture(scope="module")
def strange() -> list[bytes]:
    day = Day(seed="strange words")
    chance = random.Random(3)
    blue, made = day.pair.blue, []
    post = blue.keys.post("watch-1")
    assert post is not None
    channel = blue.node.lines[day.ch].channel
    for _ in range(40):
        kept = day.kept()
        strand = next(s for (author, _), s in kept.strands.items() if author == "BLUE")
        for _ in range(5):
            volumes = [{"shape": shape(chance)} for _ in range(chance.randrange(1, 3))]
            terms = {"volumes": volumes} if chance.random() < 0.7 else anything(chance, 5)
            more = {chance.choice(FIELDS[4:]): anything(chance, 5)}
            what = {**more, "kind": "notice", "terms": terms}
            said = canonical.encode({"by": "BLUE/watch-1", "ch": day.ch, "t_ms": 1, "what": what})
            sig = Signature(key_id(post.public), b64(post.sign(envelope.pae(STATEMENT, said))))
            body = entries.pack_body(said, sig, bytes(16))
            last = strand[-1]
            agr = channel.versions.hash
            header = entries.Header(1, "notice", day.ch, agr, "BLUE", "BLUE/watch-1", last.epoch, last.seq + 1,
                                    last.hash, {}, chance.choice([i for i in INTEGERS if i >= 0]),
                                    canonical.sha256(body))  # fmt: skip
            strand.append(entry_record(entries.seal(header, body, blue.keys.node), 1))
        made.append(evidence.make(kept, party="BLUE", node=blue.keys.node, t_ms=day.pair.now.t_ms,
                                  selection=bundle.whole_channel(), with_verifier=False))  # fmt: skip
    return made


@pytest.fixture(scope="module")
def live() -> bytes:
    """Every word of live safety, said by real nodes."""
    day = Day(seed="live safety")
    pair, ch, green, blue = day.pair, day.ch, "GREEN/watch-1", "BLUE/watch-1"
    form = ShortForm("+999", 5_000_000, Altitude.surface(), Altitude.unlimited())
    here, now = Point.at(36, 36), pair.now.t_ms

    def short(type_: NoticeType) -> ev.GiveNotice:
        terms = accident(Hazard.UNSPECIFIED, here, now + 7_200_000, form, now_ms=now, type_=type_)
        return ev.GiveNotice(ch, green, terms)

    day.say(pair.green, short(NoticeType.HOLD_OFF))
    held = bundle.what_of(day.newest("GREEN"))["ref"]
    day.say(pair.green, short(NoticeType.UNANNOUNCED_TRAFFIC))
    seen = bundle.what_of(day.newest("GREEN"))["ref"]
    day.say(pair.blue, ev.Acknowledge(ch, blue, held))
    day.say(pair.blue, ev.Report(ch, blue, day.ref, "SUSPENDED", 0, seen))
    day.say(pair.blue, ev.Report(ch, blue, day.ref, "RESTORED"))
    thread = pair.blue.node.lines[ch].board.find(day.ref)
    assert thread is not None
    assert thread.terms is not None
    farther = msgspec.structs.replace(thread.terms, expires_ms=now + 9_000_000)
    day.say(pair.blue, ev.DeclareOffNominal(ch, blue, day.ref, Cause.LOST_LINK, farther))
    day.say(pair.blue, ev.AskWhose(ch, blue, here, Altitude.surface(), Altitude.unlimited()))
    day.say(pair.green, ev.SayWhose(ch, green, day.newest("BLUE").hash, "UNKNOWN"))
    kinds = {record.type for party in ("BLUE", "GREEN") for record in day.entries(party)}
    assert {"notice", "ack", "report", "offnominal", "whose", "owner"} <= kinds
    return evidence.make(day.kept(), party="BLUE", node=pair.blue.keys.node, t_ms=pair.now.t_ms,
                         selection=bundle.whole_channel(), with_verifier=False)  # fmt: skip


def test_every_word_of_live_safety_verifies(live: bytes) -> None:
    assert verify.judged(live)["verdict"] == "integrity only"


@pytest.mark.skipif(NODE is None, reason="node is not installed: the verifier in JavaScript cannot run")
def test_both_verifiers_agree_about_every_word_of_live_safety(live: bytes, tmp_path: Path) -> None:
    (theirs,) = second_verdicts(tmp_path, [live])
    assert brief(verify.judged(live)) == brief(theirs)


def test_a_report_of_any_words_is_written_and_verifies(strange: list[bytes]) -> None:
    drawn = 0
    for data in strange:
        assert verify.judged(data)["verdict"] == "integrity only"
        drawn += verify.unpack(data)["report.html"].count(b"<svg")
    assert drawn > len(strange) * 3


@pytest.mark.skipif(NODE is None, reason="node is not installed: the verifier in JavaScript cannot run")
def test_both_verifiers_write_the_same_report_of_any_words(strange: list[bytes], tmp_path: Path) -> None:
    for data, theirs in zip(strange, second_verdicts(tmp_path, strange), strict=True):
        assert brief(verify.judged(data)) == brief(theirs), theirs
