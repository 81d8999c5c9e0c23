# SPDX-License-Identifier: Apache-2.0
"""Makes spec/vectors/founding.json: every file by which three parties found a mechanism, from fixed keys.

`python tests/spec/founding_vectors.py` writes it anew after a change that is meant; say so in CHANGELOG.md.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

SPEC = Path(__file__).resolve().parents[2] / "spec"
VECTOR = SPEC / "vectors" / "founding.json"
NAMES = ("AMBER", "BLUE", "GREEN")


def build() -> dict[str, Any]:
    from wideberth.core.say.rules import Mode, Purpose, Rules
    from wideberth.core.say.volume import Circle
    from wideberth.core.seal import canonical, founding
    from wideberth.core.seal.agreement import LineTerms, channel_id, parse_agreement
    from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
    from wideberth.core.seal.party import Card, Post, read_card, sign_card

    verifier = Ed25519Verifier()

    def signer(name: str) -> Ed25519Signer:
        return Ed25519Signer(hashlib.sha256(f"founding vector {name}".encode()).digest())

    roots = {name: signer(f"{name} root") for name in NAMES}
    cards = {}
    for name, root in roots.items():
        post = Post(signer(f"{name} watch-1").public, supervisor=False)
        card = Card(
            1, name, root.public, 1, signer(f"{name} node").public,
            f"x25519-sha256-aes256gcm:{signer(f'{name} sealing').public}", f"https://{name.lower()}.example:7443", "",
            "", {"watch-1": post}, contact="+999 555 0110",
        )  # fmt: skip
        cards[name] = sign_card(card, root)
    offered = founding.Founding(
        1, "COAST", Mode.EXERCISE,
        (founding.Seat("AMBER"), founding.Seat("BLUE"), founding.Seat("GREEN", speaks_for=("ALFA", "BRAVO")),
         founding.Seat("WHITE", by_voice=True)),
        (LineTerms(Purpose.FLIGHT_SAFETY, (*NAMES, "WHITE")), LineTerms(Purpose.GROUND, ("BLUE", "GREEN"))),
        Rules(area=Circle.at(lat=41, lng=-38.5, radius_nm=60)), 1_936_483_200_000, "0b" * 16,
    )  # fmt: skip
    file = founding.make_founding(cards["BLUE"], offered, roots["BLUE"])
    joining = {n: founding.join_founding(file, cards[n], roots[n], verifier) for n in ("AMBER", "GREEN")}
    charter = founding.make_charter(
        offered, [(read_card(c.encoded(), verifier), c) for c in cards.values()], roots["BLUE"]
    )
    whole = charter.agreement
    signatures = {n: founding.sign_charter(charter, roots[n]) for n in ("AMBER", "GREEN")}
    for each in signatures.values():
        whole, _ = founding.merge(whole, each, verifier)
    agreement = parse_agreement(whole.payload_bytes())

    def text(value: msgspec.Struct) -> str:
        return canonical.encode(value).decode()

    return {
        "seeds": {name: hashlib.sha256(f"founding vector {name} root".encode()).hexdigest() for name in NAMES},
        "founding": text(file),
        "founding_hash": canonical.sha256(file.founding.payload_bytes()),
        "joining": {name: text(each) for name, each in joining.items()},
        "charter": text(charter),
        "signature": {name: text(each) for name, each in signatures.items()},
        "agreement": text(whole),
        "channels": {line.purpose.value: channel_id(agreement, line) for line in agreement.lines},
    }


if __name__ == "__main__":
    VECTOR.write_text(json.dumps(build(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"wrote {VECTOR}\n")
