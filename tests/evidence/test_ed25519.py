# SPDX-License-Identifier: Apache-2.0
"""The verifier's own Ed25519 says what libsodium says: on RFC 8032, and where implementations are known to differ."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from wideberth.core.seal.keys import Ed25519Signer, unb64
from wideberth.verifier import verify

P, Q = verify.P, verify.Q
BASE = verify.decoded(bytes.fromhex("58" + "66" * 31))
assert BASE is not None

# RFC 8032 §7.1: secret key, public key, message, signature.
RFC_8032 = [
    ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
     "d25bf5f0595bbe24655141438e7a100b")),
    ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
     "387b2eaeb4302aeeb00d291612bb0c00")),
    ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
     "4a7c15e9716ed28dc027beceea1ec40a")),
    ("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     hashlib.sha512(b"abc").hexdigest(),
     ("dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
     "3dca179c138ac17ad9bef1177331a704")),
]  # fmt: skip


def sodium(key: bytes, message: bytes, sig: bytes) -> bool:
    try:
        return crypto_sign_open(sig + message, key) == message
    except BadSignatureError:
        return False


def encoded(point: tuple[int, ...]) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def times(n: int, point: tuple[int, ...]) -> tuple[int, ...]:
    out: tuple[int, ...] = (0, 1, 1, 0)
    while n:
        out = verify.add(out, point) if n & 1 else out
        point, n = verify.add(point, point), n >> 1
    return out


def torsion() -> list[tuple[int, ...]]:
    """The eight points of small order, from a point of order 8."""
    y = 2
    while True:
        xx = (y * y - 1) * pow(verify.D * y * y + 1, -1, P) % P
        x = pow(xx, (P + 3) // 8, P)
        x = x if x * x % P == xx else x * verify.ROOT % P
        if x * x % P == xx:
            point = times(Q, (x, y, 1, x * y % P))
            if encoded(times(4, point)) != encoded((0, 1, 1, 0)):
                return [times(n, point) for n in range(8)]
        y += 1


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % Q


def corpus() -> list[tuple[str, bytes, bytes, bytes]]:
    """Signatures that verifiers disagree about: small order, mixed order, other encodings, unreduced scalars."""
    seed, message = bytes(32), b"one entry"
    wide = hashlib.sha512(seed).digest()
    secret = (int.from_bytes(wide[:32], "little") & (1 << 254) - 8) | 1 << 254
    key_point = times(secret, BASE)
    key = encoded(key_point)
    nonce = 0x1234567890ABCDEF1234567890ABCDEF
    r_point = times(nonce, BASE)
    found = []

    def case(name: str, r: bytes, public: bytes, s: int) -> None:
        found.append((name, public, message, r + s.to_bytes(32, "little")))

    r = encoded(r_point)
    s = (nonce + challenge(r, key, message) * secret) % Q
    case("plain", r, key, s)
    for n in range(1, 8):
        case(f"scalar + {n} Q", r, key, s + n * Q)
    small = torsion()
    spellings = [encoded(t) for t in small]
    spellings += [bytes([*e[:31], e[31] ^ 0x80]) for e in spellings]  # the other sign bit, also of x = 0
    spellings += [((y + P) | sign << 255).to_bytes(32, "little") for y in range(19) for sign in (0, 1)]
    spellings += [b"\xff" * 32, bytes(32)]
    for n, spelling in enumerate(spellings):
        case(f"key {n}, R the same", spelling, spelling, 0)
        case(f"key {n}, R of the base", r, spelling, nonce)
        case(f"R {n}", spelling, key, challenge(spelling, key, message) * secret % Q)
        for t in range(4):
            case(f"key {n}, S {t}", encoded(times(t, BASE)), spelling, t)
    for n, t in enumerate(small):
        mixed = encoded(verify.add(key_point, t))
        case(f"mixed key {n}", r, mixed, (nonce + challenge(r, mixed, message) * secret) % Q)
        torsioned = encoded(verify.add(r_point, t))
        case(f"mixed R {n}", torsioned, key, (nonce + challenge(torsioned, key, message) * secret) % Q)
        case(f"both mixed {n}", torsioned, mixed, (nonce + challenge(torsioned, mixed, message) * secret) % Q)
    for n in range(2, 40):
        case(f"not on the curve {n}", r, n.to_bytes(32, "little"), s)
    return found


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032(secret: str, public: str, message: str, signature: str) -> None:
    key, text, sig = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    signer = Ed25519Signer(bytes.fromhex(secret))
    assert (unb64(signer.public, "key"), signer.sign(text)) == (key, sig)
    assert verify.ed25519_in_python(key, text, sig)
    assert sodium(key, text, sig)
    for at in (0, 31, 32, 63):
        bent = bytearray(sig)
        bent[at] ^= 1
        assert not verify.ed25519_in_python(key, text, bytes(bent))
    assert not verify.ed25519_in_python(key, text + b"x", sig)


def test_where_implementations_differ_ours_says_what_libsodium_says() -> None:
    cases = corpus()
    verdicts = {name: verify.ed25519_in_python(key, message, sig) for name, key, message, sig in cases}
    assert verdicts == {name: sodium(key, message, sig) for name, key, message, sig in cases}
    assert verdicts["plain"]
    assert not verdicts["scalar + 1 Q"]
    assert len(cases) > 300
    assert sum(verdicts.values()) < 12


def test_lengths_that_no_key_or_signature_has_are_refused() -> None:
    key, sig = bytes.fromhex(RFC_8032[0][1]), bytes.fromhex(RFC_8032[0][3])
    for wrong_key, wrong_sig in ((key[:31], sig), (key + b"\0", sig), (key, sig[:63]), (key, sig + b"\0"), (b"", b"")):
        assert not verify.ed25519(wrong_key, b"", wrong_sig)


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=80), at=st.integers(0, 511))
@settings(max_examples=40, deadline=None)
def test_any_signature_verifies_and_any_flipped_bit_of_it_does_not(seed: bytes, message: bytes, at: int) -> None:
    signer = Ed25519Signer(seed)
    key, sig = unb64(signer.public, "key"), signer.sign(message)
    assert verify.ed25519_in_python(key, message, sig)
    bent = bytearray(sig)
    bent[at // 8] ^= 1 << at % 8
    assert verify.ed25519_in_python(key, message, bytes(bent)) is sodium(key, message, bytes(bent)) is False
