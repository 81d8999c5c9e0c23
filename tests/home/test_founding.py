# SPDX-License-Identifier: Apache-2.0
"""Three parties who share nothing found one mechanism by files and telephones, whatever is lost or changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from wideberth import founding, home, join
from wideberth.config import Config
from wideberth.core.say.rule_words import changed
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.volume import Polygon
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.agreement import (
    LineTerms,
    agreement_hash,
    channel_id,
    one_line,
    parse_agreement,
    read_agreement,
)
from wideberth.core.seal.envelope import AGREEMENT, FOUNDING, Envelope
from wideberth.core.seal.founding import CharterFile, FoundingFile, Seat, SignatureFile
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier, key_id
from wideberth.errors import BadInput, BadSignature, Fault, Malformed, NotFound

TRIO = ("AMBER", "BLUE", "GREEN")
RULES = Rules(area=Polygon.of((40, -40), (40, -37), (43, -37), (43, -40)))
LINES = (
    LineTerms(Purpose.FLIGHT_SAFETY, TRIO),
    LineTerms(Purpose.GROUND, ("BLUE", "GREEN")),
    LineTerms(Purpose.WORKING_GROUP, TRIO),
)
T0 = 1_900_000_000_000


class World:
    def __init__(self, root: Path) -> None:
        self.homes = {name: self._home(root, name) for name in (*TRIO, "PURPLE")}
        self.words = {name: join.words(each) for name, each in self.homes.items()}

    @staticmethod
    def _home(root: Path, name: str) -> home.Home:
        config = Config(party=name, listen="127.0.0.1:7443", posts=("watch-1", "supervisor"), contact=f"{name} watch")
        return home.create(root / name.lower(), config, entropy=os.urandom, now_ms=T0)

    def found(self, *seats: Seat, lines: tuple[LineTerms, ...] = LINES, **more: Any) -> bytes:
        seats = seats or tuple(Seat(name) for name in TRIO)
        _, data = founding.found(
            self.homes["BLUE"], seats=seats, mechanism="Coast", lines=lines, mode=Mode.EXERCISE, rules=RULES,
            now_ms=T0, entropy=os.urandom, **more,
        )  # fmt: skip
        assert data is not None
        return data

    def accept(self, name: str, data: bytes, *heard: str, **other: str) -> founding.Came:
        """`heard` read their own words; `other` are words that somebody else claims."""
        file = founding.parse(data)
        return founding.accept(self.homes[name], file, {**{h: self.words[h] for h in heard}, **other})  # type: ignore[arg-type]

    def charter(self, data: bytes, *others: str) -> founding.Came:
        """Every one of `others` joins; what the founder makes of the last card."""
        came = None
        for name in others or ("AMBER", "GREEN"):
            joining = self.accept(name, data, "BLUE")
            came = self.accept("BLUE", joining.write, name)
        assert came is not None
        return came


@pytest.fixture(scope="module")
def _folders(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("f"))


@pytest.fixture
def world(_folders: World) -> World:
    return _folders


def replaced(data: bytes, **changes: Any) -> bytes:
    return canonical.encode(msgspec.structs.replace(founding.parse(data), **changes))


# --- the whole way ---


def test_three_parties_found_three_lines_and_each_has_the_same_agreement(world: World) -> None:
    offered = world.found()
    joining = world.accept("GREEN", offered, "BLUE")
    assert (joining.what, joining.name) == ("JOINING", "joining-GREEN.json")
    first = world.accept("BLUE", joining.write, "GREEN")
    assert (first.what, first.missing) == ("PROGRESS", ("AMBER",))
    charter = world.accept("BLUE", world.accept("AMBER", offered, "BLUE").write, "AMBER")
    assert (charter.what, charter.missing) == ("CHARTER", ("AMBER", "GREEN"))
    signed = {name: world.accept(name, charter.write, *({"AMBER", "GREEN"} - {name})) for name in ("AMBER", "GREEN")}
    assert [s.what for s in signed.values()] == ["SIGNATURE"] * 2
    merged = world.accept("BLUE", signed["GREEN"].write)
    assert (merged.what, merged.party, merged.missing) == ("PROGRESS", "GREEN", ("AMBER",))
    done = world.accept("BLUE", signed["AMBER"].write)
    assert done.what == "COMPLETE"
    on_file = {ch: agreement for ch, agreement, _ in join.lines_on_file(world.homes["BLUE"])}
    agreement, _, _ = read_agreement(on_file[done.ch], Ed25519Verifier())  # every signature
    assert agreement.lines == LINES
    assert channel_id(agreement) == done.ch
    theirs = {ch: data for ch, data, _ in join.lines_on_file(world.homes["GREEN"])}[done.ch]
    assert agreement_hash(read_agreement(theirs, Ed25519Verifier(), complete=False)[0]) == agreement_hash(agreement)
    known = join.compared_on_file(world.homes["AMBER"])
    assert sorted(known.values()) == ["BLUE", "GREEN"], "the words of every other member were compared"


def test_no_file_of_a_founding_carries_a_secret(world: World) -> None:
    offered = world.found()
    charter = world.charter(offered)
    files = [offered, charter.write, world.accept("GREEN", charter.write, "AMBER").write]
    for made in world.homes.values():
        secrets = [(made.path / "keys" / f.name).read_bytes().strip() for f in (made.path / "keys").iterdir()
                   if f.suffix in (".seed", ".key")]  # fmt: skip
        assert secrets
        assert not any(secret in file for secret in secrets for file in files)


def test_every_step_can_be_done_again_and_gives_the_same_bytes(world: World) -> None:
    offered = world.found()
    joining = [world.accept("GREEN", offered, "BLUE").write for _ in range(2)]
    assert joining[0] == joining[1]
    world.accept("BLUE", world.accept("AMBER", offered, "BLUE").write, "AMBER")
    charters = [world.accept("BLUE", joining[0], "GREEN").write, world.accept("BLUE", joining[0]).write]
    assert charters[0] == charters[1], "compared once; the second time nothing is asked"
    signed = [world.accept("GREEN", charters[0], "AMBER").write, world.accept("GREEN", charters[0]).write]
    assert signed[0] == signed[1]
    assert [world.accept("BLUE", signed[0]).missing for _ in range(2)] == [("AMBER",)] * 2


def test_a_crash_before_any_file_is_replaced_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off at every write in turn; then the same step is done again."""
    offered = world.found()
    real = os.replace
    for name in ("AMBER", "GREEN"):
        for cut in range(8):
            left = cut

            def replace(*args: Any, **kwargs: Any) -> None:
                nonlocal left
                if left == 0:
                    raise KeyboardInterrupt
                left -= 1
                real(*args, **kwargs)

            monkeypatch.setattr(os, "replace", replace)
            try:
                came = world.accept("BLUE", world.accept(name, offered, "BLUE").write, name)
            except KeyboardInterrupt:
                continue
            finally:
                monkeypatch.setattr(os, "replace", real)
            break
        assert cut > 0, "something was written"
    assert came.what == "CHARTER"
    assert world.accept("GREEN", came.write, "AMBER").what == "SIGNATURE"


def test_a_member_by_voice_has_a_seat_and_signs_nothing(world: World) -> None:
    seats = (Seat("BLUE"), Seat("GREEN"), Seat("AMBER", by_voice=True))
    offered = world.found(*seats)
    charter = world.charter(offered, "GREEN")
    signed = world.accept("GREEN", charter.write)
    assert world.accept("BLUE", signed.write).what == "COMPLETE"


def test_lines_by_voice_alone_need_no_file(world: World) -> None:
    made, data = founding.found(
        world.homes["PURPLE"], seats=(Seat("PURPLE"), Seat("AMBER", True), Seat("GREEN", True)), mechanism="By voice",
        lines=one_line(Purpose.FLIGHT_SAFETY, ("AMBER", "GREEN", "PURPLE")), mode=Mode.REAL, rules=RULES, now_ms=T0,
        entropy=os.urandom,
    )  # fmt: skip
    assert data is None
    (kept,) = [a for _, a, _ in join.lines_on_file(world.homes["PURPLE"])]
    assert read_agreement(kept, Ed25519Verifier())[0].nonce == made.nonce


def test_an_umbrella_is_agreed_with_the_rest(world: World) -> None:
    offered = world.found(Seat("BLUE"), Seat("AMBER"), Seat("GREEN", speaks_for=("ALFA", "BRAVO")))
    file = founding.parse(world.charter(offered).write)
    assert isinstance(file, CharterFile)
    agreed = parse_agreement(file.agreement.payload_bytes()).member("GREEN")
    assert agreed is not None
    assert agreed.speaks_for == ("ALFA", "BRAVO")


# --- who was not compared cannot be skipped ---


def test_words_are_needed_of_everybody_and_what_was_compared_is_kept(world: World) -> None:
    offered = world.found()
    with pytest.raises(BadInput, match="BLUE were not compared"):
        world.accept("GREEN", offered)
    charter = world.charter(offered)
    with pytest.raises(BadInput, match="GREEN were not compared") as missing:
        world.accept("AMBER", charter.write)
    assert missing.value.details["compare"] == ["GREEN"]
    with pytest.raises(BadInput, match="has no card of PURPLE"):
        world.accept("AMBER", charter.write, "PURPLE")
    nonce = founding.look(world.homes["AMBER"], founding.parse(offered))["nonce"]  # type: ignore[arg-type]
    assert [s["step"] for s in founding.foundings(world.homes["AMBER"]) if s["nonce"] == nonce] == ["CHARTER"]
    assert world.accept("AMBER", charter.write, "GREEN").what == "SIGNATURE"
    assert world.accept("AMBER", charter.write).what == "SIGNATURE", "compared once is compared"


def test_wrong_words_stop_it_and_name_whose(world: World) -> None:
    offered = world.found()
    with pytest.raises(BadInput, match="claims to be from BLUE") as wrong:
        world.accept("GREEN", offered, BLUE=world.words["AMBER"])
    assert wrong.value.details["party"] == "BLUE"
    charter = world.charter(offered)
    with pytest.raises(BadInput, match="claims to be from GREEN"):
        world.accept("AMBER", charter.write, GREEN=world.words["BLUE"])


def test_a_changed_key_is_found_by_its_words(world: World) -> None:
    """PURPLE sits between BLUE and the others and plays AMBER to GREEN."""
    offered = world.found()
    charter = founding.parse(world.charter(offered).write)
    assert isinstance(charter, CharterFile)
    agreement = parse_agreement(charter.agreement.payload_bytes())
    evil = Ed25519Signer(world.homes["PURPLE"].root_seed())
    card = envelope.read(charter.cards[0].encoded(), envelope.CARD)[1]
    false_card = msgspec.json.decode(card)
    false_card["root"] = evil.public
    cards = (envelope.seal(envelope.CARD, canonical.encode(false_card), evil), *charter.cards[1:])
    members = tuple(
        msgspec.structs.replace(m, root=evil.public) if m.party == "AMBER" else m for m in agreement.members
    )
    false = msgspec.structs.replace(agreement, members=members)
    founder = Ed25519Signer(world.homes["BLUE"].root_seed())
    # Even if the founder itself signs it: GREEN compares AMBER's words with AMBER.
    forged = CharterFile(envelope.seal(AGREEMENT, canonical.encode(false), founder), cards)
    with pytest.raises(BadInput, match="claims to be from AMBER"):
        world.accept("GREEN", canonical.encode(forged), "AMBER")


# --- whatever is changed on the way ---


def test_a_changed_number_is_named_and_nothing_is_signed(world: World) -> None:
    offered = world.found()
    charter = founding.parse(world.charter(offered).write)
    assert isinstance(charter, CharterFile)
    agreement = parse_agreement(charter.agreement.payload_bytes())
    founder = Ed25519Signer(world.homes["BLUE"].root_seed())
    for change, words in (
        (
            {"rules": changed(RULES, {"lead": "1m", "ack-urgent": "10m"})},
            "lead: 10m becomes 1m; ack-urgent: 2m becomes",
        ),
        ({"lines": LINES[:1]}, "lines: GROUND with BLUE, GREEN goes"),
        ({"mode": Mode.REAL}, "mode: EXERCISE becomes REAL"),
        ({"clauses": ("we may look away",)}, "clauses: we may look away is new"),
    ):
        false = msgspec.structs.replace(agreement, **change)
        forged = CharterFile(envelope.seal(AGREEMENT, canonical.encode(false), founder), charter.cards)
        with pytest.raises(BadInput, match=words):
            world.accept("GREEN", canonical.encode(forged), "AMBER")
        other = envelope.seal(AGREEMENT, canonical.encode(false), Ed25519Signer(world.homes["GREEN"].root_seed()))
        with pytest.raises(BadInput, match="not what was sent to them"):
            world.accept("BLUE", canonical.encode(SignatureFile(other)))
    steps = {s["nonce"]: s["step"] for s in founding.foundings(world.homes["GREEN"])}
    assert steps[agreement.nonce] == "CHARTER"


def test_a_founding_that_was_changed_on_the_way_does_not_verify(world: World) -> None:
    file = founding.parse(world.found())
    assert isinstance(file, FoundingFile)
    payload = msgspec.json.decode(file.founding.payload_bytes())
    payload["rules"]["lead_ms"] = 1
    forged = envelope.seal(FOUNDING, canonical.encode(payload), Ed25519Signer(world.homes["PURPLE"].root_seed()))
    with pytest.raises(BadSignature):
        world.accept("GREEN", replaced(canonical.encode(file), founding=forged), "BLUE")


def test_the_wrong_party_is_told_so(world: World) -> None:
    offered = world.found()
    with pytest.raises(BadInput, match="no seat for PURPLE"):
        world.accept("PURPLE", offered, "BLUE")
    with pytest.raises(BadInput, match="of our own"):
        world.accept("BLUE", offered)
    joining = world.accept("GREEN", offered, "BLUE")
    with pytest.raises(NotFound, match="did not found"):
        world.accept("AMBER", joining.write, "GREEN")
    charter = world.charter(offered)
    with pytest.raises(NotFound, match="invitation first"):
        world.accept("PURPLE", charter.write)
    signed = world.accept("GREEN", charter.write, "AMBER")
    with pytest.raises(NotFound, match="to the founder alone"):
        world.accept("AMBER", signed.write)


def test_a_signature_of_nobody_is_refused_and_none_is_lost_to_it(world: World) -> None:
    offered = world.found()
    charter = world.charter(offered)
    signed = founding.parse(world.accept("GREEN", charter.write, "AMBER").write)
    assert isinstance(signed, SignatureFile)
    payload = signed.agreement.payload_bytes()
    nobody = envelope.seal(AGREEMENT, payload, Ed25519Signer(world.homes["PURPLE"].root_seed()))
    with pytest.raises(BadSignature):
        world.accept("BLUE", canonical.encode(SignatureFile(nobody)))
    # A good signature, and beside it rubbish under the founder's key id: the founder's own is not lost.
    agreement = parse_agreement(payload)
    blue = agreement.member("BLUE")
    assert blue is not None
    rubbish = msgspec.structs.replace(nobody.signatures[0], keyid=key_id(blue.root))
    both = tuple(sorted((rubbish, *signed.agreement.signatures), key=lambda s: s.keyid))
    mixed = Envelope(signed.agreement.payload, AGREEMENT, both)
    assert world.accept("BLUE", canonical.encode(SignatureFile(mixed))).missing == ("AMBER",)


def test_rubbish_is_refused_in_words(world: World) -> None:
    offered = world.found()
    for data in (b"", b"{}", b"[]", offered[:-1], offered.replace(b"founding", b"fou_ding"), b"x" * 2_000_000):
        with pytest.raises(Fault):
            world.accept("GREEN", data, "BLUE")


def test_what_could_never_be_agreed_is_not_even_offered(world: World) -> None:
    with pytest.raises(Malformed, match="one line at least has every member"):
        world.found(lines=LINES[1:2])
    with pytest.raises(Malformed, match="same letters"):
        world.found(*(Seat(n) for n in ("BLUE", "BLUEGREEN", "GREEN")), lines=LINES[:1])
    with pytest.raises(Malformed, match="no seat"):
        world.found(*(Seat(n) for n in ("AMBER", "GREEN")), lines=one_line(Purpose.SEA, ("AMBER", "GREEN")))


# --- how far it is ---


def test_who_is_missing_is_named_at_every_step(world: World) -> None:
    def step(name: str, nonce: str) -> tuple[str, list[str]]:
        found = {s["nonce"]: s for s in founding.foundings(world.homes[name])}
        return (found[nonce]["step"], found[nonce]["missing"]) if nonce in found else ("COMPLETE", [])

    offered = world.found()
    nonce = founding.look(world.homes["GREEN"], founding.parse(offered))["nonce"]  # type: ignore[arg-type]
    assert step("BLUE", nonce) == ("CARDS", ["AMBER", "GREEN"])
    world.accept("BLUE", world.accept("GREEN", offered, "BLUE").write, "GREEN")
    assert step("BLUE", nonce) == ("CARDS", ["AMBER"])
    assert step("GREEN", nonce) == ("CHARTER", [])
    charter = world.accept("BLUE", world.accept("AMBER", offered, "BLUE").write, "AMBER")
    assert step("BLUE", nonce) == ("SIGNATURES", ["AMBER", "GREEN"])
    green = world.accept("GREEN", charter.write, "AMBER")
    assert step("GREEN", nonce) == ("MERGING", ["AMBER"])
    world.accept("BLUE", green.write)
    assert step("BLUE", nonce) == ("SIGNATURES", ["AMBER"]), "the late member is named"
    world.accept("BLUE", world.accept("AMBER", charter.write, "GREEN").write)
    assert step("BLUE", nonce) == ("COMPLETE", [])


def test_an_invitation_of_two_waits_for_its_reply(world: World) -> None:
    offered = join.invite(
        world.homes["PURPLE"], to="GREEN", mechanism="Small", purpose=Purpose.SEA, mode=Mode.TEST, rules=RULES,
        now_ms=T0, entropy=os.urandom,
    )  # fmt: skip

    def waits() -> list[dict[str, Any]]:
        return [s for s in founding.foundings(world.homes["PURPLE"]) if s["mechanism"] == "Small"]

    assert [(s["step"], s["missing"]) for s in waits()] == [("REPLY", ["GREEN"])]
    reply = join.accept(world.homes["GREEN"], offered, world.words["PURPLE"]).write
    assert reply is not None
    join.accept(world.homes["PURPLE"], reply, world.words["GREEN"])
    assert waits() == []
