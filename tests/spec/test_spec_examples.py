# SPDX-License-Identifier: Apache-2.0
"""The examples of `spec/` are what the code writes, and what it reads. To bring them up to a change that is meant:
`python tests/spec/first_notice.py`, and say in CHANGELOG.md that the format changed.
"""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from first_notice import EXAMPLE, SPEC, VECTOR, build, find, wrapped

from wideberth.core.carry.strand import Fit, Strand
from wideberth.core.say.words import EpochOpened
from wideberth.core.seal import entry as entries
from wideberth.core.seal import heads
from wideberth.core.seal import receipt as receipts
from wideberth.core.seal.agreement import channel_id, read_agreement
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.party import Keys, read_card
from wideberth.errors import BadSignature, Malformed

VERIFIER = Ed25519Verifier()
PAGES = sorted(SPEC.glob("*.md"), key=lambda page: int(page.name.partition("-")[0]))


def test_the_vector_is_what_the_code_writes() -> None:
    assert json.loads(VECTOR.read_text(encoding="utf-8")) == build()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_in_the_pages_are_those_of_the_vector(page) -> None:  # type: ignore[no-untyped-def]
    built = build()
    blocks = EXAMPLE.findall(page.read_text(encoding="utf-8"))
    assert blocks
    for _, name, shown, _ in blocks:
        assert "".join(shown.split("\n")) == find(built, name), name


def test_there_are_pages_and_breaking_lines_loses_nothing() -> None:
    assert [p.name.partition("-")[0] for p in PAGES][:4] == ["1", "2", "3", "4"]
    text = build()["strands"]["BLUE"][1]["body"]
    assert wrapped(text) != text
    assert "".join(wrapped(text).split("\n")) == text


def test_every_entry_of_the_vector_reads_back_and_says_what_it_said() -> None:
    vector = json.loads(VECTOR.read_text(encoding="utf-8"))
    cards = {party: read_card(c["envelope"].encode(), VERIFIER) for party, c in vector["cards"].items()}
    agreement, _, _ = read_agreement(vector["agreement"]["envelope"].encode(), VERIFIER)
    assert channel_id(agreement) == vector["agreement"]["ch"]
    kinds = []
    for party, strand in vector["strands"].items():
        prev = entries.NO_PREV
        for shown in strand:
            entry, sealed, payload = entries.read(shown["envelope"].encode(), shown["body"].encode())
            entries.check(entry, sealed, payload, cards[party], VERIFIER)
            said = entries.open_body(entry, Keys(cards[party]), VERIFIER)
            assert isinstance(said, entries.Said)
            assert (payload.decode(), entry.hash, entry.header.prev) == (shown["payload"], shown["hash"], prev)
            prev = entry.hash
            kinds.append(entries.kind_of(said.what))
    assert kinds == ["epoch", "notice", "epoch", "ack"]
    held, sealed, payload = receipts.read(vector["receipt"]["envelope"].encode())
    receipts.check(held, sealed, payload, cards["GREEN"].node, VERIFIER)
    assert held.head == vector["strands"]["BLUE"][1]["hash"]


def test_the_hashes_follow_from_the_page_with_nothing_but_a_hash_function() -> None:
    """What spec/2 says, without our code: payload to hash, body to body_sha256, PAE to the length of its payload."""
    vector = json.loads(VECTOR.read_text(encoding="utf-8"))
    for strand in vector["strands"].values():
        for shown in strand:
            envelope = json.loads(shown["envelope"])
            payload = base64.b64decode(envelope["payload"])
            assert hashlib.sha256(payload).hexdigest() == shown["hash"]
            assert json.loads(payload)["body_sha256"] == hashlib.sha256(shown["body"].encode()).hexdigest()
    payload = vector["strands"]["BLUE"][1]["payload"]
    assert vector["pae"] == f"DSSEv1 36 application/vnd.wideberth.entry+json {len(payload)} {payload}"
    founding = vector["agreement"]
    agreed = json.loads(founding["payload"])
    named = {
        "founding": hashlib.sha256(founding["payload"].encode()).hexdigest(),
        "mode": agreed["mode"],
        "purpose": agreed["lines"][0]["purpose"],
        "roots": [member["root"] for member in agreed["members"]],  # every member is on its one line
    }
    text = json.dumps(named, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == founding["ch"]


@pytest.mark.parametrize(
    ("what", "change", "fault"),
    [
        ("body", ("BLU-0001-E", "BLU-0001-F"), Malformed),
        ("envelope", ('"keyid":"', '"keyid":"0'), BadSignature),
        ("envelope", ('{"payload"', '{ "payload"'), Malformed),
    ],
)
def test_a_changed_vector_is_refused(what: str, change: tuple[str, str], fault: type[Exception]) -> None:
    vector = json.loads(VECTOR.read_text(encoding="utf-8"))
    shown = dict(vector["strands"]["BLUE"][1])
    assert change[0] in shown[what]
    shown[what] = shown[what].replace(*change, 1)
    card = read_card(vector["cards"]["BLUE"]["envelope"].encode(), VERIFIER)

    def read() -> None:
        entry, sealed, payload = entries.read(shown["envelope"].encode(), shown["body"].encode())
        entries.check(entry, sealed, payload, card, VERIFIER)

    with pytest.raises(fault):
        read()


def test_the_restore_of_the_vector_is_one_that_a_strand_takes() -> None:
    """Question and answer verify, the supervisor's opening too, and it continues the strand; without its predecessor
    it waits."""
    vector = json.loads(VECTOR.read_text(encoding="utf-8"))
    cards = {party: read_card(c["envelope"].encode(), VERIFIER) for party, c in vector["cards"].items()}
    said = {}
    for name, party in (("question", "BLUE"), ("answer", "GREEN")):
        said[name], sealed, payload = heads.read(vector["restore"][name]["envelope"].encode())
        heads.check(said[name], sealed, payload, cards[party].node, VERIFIER)
    assert (said["question"].restored, said["answer"].answers) == (True, said["question"].nonce)
    strand = Strand("BLUE")
    opened = []
    shown = [*vector["strands"]["BLUE"], vector["restore"]["opening"]]
    for n, each in enumerate(shown):
        entry, sealed, payload = entries.read(each["envelope"].encode(), each["body"].encode())
        entries.check(entry, sealed, payload, cards["BLUE"], VERIFIER)
        word = entries.open_body(entry, Keys(cards["BLUE"]), VERIFIER)
        assert isinstance(word, entries.Said)
        opens = word.what.predecessor if isinstance(word.what, EpochOpened) else None
        if n == 2:
            assert word.what.fences == {"GREEN": said["answer"].holds["BLUE"][0]}  # type: ignore[union-attr]
            short = Strand("BLUE")
            short.append(*opened[0])
            assert short.fit(entry, opens) is Fit.GAP
        assert strand.fit(entry, opens) is Fit.NEXT
        opened.append((entry.header, entry.hash, opens))
        strand.append(*opened[-1])
    assert (len(strand.epochs), strand.linear, strand.orphans()) == (2, True, ())
