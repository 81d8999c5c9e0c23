# SPDX-License-Identifier: Apache-2.0
"""The tree of RFC 6962: its own definition as a recursion, the known roots, and proofs that nobody can bend."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.core.seal import merkle
from wideberth.core.seal.merkle import EMPTY_ROOT, Frontier, Tree, verify_consistency, verify_inclusion
from wideberth.errors import Misuse

# The test data of the reference implementation of RFC 6962 (certificate-transparency-go and trillian share it).
LEAVES = [bytes.fromhex(h) for h in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def data(n: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % i).digest() for i in range(n)]


def test_the_roots_are_those_of_the_reference_data() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT == Frontier().root() == Tree().root()
    tree, frontier = Tree(), Frontier()
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        tree.append(leaf)
        frontier.append(leaf)
        assert tree.root().hex() == frontier.root().hex() == root


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]),
        (5, 8, [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    ],
)  # fmt: skip
def test_inclusion_proofs_are_those_of_the_reference_data(index: int, size: int, path: list[str]) -> None:
    assert [h.hex() for h in Tree(LEAVES).inclusion(index, size)] == path


@pytest.mark.parametrize(
    ("old", "size", "proof"),
    [
        (1, 1, []),
        (1, 8, [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]),
        (6, 8, [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]),
        (2, 5, [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ]),
    ],
)  # fmt: skip
def test_consistency_proofs_are_those_of_the_reference_data(old: int, size: int, proof: list[str]) -> None:
    assert [h.hex() for h in Tree(LEAVES).consistency(old, size)] == proof


def test_every_root_and_proof_up_to_40_leaves_is_what_the_recursion_says() -> None:
    leaves = data(40)
    tree, frontier = Tree(leaves), Frontier()
    for size in range(1, 41):
        frontier.append(leaves[size - 1])
        root = naive_root(leaves[:size])
        assert tree.root(size) == frontier.root() == root
        for index in range(size):
            path = tree.inclusion(index, size)
            assert list(path) == naive_path(index, leaves[:size])
            assert verify_inclusion(leaves[index], index, size, root, path)
        for old in range(1, size + 1):
            proof = tree.consistency(old, size)
            assert list(proof) == naive_subproof(old, leaves[:size], True)
            assert verify_consistency(old, tree.root(old), size, root, proof)


@given(size=st.integers(1, 300), index=st.integers(0, 299), change=st.integers(0, 255), how=st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_a_bent_inclusion_proof_leads_nowhere(size: int, index: int, change: int, how: int) -> None:
    leaves = data(size)
    index %= size
    tree = Tree(leaves)
    root, path, leaf = tree.root(), list(tree.inclusion(index)), leaves[index]
    assert verify_inclusion(leaf, index, size, root, path)
    match how:
        case 0:
            leaf = hashlib.sha256(leaf).digest()
        case 1:
            path = [*path, root]
        case 2:
            if not path:
                return
            path = path[:-1]
        case 3:
            if not path:
                return
            at = change % len(path)
            path[at] = bytes([path[at][0] ^ 1]) + path[at][1:]
        case 4:
            if size < 2:
                return
            index = (index + 1 + change % (size - 1)) % size
        case _:
            root = bytes(32)
    assert not verify_inclusion(leaf, index, size, root, path)


@given(old=st.integers(1, 200), more=st.integers(0, 200), change=st.integers(0, 255), how=st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_a_rewritten_past_has_no_consistency_proof(old: int, more: int, change: int, how: int) -> None:
    leaves = data(old + more)
    tree = Tree(leaves)
    proof, root = list(tree.consistency(old)), tree.root()
    assert verify_consistency(old, tree.root(old), old + more, root, proof)
    rewritten = list(leaves[:old])
    rewritten[change % old] = bytes(32)
    assert not verify_consistency(old, naive_root(rewritten), old + more, root, proof)
    if how == 0:
        assert not verify_consistency(old, tree.root(old), old + more, root, [*proof, root])
    elif proof:
        at = change % len(proof)
        bent = [*proof[:at], bytes(32), *proof[at + 1 :]] if how == 1 else proof[:at] + proof[at + 1 :]
        assert not verify_consistency(old, tree.root(old), old + more, root, bent)


@given(size=st.integers(0, 500), more=st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_a_frontier_that_was_kept_goes_on_as_if_it_had_never_stopped(size: int, more: int) -> None:
    leaves = data(size + more)
    first = Frontier()
    for leaf in leaves[:size]:
        first.append(leaf)
    again = Frontier(first.size, first.hashes)
    for leaf in leaves[size:]:
        again.append(leaf)
    assert again.root() == naive_root(leaves)
    assert len(again.hashes) == (size + more).bit_count()


def test_what_makes_no_sense_is_misuse() -> None:
    tree = Tree(data(5))
    for wrong in (lambda: tree.inclusion(5), lambda: tree.root(6), lambda: tree.consistency(0),
                  lambda: tree.consistency(3, 2), lambda: Frontier(3, [bytes(32)])):  # fmt: skip
        with pytest.raises(Misuse):
            wrong()
    assert not verify_inclusion(bytes(32), -1, 5, tree.root(), [])
    assert not verify_consistency(0, EMPTY_ROOT, 5, tree.root(), [])
    assert merkle.root_from_inclusion(data(1)[0], 0, 1, []) == Tree(data(1)).root()
