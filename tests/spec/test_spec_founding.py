# SPDX-License-Identifier: Apache-2.0
"""The files of a meeting of three are those of `spec/vectors/founding.json`, and what stands there is read."""

from __future__ import annotations

import json

from founding_vectors import NAMES, VECTOR, build

from wideberth.core.seal import founding
from wideberth.core.seal.agreement import channel_id, read_agreement
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier

VERIFIER = Ed25519Verifier()


def test_the_vector_is_what_the_code_writes() -> None:
    assert json.loads(VECTOR.read_text(encoding="utf-8")) == build()


def test_every_file_of_the_vector_reads_back_and_belongs_to_the_others() -> None:
    vector = json.loads(VECTOR.read_text(encoding="utf-8"))
    file = founding.parse_file(vector["founding"].encode())
    assert isinstance(file, founding.FoundingFile)
    founder, offered, digest = founding.read_founding(file, VERIFIER)
    assert digest == vector["founding_hash"]
    assert offered.with_nodes == NAMES
    for name, text in vector["joining"].items():
        joining = founding.parse_file(text.encode())
        assert isinstance(joining, founding.JoiningFile)
        card, meant = founding.read_joining(joining, VERIFIER)
        assert (card.party, meant) == (name, digest)
        assert card.root == Ed25519Signer(bytes.fromhex(vector["seeds"][name])).public
    charter = founding.parse_file(vector["charter"].encode())
    assert isinstance(charter, founding.CharterFile)
    assert sorted(founding.read_charter(charter, offered, founder, VERIFIER)) == list(NAMES)
    whole, missing = charter.agreement, {"AMBER", "GREEN"}
    for text in vector["signature"].values():
        signature = founding.parse_file(text.encode())
        assert isinstance(signature, founding.SignatureFile)
        whole, names = founding.merge(whole, signature, VERIFIER)
        missing -= set(names)
    assert not missing
    agreement, _, _ = read_agreement(vector["agreement"].encode(), VERIFIER)
    assert {line.purpose.value: channel_id(agreement, line) for line in agreement.lines} == vector["channels"]
