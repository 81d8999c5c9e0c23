# SPDX-License-Identifier: Apache-2.0
"""Notes, checkpoints, cosignatures and proofs in the formats of C2SP; one spelling each; unknown lines are ignored."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.seal import checkpoint as cp
from wideberth.core.seal import note
from wideberth.core.seal.checkpoint import Checkpoint, EntryProof
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier, b64
from wideberth.core.seal.merkle import Tree
from wideberth.errors import BadSignature, Fault, Malformed, Oversized, Theirs

VERIFIER = Ed25519Verifier()
BLUE, GREEN = Ed25519Signer(b"\x01" * 32), Ed25519Signer(b"\x02" * 32)
HASHES = [hashlib.sha256(b"entry %d" % i).hexdigest() for i in range(100)]
TREE = Tree(bytes.fromhex(h) for h in HASHES)
HEAD = Checkpoint("ab" * 32, "BLUE", "0c" * 16, 100, TREE.root())
SIGNED = cp.cosign(cp.seal(HEAD, BLUE), "GREEN", GREEN, 1_900_000_000)

# The example of c2sp.org/tlog-cosignature.
EXAMPLE = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
""".encode()  # noqa: E501


def test_the_example_of_the_specification_reads_and_writes_back() -> None:
    read = note.read(EXAMPLE)
    assert [s.name for s in read.signatures] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert [s.key_id.hex() for s in read.signatures] == ["033de0ae", "8d66cf3f"]
    assert int.from_bytes(read.signatures[1].signature[:8], "big") == 1679315147
    assert read.encoded() == EXAMPLE


def test_a_checkpoint_is_three_lines_its_authors_signature_and_a_peers() -> None:
    lines = SIGNED.decode().split("\n")
    origin = f"wideberth/{'ab' * 32}/BLUE/{'0c' * 16}"
    assert lines[:4] == [origin, "100", b64(TREE.root()), ""]
    assert lines[4].startswith(f"— {origin} ")
    assert lines[5].startswith("— GREEN ")
    assert lines[6:] == [""]


def test_what_is_signed_is_what_the_specification_says() -> None:
    """Without our code: the bytes under both signatures, the key ids and the place of the time."""
    text = SIGNED.decode().split("\n\n")[0] + "\n"
    author, peer = SIGNED.decode().split("\n\n")[1].strip().split("\n")
    name, data = author.split(" ")[1], base64.b64decode(author.split(" ")[2])
    key = base64.b64decode(BLUE.public)
    assert data[:4] == hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]
    assert VERIFIER.verify(BLUE.public, text.encode(), data[4:])
    data = base64.b64decode(peer.split(" ")[2])
    assert data[:4] == hashlib.sha256(b"GREEN\n\x04" + base64.b64decode(GREEN.public)).digest()[:4]
    t_s = int.from_bytes(data[4:12], "big")
    assert t_s == 1_900_000_000
    assert VERIFIER.verify(GREEN.public, f"cosignature/v1\ntime {t_s}\n{text}".encode(), data[12:])


def test_both_signatures_check_and_a_strangers_key_does_not() -> None:
    head, signed = cp.read(SIGNED)
    assert head == HEAD
    cp.check_author(head, signed, [GREEN.public, BLUE.public], VERIFIER)
    assert cp.cosigners(head, signed, {"GREEN": [GREEN.public], "RED": [BLUE.public]}, VERIFIER) == (
        cp.Cosigned("GREEN", 1_900_000_000),
    )
    with pytest.raises(BadSignature):
        cp.check_author(head, signed, [GREEN.public], VERIFIER)
    with pytest.raises(BadSignature):
        cp.check_cosigner(head, signed, "GREEN", [BLUE.public], VERIFIER)
    with pytest.raises(BadSignature):
        cp.check_author(head, cp.read(cp.witness(HEAD, "GREEN", GREEN, 5))[1], [BLUE.public], VERIFIER)


def test_a_signature_of_a_known_key_that_does_not_verify_is_never_passed_over() -> None:
    head, signed = cp.read(SIGNED)
    line = signed.signatures[1]
    wrong = signed.with_line(note.NoteSignature("GREEN", line.key_id, line.signature[:-1] + b"\0"))
    with pytest.raises(BadSignature):
        cp.cosigners(head, wrong, {"GREEN": [GREEN.public]}, VERIFIER)


def test_a_post_quantum_line_is_kept_and_ignored() -> None:
    head, signed = cp.read(SIGNED)
    more = signed.with_line(note.NoteSignature("GREEN", b"\xaa\xbb\xcc\xdd", bytes(8 + 2420))).encoded()
    again, read = cp.read(more)
    assert again == head
    assert read.encoded() == more
    cp.check_author(again, read, [BLUE.public], VERIFIER)
    assert len(cp.cosigners(again, read, {"GREEN": [GREEN.public]}, VERIFIER)) == 1


def test_notes_on_one_tree_merge_and_on_two_do_not() -> None:
    both = cp.merge(cp.seal(HEAD, BLUE), cp.witness(HEAD, "GREEN", GREEN, 1_900_000_000))
    assert both == SIGNED
    other = Checkpoint(HEAD.ch, "BLUE", HEAD.epoch, 99, TREE.root(99))
    with pytest.raises(Malformed):
        cp.merge(both, cp.seal(other, BLUE))


def test_a_sidecar_keeps_the_bytes_as_sent() -> None:
    record = cp.sidecar(SIGNED, 7)
    assert (record.ch, record.kind, record.author, record.envelope) == (HEAD.ch, "checkpoint", "BLUE", SIGNED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n100\n", "\n0100\n"), ("\n100\n", "\n+100\n"), ("\n100\n", "\n1e2\n"), ("\n100\n", "\n0\n"),
        ("\n100\n", "\n10000000000000000\n"), ("\n100\n", "\n１00\n"),
        ("wideberth/", "Wideberth/"), ("/BLUE/", "/blue/"), ("0c0c", "0C0c"), ("\n\n—", "\nmore\n\n—"),
        ("\n\n—", "\n—"), ("— GREEN ", "—  GREEN "), ("— GREEN ", "- GREEN "), ("— GREEN ", "— GR+EN "),
        ("— GREEN ", "— "), ("\n100\n", "\r\n100\n"), ("\n100\n", "\n100 \n"),
    ],
)  # fmt: skip
def test_another_spelling_is_malformed(old: str, new: str) -> None:
    text = SIGNED.decode()
    assert old in text
    with pytest.raises(Malformed):
        cp.read(text.replace(old, new, 1).encode())


def test_a_note_has_an_end_a_size_and_no_line_twice() -> None:
    for wrong in (SIGNED[:-1], SIGNED + b"\n", b"", b"\n\n", SIGNED + SIGNED.split(b"\n")[5] + b"\n", b"\xff" + SIGNED,
                  SIGNED.replace(b"=\n", b"\n", 1), SIGNED.split(b"\n\n")[0] + b"\n\n"):  # fmt: skip
        with pytest.raises(Malformed):
            cp.read(wrong)
    with pytest.raises(Oversized):
        cp.read(SIGNED + b"x" * 70_000)
    many = b"".join(f"— W{i} {b64(bytes(5))}\n".encode() for i in range(40))
    with pytest.raises(Malformed):
        cp.read(SIGNED + many)


@given(st.integers(0, len(SIGNED) - 1), st.integers(0, 7))
@settings(max_examples=400, deadline=None)
def test_no_single_bit_of_a_checkpoint_can_change(at: int, bit: int) -> None:
    bent = bytearray(SIGNED)
    bent[at] ^= 1 << bit
    try:
        head, signed = cp.read(bytes(bent))
        cp.check_author(head, signed, [BLUE.public], VERIFIER)
        cp.check_cosigner(head, signed, "GREEN", [GREEN.public], VERIFIER)
    except Theirs:
        return
    raise AssertionError(f"byte {at}, bit {bit} may change")


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_nonsense_is_refused_and_never_a_surprise(data: bytes) -> None:
    for read in (note.read, cp.read, cp.read_proof):
        try:
            made = read(data)
        except Fault:
            continue
        if isinstance(made, note.Note | EntryProof):
            assert made.encoded() == data


def test_one_entry_is_proven_by_a_small_text() -> None:
    proof = EntryProof(41, TREE.inclusion(41), SIGNED)
    text = proof.encoded()
    assert text.startswith(b"c2sp.org/tlog-proof@v1\nindex 41\n")
    again = cp.read_proof(text)
    assert again == proof
    assert cp.check_proof(again, HASHES[41]) == HEAD
    with pytest.raises(Malformed):
        cp.check_proof(again, HASHES[42])
    for wrong in (text.replace(b"index 41", b"index 041"), text.replace(b"index 41", b"index"),
                  text.replace(b"tlog-proof@v1", b"tlog-proof@v2"), text.replace(b"=\n", b"=\n\n", 1)):  # fmt: skip
        with pytest.raises(Malformed):
            cp.read_proof(wrong)
