# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree over one strand of one epoch (RFC 6962 §2.1; verification as in RFC 9162 §2.1.3 and §2.1.4).

    leaf data   the 32 bytes of an entry's hash, in the order of `seq` (index = seq − 1)
    leaf hash   SHA-256(0x00 || leaf data)            node hash   SHA-256(0x01 || left || right)

`Frontier` is what a writer keeps: appending costs a hash and a little, whatever the size. `Tree` also keeps the inner
nodes, 64 bytes per leaf in all, and makes proofs. All hashes here are 32 raw bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from wideberth.errors import Malformed, Misuse

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """Roots of the complete subtrees, the largest first: one for each bit that is set in `size`."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or len(hashes) != size.bit_count() or any(len(h) != 32 for h in hashes):
            raise Misuse(f"a tree of {size} leaves has {max(size, 0).bit_count()} complete subtrees")
        self._size = size
        self._hashes = list(hashes)

    @property
    def size(self) -> int:
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """To be kept, and given to `Frontier(size, hashes)` again."""
        return tuple(self._hashes)

    def append(self, data: bytes) -> None:
        hash_, bits = leaf_hash(data), self._size
        while bits & 1:
            hash_ = node_hash(self._hashes.pop(), hash_)
            bits >>= 1
        self._hashes.append(hash_)
        self._size += 1

    def root(self) -> bytes:
        if not self._hashes:
            return EMPTY_ROOT
        hash_ = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            hash_ = node_hash(left, hash_)
        return hash_


class Tree:
    """All complete subtrees by level: `_levels[k][i]` covers leaves i·2^k to (i+1)·2^k − 1."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for data in leaves:
            self.append(data)

    @property
    def size(self) -> int:
        return len(self._levels[0])

    def append(self, data: bytes) -> None:
        hash_, level = leaf_hash(data), 0
        while True:
            row = self._levels[level]
            row.append(hash_)
            if len(row) & 1:
                return
            hash_, level = node_hash(row[-2], row[-1]), level + 1
            if level == len(self._levels):
                self._levels.append([])

    def root(self, size: int | None = None) -> bytes:
        """Of the first `size` leaves; of all by default."""
        size = self.size if size is None else size
        self._must_have(size)
        return self._covering(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """PATH(index, D[size]) of RFC 6962 §2.1.1, from the leaf's sibling up."""
        size = self.size if size is None else size
        self._must_have(size)
        if not 0 <= index < size:
            raise Misuse(f"there is no leaf {index} in a tree of {size}")
        path: list[bytes] = []
        first, last = 0, size
        while last - first > 1:
            middle = first + _split(last - first)
            if index < middle:
                path.append(self._covering(middle, last))
                last = middle
            else:
                path.append(self._covering(first, middle))
                first = middle
        return tuple(reversed(path))

    def consistency(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        """PROOF(old, D[size]) of RFC 6962 §2.1.2; empty when the sizes are equal."""
        size = self.size if size is None else size
        self._must_have(size)
        if not 0 < old <= size:
            raise Misuse(f"no proof leads from {old} leaves to {size}")
        proof: list[bytes] = []
        first, last, whole = 0, size, True
        while old != last:
            middle = first + _split(last - first)
            if old <= middle:
                proof.append(self._covering(middle, last))
                last = middle
            else:
                proof.append(self._covering(first, middle))
                first, whole = middle, False
        if not whole:
            proof.append(self._covering(first, last))
        return tuple(reversed(proof))

    def _must_have(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise Misuse(f"this tree has {self.size} leaves, not {size}")

    def _covering(self, first: int, last: int) -> bytes:
        """MTH(D[first:last]), where `first` is a multiple of the least power of two that is not below the width."""
        width = last - first
        if width & (width - 1) == 0:
            return self._levels[width.bit_length() - 1][first // width]
        middle = first + _split(width)
        return node_hash(self._covering(first, middle), self._covering(middle, last))


def root_from_inclusion(data: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that the proof leads to (RFC 9162 §2.1.3.2). Raises Malformed when it has the wrong length."""
    if not 0 <= index < size:
        raise Malformed(f"inclusion proof: there is no leaf {index} in a tree of {size}")
    at, last, hash_ = index, size - 1, leaf_hash(data)
    for sibling in proof:
        if last == 0:
            raise Malformed("inclusion proof: too long")
        if at & 1 or at == last:
            hash_ = node_hash(sibling, hash_)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hash_ = node_hash(hash_, sibling)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise Malformed("inclusion proof: too short")
    return hash_


def verify_inclusion(data: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `data` is leaf `index` of the tree of `size` leaves with this root."""
    try:
        return root_from_inclusion(data, index, size, proof) == root
    except Malformed:
        return False


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `old` leaves is the beginning of the tree of `size` (RFC 9162 §2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and after == root


def _split(width: int) -> int:
    """The largest power of two below `width` (at least 2)."""
    return 1 << (width - 1).bit_length() - 1
