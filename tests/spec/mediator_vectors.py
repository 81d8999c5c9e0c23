# SPDX-License-Identifier: Apache-2.0
"""The vector of spec/7: one delivery through a mediator and back, and what is to be made of changed ones.

`python tests/spec/mediator_vectors.py` writes `spec/vectors/mediator.json` and the examples of `spec/7-mediator.md`.
"""

# ruff: noqa: E402
from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from first_notice import SPEC, wrapped

from wideberth.core.seal import canonical, mediation
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.core.seal.mediation import Slip, Stamp
from wideberth.link.delivery import MAGIC
from wideberth.link.wrapper import Wrapper, pack

VECTOR = SPEC / "vectors" / "mediator.json"
PAGE = SPEC / "7-mediator.md"
SHOWN = re.compile(r"(<!-- mediator: ([\w/]+) -->\n```\w*\n)(.*?)(\n```)", re.DOTALL)

T_MS = 1_936_483_800_000


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def sealed(ch: str, sender: str, to: str, inside: bytes) -> bytes:
    """A delivery's address, and in place of the seal (which no vector can fix: it is random) some bytes."""
    names = b"".join(len(n).to_bytes(2, "big") + n for n in (sender.encode(), to.encode()))
    return MAGIC + bytes.fromhex(ch) + b"\x07" * 8 + names + inside


def make() -> dict[str, Any]:
    ch = "5a" * 32
    blue, green, host = (Ed25519Signer(bytes([n]) * 32) for n in (0x71, 0x72, 0x73))
    there = sealed(ch, "BLUE", "GREEN", b"a question" + bytes(22))
    back = sealed(ch, "GREEN", "BLUE", b"an answer" + bytes(23))
    changed = there[:-1] + b"\x01"

    def slip(data: bytes, node: Ed25519Signer = blue, answers: str = "") -> bytes:
        way = ("BLUE", "GREEN") if not answers else ("GREEN", "BLUE")
        t_ms = T_MS + (700 if answers else 0)
        return mediation.sign_slip(Slip(1, ch, *way, canonical.sha256(data), t_ms, answers), node)

    def stamp(data: bytes, with_slip: bytes, way: tuple[str, str] = ("BLUE", "GREEN"), why: str = "") -> bytes:
        received = T_MS + (800 if way[0] == "GREEN" else 400)
        times = (received, 0 if why else received + 1)
        said = Stamp(1, ch, *way, canonical.sha256(data), "HOST", canonical.sha256(with_slip), *times, why)
        return mediation.sign_stamp(said, host)

    asked = slip(there)
    answered = slip(back, green, canonical.sha256(there))
    stamped, stamped_back = stamp(there, asked), stamp(back, answered, ("GREEN", "BLUE"))

    def case(what: str, ends: str, data: bytes, with_slip: bytes, with_stamp: bytes) -> dict[str, str]:
        wire = pack(Wrapper(with_slip, data, with_stamp))
        return {"what": what, "ends": ends, "wrapper": b64(wire)}

    swapped = slip(changed)
    forged = in_name_of(slip(changed), slip(changed, host))
    newer = slip(there, green)
    return {
        "ch": ch,
        "node_keys": {"BLUE": blue.public, "GREEN": green.public},
        "mediator_key": host.public,
        "slip": {"payload": payload(asked), "envelope": asked.decode()},
        "stamp": {"payload": payload(stamped), "envelope": stamped.decode()},
        "not_passed_on": stamp(there, asked, why="UNREACHABLE").decode(),
        "answer_slip": {"payload": payload(answered), "envelope": answered.decode()},
        "to_mediator": b64(pack(Wrapper(asked, there))),
        "to_recipient": b64(pack(Wrapper(asked, there, stamped))),
        "from_recipient": b64(pack(Wrapper(answered, back))),
        "to_sender": b64(pack(Wrapper(answered, back, stamped_back, stamped))),
        "handed_over": [
            case("as it was sent", "taken", there, asked, stamped),
            case("a byte changed, and stamped as changed", "HOST", changed, asked, stamp(changed, asked)),
            case("a slip in the sender's name by another", "HOST", changed, forged, stamp(changed, forged)),
            case("a slip under a key that is not known", "opened", there, newer, stamp(there, newer)),
            case("a byte changed behind the stamp", "nobody", changed, asked, stamped),
            case("another slip put under the stamp", "nobody", there, swapped, stamped),
            case("a stamp by somebody else", "nobody", there, asked, stamp_of(blue, there, asked, ch)),
        ],
    }


def stamp_of(key: Ed25519Signer, data: bytes, slip: bytes, ch: str) -> bytes:
    said = Stamp(1, ch, "BLUE", "GREEN", canonical.sha256(data), "HOST", canonical.sha256(slip), T_MS, T_MS)
    return mediation.sign_stamp(said, key)


def in_name_of(envelope: bytes, by: bytes) -> bytes:
    """One envelope's key id with another's signature."""
    made, other = json.loads(envelope), json.loads(by)
    made["signatures"][0]["sig"] = other["signatures"][0]["sig"]
    return canonical.encode(made)


def payload(envelope: bytes) -> str:
    return base64.b64decode(json.loads(envelope)["payload"]).decode()


def shown(made: dict[str, Any], name: str) -> str:
    value: Any = made
    for part in name.split("/"):
        value = value[part]
    return str(value)


def main() -> None:
    made = make()
    VECTOR.write_text(json.dumps(made, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(SHOWN.sub(lambda m: m[1] + wrapped(shown(made, m[2])) + m[4], text), encoding="utf-8")


if __name__ == "__main__":
    main()
    sys.stdout.write(f"{Path(VECTOR).name} and {PAGE.name} are written\n")
