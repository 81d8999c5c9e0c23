# SPDX-License-Identifier: Apache-2.0
"""The example of `spec/`: BLUE and GREEN open a channel, BLUE gives a notice, GREEN receipts and acknowledges it.

Keys come from seeds of one repeated byte and salts likewise, so that another implementation can make the same bytes.
`python tests/spec/first_notice.py` writes `spec/vectors/first-notice.json`, and the examples in the pages of `spec/`
(the block after `<!-- example: NAME -->`, broken into lines after commas); the test compares both.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wideberth.core.say.place import Altitude, VerticalRef
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.standing import LineCheck, LineCheckAnswer
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Acknowledgement, EpochOpened, Hazard, Notice, NoticeType, Place, Terms, Word
from wideberth.core.seal import canonical, envelope, heads, receipt
from wideberth.core.seal import entry as entries
from wideberth.core.seal.agreement import (
    Agreement,
    Member,
    agreement_hash,
    channel_id,
    countersign,
    one_line,
    sign_agreement,
)
from wideberth.core.seal.entry import NO_PREV, Entry, Header
from wideberth.core.seal.heads import Heads
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.core.seal.party import Card, Post, sign_card
from wideberth.core.seal.receipt import Receipt
from wideberth.link.sealing import CLASSIC, SealingKey

SPEC = Path(__file__).resolve().parents[2] / "spec"
VECTOR = SPEC / "vectors" / "first-notice.json"
EXAMPLE = re.compile(r"(<!-- example: ([\w./-]+) -->\n```\w*\n)(.*?)(\n```)", re.DOTALL)
WIDTH = 112

# One byte, repeated 32 times, is the seed of a key.
SEEDS = {
    "BLUE": {"root": 0x10, "node": 0x11, "watch-1": 0x12, "sealing": 0x13, "supervisor": 0x14},
    "GREEN": {"root": 0x20, "node": 0x21, "watch-1": 0x22, "sealing": 0x23},
}
EPOCHS = {"BLUE": "b1" * 16, "GREEN": "91" * 16}
RESTORED_EPOCH = "b2" * 16


def at(clock: str) -> int:
    """Milliseconds UTC on the day of the example."""
    return int(datetime.fromisoformat(f"2031-05-14T{clock}+00:00").astimezone(UTC).timestamp() * 1000)


def signer(party: str, which: str) -> Ed25519Signer:
    return Ed25519Signer(bytes([SEEDS[party][which]]) * 32)


def card(party: str) -> Card:
    return Card(
        v=1,
        party=party,
        root=signer(party, "root").public,
        version=1,
        node=signer(party, "node").public,
        sealing=SealingKey(CLASSIC, bytes([SEEDS[party]["sealing"]]) * 32).public(),
        url=f"https://{party.lower()}.example:7443",
        tls_sha256="",
        tls_pem="",
        posts={
            post: Post(signer(party, post).public, post == "supervisor")
            for post in SEEDS[party]
            if post not in ("root", "node", "sealing")
        },
        contact="+999 555 0110",
    )


def agreement() -> Agreement:
    return Agreement(
        v=1,
        mechanism="CAPE-LINE",
        version=1,
        mode=Mode.EXERCISE,
        lines=one_line(Purpose.FLIGHT_SAFETY, ("BLUE", "GREEN")),
        members=tuple(Member(party, signer(party, "root").public) for party in ("BLUE", "GREEN")),
        rules=Rules(area=Circle.at(lat="41", lng="-38.5", radius_nm=60)),
        from_ms=at("00:00:00"),
        nonce="0a" * 16,
    )


def terms() -> Terms:
    return Terms(
        type=NoticeType.AREA_ACTIVITY,
        hazard=Hazard.CREWED_AIRCRAFT,
        contact="+999 555 0110",
        volumes=(
            Volume4D(
                Circle.at(lat="41.2", lng="-38.6", radius_nm=7),
                Altitude.surface(),
                Altitude.feet(5000, VerticalRef.AMSL),
                at("09:40:00"),
                at("11:00:00"),
            ),
        ),
        expires_ms=at("11:00:00"),
    )


class Author:
    """One party that writes its strand, as any implementation would."""

    def __init__(self, party: str, ch: str, agr: str) -> None:
        self.party, self.ch, self.agr = party, ch, agr
        self.entries: list[Entry] = []

    def write(self, post: str, what: Word, clock: str, seen: dict[str, Place], epoch: str = "") -> Entry:
        """The next entry; `epoch` opens a new one."""
        key = None if post == "node" else signer(self.party, post)
        by, t_ms, seq = f"{self.party}/{post}", at(clock), 1 if epoch else len(self.entries) + 1
        said, sig = entries.state(by, self.ch, t_ms, what, key)
        body = entries.pack_body(said, sig, bytes([SEEDS[self.party]["root"] + len(self.entries) + 1]) * 16)
        header = Header(
            v=1, type=entries.kind_of(what), ch=self.ch, agr=self.agr, sender=self.party, by=by,
            epoch=epoch or EPOCHS[self.party], seq=seq, prev=NO_PREV if seq == 1 else self.entries[-1].hash, seen=seen,
            t_ms=t_ms, body_sha256=canonical.sha256(body),
        )  # fmt: skip
        self.entries.append(entries.seal(header, body, signer(self.party, "node")))
        return self.entries[-1]


def build() -> dict[str, Any]:
    """Everything of the example, as JSON data. Texts that are signed stand as strings, exactly as signed."""
    signed = agreement()
    sealed = sign_agreement(signed, signer("BLUE", "root"))
    sealed = countersign(sealed, canonical.encode(signed), signer("GREEN", "root"))
    ch, agr = channel_id(signed), agreement_hash(signed)
    blue, green = Author("BLUE", ch, agr), Author("GREEN", ch, agr)

    blue.write("node", EpochOpened("FOUNDING", None, {"GREEN": None}), "08:00:00", {})
    begun = blue.entries[0].place
    green.write("node", EpochOpened("FOUNDING", None, {"BLUE": begun}), "08:00:05", {"BLUE": begun})
    notice = blue.write("watch-1", Notice("BLU-0001-E", terms()), "09:10:00", {"GREEN": green.entries[0].place})
    held = Receipt(
        v=1, level="stored", ch=ch, sender="GREEN", of="BLUE", epoch=EPOCHS["BLUE"], seq=2, head=notice.hash,
        t_ms=at("09:10:01"),
    )  # fmt: skip
    green.write("watch-1", Acknowledgement("BLU-0001-E", notice.hash), "09:11:30", {"BLUE": notice.place})

    # BLUE's record is put back from a copy of 09:00. It asks what GREEN holds, gets its notice back, opens an epoch.
    asked = Heads(
        1, ch, "BLUE", "1a" * 16, "", True, {"BLUE": (begun,), "GREEN": (green.entries[0].place,)}, at("10:00:00")
    )  # fmt: skip
    told = Heads(
        1, ch, "GREEN", "2a" * 16, asked.nonce, False,
        {"BLUE": (notice.place,), "GREEN": (green.entries[1].place,)}, at("10:00:01"),
    )  # fmt: skip
    opening = EpochOpened("RESTORED", notice.place, {"GREEN": notice.place})
    blue.write("supervisor", opening, "10:00:02", {"GREEN": green.entries[1].place}, epoch=RESTORED_EPOCH)

    def sealed_heads(given: Heads) -> dict[str, str]:
        signed_heads = heads.seal(given, signer(given.sender, "node"))
        return {"payload": canonical.encode(given).decode(), "envelope": signed_heads.decode()}

    def shown(entry: Entry) -> dict[str, Any]:
        return {
            "payload": canonical.encode(entry.header).decode(),
            "hash": entry.hash,
            "envelope": entry.envelope.decode(),
            "body": entry.body.decode(),
        }

    return {
        "seeds": {party: {key: f"{byte:02x}" * 32 for key, byte in keys.items()} for party, keys in SEEDS.items()},
        "cards": {
            party: {
                "payload": canonical.encode(card(party)).decode(),
                "envelope": sign_card(card(party), signer(party, "root")).encoded().decode(),
            }
            for party in SEEDS
        },
        "agreement": {
            "payload": canonical.encode(signed).decode(),
            "hash": agr,
            "envelope": sealed.encoded().decode(),
            "ch": ch,
        },
        "lines": {
            "check": canonical.encode(LineCheck("0c" * 16)).decode(),
            "checked": canonical.encode(LineCheckAnswer("c4" * 32, "0c" * 16)).decode(),
        },
        "strands": {"BLUE": [shown(e) for e in blue.entries[:2]], "GREEN": [shown(e) for e in green.entries]},
        "receipt": {
            "payload": canonical.encode(held).decode(),
            "envelope": receipt.seal(held, signer("GREEN", "node")).decode(),
        },
        "restore": {
            "question": sealed_heads(asked),
            "answer": sealed_heads(told),
            "opening": shown(blue.entries[2]),
        },
        "pae": envelope.pae(envelope.ENTRY, canonical.encode(notice.header)).decode(),
    }


def find(built: dict[str, Any], name: str) -> str:
    """`strands/BLUE/1/payload` in what was built."""
    here: Any = built
    for step in name.split("/"):
        here = here[int(step)] if isinstance(here, list) else here[step]
    assert isinstance(here, str)
    return here


def wrapped(text: str) -> str:
    """Broken after commas, so that joining the lines again gives the text."""
    lines, line = [], ""
    for piece in re.findall(r"[^,]*,|[^,]+$", text):
        if line and len(line) + len(piece) > WIDTH:
            lines.append(line)
            line = ""
        line += piece
    return "\n".join([*lines, line])


def rewrite() -> None:
    """Bring the vector and the pages up to the code as it is."""
    built = build()
    VECTOR.write_text(json.dumps(built, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for page in sorted(SPEC.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        page.write_text(EXAMPLE.sub(lambda m: m[1] + wrapped(find(built, m[2])) + m[4], text), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
