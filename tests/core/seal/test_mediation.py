# SPDX-License-Identifier: Apache-2.0
"""Who is named when a delivery through a mediator is not what was sent, and that nobody can make it name another."""

import json

import msgspec
import pytest

from wideberth.core.seal import canonical, mediation
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
from wideberth.core.seal.mediation import MediatorCard, Slip, Stamp
from wideberth.errors import BadSignature, Malformed, Oversized, Spoiled, Stranger, Theirs

CH = "c0" * 32
BLUE, GREEN, HOST, OTHER = (Ed25519Signer(bytes([n]) * 32) for n in (1, 2, 3, 4))
CARD = MediatorCard(1, "HOST", HOST.public, "https://host.example:7450", "00" * 32, "")
CHECK = Ed25519Verifier()
SENT, CHANGED = b"sealed bytes", b"sealed byteS"


def slip(sealed=SENT, node=BLUE, **changes):
    said = Slip(1, CH, "BLUE", "GREEN", canonical.sha256(sealed), 1_000)
    return mediation.sign_slip(msgspec.structs.replace(said, **changes), node)


def stamp(sealed=SENT, over=None, key=HOST, **changes):
    said = Stamp(
        1, CH, "BLUE", "GREEN", canonical.sha256(sealed), "HOST", canonical.sha256(over or slip()), 2_000, 2_001
    )
    return mediation.sign_stamp(msgspec.structs.replace(said, **changes), key)


def forged(envelope_):
    """The sender's key is named, and another signed."""
    made = json.loads(envelope_)
    made["signatures"][0]["sig"] = json.loads(slip(CHANGED, OTHER))["signatures"][0]["sig"]
    return canonical.encode(made)


def handed(slip_=None, stamp_=None, sealed=SENT, answers=""):
    return mediation.check_handed(
        slip_ or slip(), stamp_ or stamp(), sealed, CARD, (BLUE.public,), CHECK, answers=answers
    )


def test_what_its_sender_signed_and_the_mediator_stamped_is_taken():
    found = handed()
    assert (found.sealed, found.slip.sender, found.stamp.received_ms) == (SENT, "BLUE", 2_000)


@pytest.mark.parametrize(
    ("slip_", "changes"),
    [
        (slip(), {}),  # a byte changed, and stamped as changed
        (forged(slip(CHANGED)), {}),  # a slip that the mediator made itself, in the sender's name
        (slip(SENT, OTHER), {}),  # under any key, over other bytes
        (slip(CHANGED, to="OTHER"), {}),  # a slip for somebody else
        (slip(CHANGED, sender="OTHER"), {}),
        (slip(CHANGED, ch="d1" * 32), {}),
        (b"{}", {}),
    ],
)
def test_a_mediator_that_stamps_what_the_sender_did_not_sign_convicts_itself(slip_, changes):
    with pytest.raises(Spoiled) as told:
        handed(slip_, stamp(CHANGED, slip_, **changes), CHANGED)
    fault = told.value
    assert (fault.by, fault.whose, fault.details["mediator"]) == ("HOST", "theirs", "HOST")
    shows = json.loads(fault.proof)
    assert shows["sha256"] == canonical.sha256(CHANGED)
    assert canonical.encode(shows["stamp"]) == stamp(CHANGED, slip_)
    if slip_ != b"{}":
        assert canonical.encode(shows["slip"]) == slip_


@pytest.mark.parametrize(
    ("slip_", "stamp_", "sealed"),
    [
        (slip(), stamp(), CHANGED),  # bytes changed behind the stamp
        (slip(CHANGED), stamp(), SENT),  # another slip put under a genuine stamp: the sender could do that
        (slip(CHANGED), stamp(CHANGED, slip()), CHANGED),
        (slip(node=OTHER), stamp(), SENT),
    ],
)
def test_what_was_changed_behind_a_stamp_accuses_nobody(slip_, stamp_, sealed):
    with pytest.raises(BadSignature) as told:
        handed(slip_, stamp_, sealed)
    assert told.value.details["reason"] == "stamp"


@pytest.mark.parametrize(
    ("stamp_", "fault"),
    [
        (stamp(key=OTHER), BadSignature),
        (stamp(key=BLUE), BadSignature),
        (stamp(mediator="ELSE"), Stranger),
        (b"{}", Malformed),
        (b"x" * 100_000, Oversized),
        (slip(), Malformed),
    ],
)
def test_a_stamp_that_is_not_this_mediators_proves_nothing(stamp_, fault):
    with pytest.raises(fault):
        handed(stamp_=stamp_)


def test_an_answer_is_bound_to_what_it_answers():
    question = canonical.sha256(b"the question")
    answer = slip(answers=question)
    assert handed(answer, stamp(over=answer), answers=question).slip.answers == question
    for expected in ("", canonical.sha256(b"another question")):
        with pytest.raises(Malformed, match="an old answer") as told:
            handed(answer, stamp(over=answer), answers=expected)
        assert told.value.details["reason"] == "answer"
    with pytest.raises(Malformed, match="an old answer"):
        handed(answers=question)


def test_bytes_that_the_sender_signed_and_nobody_can_open_are_the_senders():
    found = handed()
    with pytest.raises(Spoiled) as told, mediation.answered_for(found):
        raise BadSignature("the sealed message does not open")
    assert told.value.by == "BLUE"
    assert json.loads(told.value.proof)["by"] == "BLUE"
    # A key that is gone here accuses nobody, and without a mediator everything is as it was.
    with pytest.raises(Stranger), mediation.answered_for(found):
        raise Stranger("for a key now gone")
    with pytest.raises(BadSignature), mediation.answered_for(None):
        raise BadSignature("does not open")


def test_a_slip_under_a_key_that_is_not_known_accuses_nobody_and_is_opened():
    """The sender's newer card travels inside: refused for its key, it could never come by this way."""
    newer = slip(node=OTHER)
    found = handed(newer, stamp(over=newer))
    assert not found.vouched
    with pytest.raises(BadSignature, match="Nobody can be named") as told, mediation.answered_for(found):
        raise BadSignature("the sealed message does not open")
    assert told.value.details["reason"] == "slip"
    known = mediation.check_handed(newer, stamp(over=newer), SENT, CARD, (BLUE.public, OTHER.public), CHECK)
    assert known.vouched


def test_what_a_mediator_may_stamp_is_what_the_sender_signed_for_this_recipient():
    way = (CH, "BLUE", "GREEN")
    found, by_sender = mediation.admit(slip(), SENT, way, (BLUE.public,), CHECK)
    assert (found.t_ms, by_sender) == (1_000, True)
    assert mediation.admit(slip(node=OTHER), SENT, way, (BLUE.public,), CHECK)[1] is False
    for bad, sealed, to in ((slip(), CHANGED, way), (forged(slip()), SENT, way), (slip(), SENT, (CH, "BLUE", "X1"))):
        with pytest.raises(BadSignature):
            mediation.admit(bad, sealed, to, (BLUE.public,), CHECK)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Slip, {"v": 2}), (Slip, {"sha256": "AB" * 32}), (Slip, {"sha256": "ab"}), (Slip, {"ch": ""}),
        (Slip, {"t_ms": -1}), (Slip, {"t_ms": 2**53}), (Slip, {"answers": "x"}), (Slip, {"more": 1}),
        (Stamp, {"slip": ""}), (Stamp, {"received_ms": -1}), (Stamp, {"passed_ms": 2**53}), (Stamp, {"why": "x" * 81}),
        (Stamp, {"why": "é"}), (Stamp, {"mediator": "host"}), (Stamp, {"received_ms": 1.5}),
    ],
)  # fmt: skip
def test_a_slip_or_stamp_has_one_spelling_and_its_ranges(kind, change):
    from wideberth.core.seal import envelope

    envelope_, type_, key = (slip(), mediation.SLIP, BLUE) if kind is Slip else (stamp(), mediation.STAMP, HOST)
    payload = {**json.loads(envelope.read(envelope_, type_)[1]), **change}
    bad = envelope.seal(type_, canonical.encode(payload), key).encoded()
    with pytest.raises(Malformed):
        read_slip(bad) if kind is Slip else mediation.read_stamp(bad, CARD, CHECK)


def read_slip(bad):
    return mediation.admit(bad, SENT, (CH, "BLUE", "GREEN"), (BLUE.public,), CHECK)


def test_a_mediators_card_is_signed_by_its_own_key():
    data = mediation.sign_mediator(CARD, HOST)
    assert mediation.read_mediator(data, CHECK) == CARD
    with pytest.raises(BadSignature):
        mediation.read_mediator(mediation.sign_mediator(CARD, OTHER), CHECK)
    for change in ({"mediator": "host"}, {"key": "x"}, {"v": 2}, {"url": "x" * 257}, {"tls_pem": "x" * 4097}):
        with pytest.raises((Theirs, ValueError)):
            mediation.read_mediator(mediation.sign_mediator(msgspec.structs.replace(CARD, **change), HOST), CHECK)
