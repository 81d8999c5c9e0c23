# SPDX-License-Identifier: Apache-2.0
"""A checkpoint: the size and root of one strand of one epoch (C2SP tlog-checkpoint), signed by its author, cosigned by
peers with their time (C2SP tlog-cosignature, `cosignature/v1`).

    wideberth/<channel>/<PARTY>/<epoch>
    <size>
    <root, base64>

    — wideberth/<channel>/<PARTY>/<epoch> <author's node key, type 0x01>
    — <PEER> <peer's node key, type 0x04: time in seconds, signature>

What a node's key signs begins with `DSSEv1 `, `wideberth/` or `cosignature/v1`: no text can stand for another kind.
A cosignature says: as of this time, the largest tree of this strand that I have seen has this root, and it continues
every tree of it that I saw before. There are no extension lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from wideberth.core.limits import INTEGER_MAX
from wideberth.core.records import SidecarRecord
from wideberth.core.seal import canonical, merkle, note
from wideberth.core.seal.keys import Signer, Verifier, b64, must_verify, unb64
from wideberth.core.seal.note import Note, NoteSignature
from wideberth.core.seal.party import check_party_name
from wideberth.errors import BadInput, BadSignature, Malformed, Misuse

KIND: Final = "checkpoint"  # of the sidecar that keeps one
_ORIGIN: Final = re.compile(r"wideberth/([0-9a-f]{64})/([^/\n]+)/([0-9a-f]{32})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_PROOF_HEAD: Final = "c2sp.org/tlog-proof@v1\n"
_PROOF_HASHES_MAX: Final = 64


class Checkpoint(msgspec.Struct, frozen=True):
    """`root` is 32 raw bytes. `size` is the seq of the newest entry in the tree, at least 1."""

    ch: str
    author: str
    epoch: str
    size: int
    root: bytes

    @property
    def origin(self) -> str:
        return f"wideberth/{self.ch}/{self.author}/{self.epoch}"

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"


class Cosigned(msgspec.Struct, frozen=True):
    """A cosignature that verified: whose, and when by that party's clock, in seconds UTC."""

    party: str
    t_s: int


def seal(checkpoint: Checkpoint, node: Signer) -> bytes:
    """Signed by its author."""
    text = checkpoint.text()
    return Note(text, (note.sign(text, checkpoint.origin, node),)).encoded()


def cosignature(checkpoint: Checkpoint, party: str, node: Signer, t_s: int) -> NoteSignature:
    """The line that a peer adds, once it has checked that the tree continues the one it saw before."""
    if not 0 <= t_s <= INTEGER_MAX:
        raise Misuse("the time of a cosignature is in seconds UTC")
    signature = node.sign(_cosigned_text(checkpoint.text(), t_s))
    return NoteSignature(
        party, note.key_id(party, note.COSIGNATURE, node.public), t_s.to_bytes(8, "big") + signature
    )  # fmt: skip


def cosign(data: bytes, party: str, node: Signer, t_s: int) -> bytes:
    """The same note with a peer's line. Raises what `read` raises."""
    checkpoint, signed = read(data)
    return signed.with_line(cosignature(checkpoint, party, node, t_s)).encoded()


def witness(checkpoint: Checkpoint, party: str, node: Signer, t_s: int) -> bytes:
    """A note with a peer's line only, about a tree that this peer computed from what it holds."""
    return Note(checkpoint.text(), (cosignature(checkpoint, party, node, t_s),)).encoded()


def merge(first: bytes, second: bytes) -> bytes:
    """All lines of two notes on the same text. Raises Malformed when the texts differ."""
    (_, one), (_, two) = read(first), read(second)
    if one.text != two.text:
        raise Malformed("checkpoint: these notes are not about the same tree")
    for line in two.signatures:
        one = one.with_line(line)
    return one.encoded()


def read(data: bytes) -> tuple[Checkpoint, Note]:
    """Size and spelling; the caller checks signatures. Raises: Oversized, Malformed."""
    signed = note.read(data)
    lines = signed.text[:-1].split("\n")
    if len(lines) != 3:
        raise Malformed("checkpoint: origin, size and root, and nothing more")
    origin, size = _ORIGIN.fullmatch(lines[0]), _SIZE.fullmatch(lines[1])
    if origin is None or size is None or not 1 <= int(size[0]) <= INTEGER_MAX:
        raise Malformed("checkpoint: the origin or the size is not one of ours")
    try:
        check_party_name(origin[2])
    except BadInput as fault:
        raise Malformed(f"checkpoint: {fault}") from None
    return Checkpoint(origin[1], origin[2], origin[3], int(size[0]), unb64(lines[2], "root", 32)), signed


def check_author(checkpoint: Checkpoint, signed: Note, keys: Sequence[str], verifier: Verifier) -> None:
    """Raises BadSignature unless one of the author's node keys signed."""
    note.check(signed, checkpoint.origin, keys, verifier, f"checkpoint {checkpoint.size} of {checkpoint.author}")


def check_cosigner(
    checkpoint: Checkpoint, signed: Note, party: str, keys: Sequence[str], verifier: Verifier
) -> Cosigned:  # fmt: skip
    """The cosignature of one party. Raises BadSignature when it is missing or does not verify."""
    what = f"cosignature of {party} on checkpoint {checkpoint.size} of {checkpoint.author}"
    found = note.find(signed, party, note.COSIGNATURE, keys)
    if found is None:
        raise BadSignature(f"{what}: there is none", what=what)
    public, data = found
    t_s = int.from_bytes(data[:8], "big")
    if len(data) != 72 or t_s > INTEGER_MAX:
        raise BadSignature(f"{what}: not a time and a signature", what=what)
    must_verify(verifier, public, _cosigned_text(signed.text, t_s), data[8:], what)
    return Cosigned(party, t_s)


def cosigners(
    checkpoint: Checkpoint, signed: Note, keys: Mapping[str, Sequence[str]], verifier: Verifier
) -> tuple[Cosigned, ...]:  # fmt: skip
    """Every cosignature by a known party, in order of names; unknown lines are ignored.

    Raises BadSignature when a line by a known key does not verify.
    """
    known = [p for p in sorted(keys) if note.find(signed, p, note.COSIGNATURE, keys[p]) is not None]
    return tuple(check_cosigner(checkpoint, signed, p, keys[p], verifier) for p in known)


def sidecar(data: bytes, stored_ms: int) -> SidecarRecord:
    """A checkpoint as the store keeps it. One tree head with other signature lines is another sidecar."""
    checkpoint, _ = read(data)
    return SidecarRecord(checkpoint.ch, KIND, checkpoint.author, canonical.sha256(data), data, stored_ms)


def _cosigned_text(text: str, t_s: int) -> bytes:
    return f"cosignature/v1\ntime {t_s}\n{text}".encode()


# --- one entry's proof (C2SP tlog-proof) ---


class EntryProof(msgspec.Struct, frozen=True):
    """That the entry with index `seq − 1` is in the tree of a checkpoint. `note` is the checkpoint as signed."""

    index: int
    path: tuple[bytes, ...]
    note: bytes

    def encoded(self) -> bytes:
        hashes = "".join(f"{b64(h)}\n" for h in self.path)
        return f"{_PROOF_HEAD}index {self.index}\n{hashes}\n".encode() + self.note


def read_proof(data: bytes) -> EntryProof:
    """Spelling only. Raises: Oversized, Malformed."""
    head, gap, signed = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Malformed("proof: not ASCII") from None
    if not gap or len(lines) < 2 or lines[0] + "\n" != _PROOF_HEAD or not lines[1].startswith("index "):
        raise Malformed("proof: it begins with its name and the index")
    index = _SIZE.fullmatch(lines[1].removeprefix("index "))
    if index is None or len(lines) - 2 > _PROOF_HASHES_MAX:
        raise Malformed("proof: the index is not a number, or the path is too long")
    read(signed)
    return EntryProof(int(index[0]), tuple(unb64(h, "proof", 32) for h in lines[2:]), signed)


def check_proof(proof: EntryProof, entry_hash: str) -> Checkpoint:
    """The checkpoint under which the entry stands. Its signatures are the caller's to check. Raises Malformed."""
    checkpoint, _ = read(proof.note)
    if not merkle.verify_inclusion(
        bytes.fromhex(entry_hash), proof.index, checkpoint.size, checkpoint.root, proof.path
    ):  # fmt: skip
        raise Malformed("proof: it does not lead from this entry to the root of the checkpoint")
    return checkpoint
