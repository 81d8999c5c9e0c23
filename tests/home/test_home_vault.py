# SPDX-License-Identifier: Apache-2.0
"""Key files: what they say, what opens them, and that nothing else does."""

import json

import nacl.pwhash
import pytest
from nacl.secret import Aead

from tests.home.keysworld import NOW_MS, QUICK
from wideberth.core.seal import canonical
from wideberth.core.seal.keys import unb64
from wideberth.errors import BadInput
from wideberth.vault import MODERATE, Vault, is_locked, lock_by_passphrase, open_by_passphrase, parse

WORDS = "a heron stands on one leg"
SECRET = b"00" * 32 + b"\n"


@pytest.fixture
def locked():
    vault, lock = Vault.make(WORDS, now_ms=NOW_MS, cost=QUICK)
    return vault, lock, vault.lock("node", SECRET, "PUBLIC", NOW_MS)


def test_what_was_locked_opens_again_with_the_passphrase(locked):
    _, lock, text = locked
    assert Vault.unlock(lock, WORDS).open("node", text) == SECRET
    assert is_locked(text)
    assert SECRET.strip() not in text


def test_the_file_can_be_opened_by_its_description_alone(locked):
    """As docs/keys.md says it, with libsodium and nothing of ours but the one spelling."""
    _, lock, text = locked
    home = json.loads(lock)
    by = home["by"]
    assert (by["with"], by["kdf"]) == ("passphrase", "argon2id13")
    stretched = nacl.pwhash.argon2id.kdf(
        32, WORDS.encode(), unb64(by["salt"], "salt"), opslimit=by["ops"], memlimit=by["mem_kib"] * 1024
    )

    def opened(key, file):
        header = {k: ("" if k in ("box", "nonce") else v) for k, v in file.items()}
        aad = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
        return Aead(key).decrypt(unb64(file["box"], "box"), aad, unb64(file["nonce"], "nonce"))

    home_key = opened(stretched, home)
    node = json.loads(text)
    assert node["by"] == {"with": "home", "id": home["public"]}
    assert opened(home_key, node) == SECRET


def test_people_get_argon2id_at_a_moderate_cost():
    assert MODERATE == (nacl.pwhash.argon2id.OPSLIMIT_MODERATE, nacl.pwhash.argon2id.MEMLIMIT_MODERATE // 1024)
    assert parse(Vault.make(WORDS, now_ms=NOW_MS)[1]).by.mem_kib == 256 * 1024


@pytest.mark.parametrize("words", [WORDS + "s", WORDS.upper(), " " + WORDS, "", "x" * 20])
def test_another_passphrase_opens_nothing_and_says_so_in_words(locked, words):
    with pytest.raises(BadInput, match="does not open this node's keys") as caught:
        Vault.unlock(locked[1], words)
    assert caught.value.details == {"field": "passphrase", "wrong": True}


def test_an_accent_typed_in_two_ways_is_one_passphrase():
    text = lock_by_passphrase("root", SECRET, "", "caf\u00e9 au lait, tiede", now_ms=0, cost=QUICK)
    assert open_by_passphrase("root", text, "cafe\u0301 au lait, tiede") == SECRET


def test_no_bit_of_a_file_can_be_changed(locked):
    vault, _, text = locked
    for name, value in (("made_ms", 1), ("public", "OTHER"), ("v", 1), ("box", "AAAA"), ("nonce", "AAAA")):
        changed = canonical.encode({**json.loads(text), name: value})
        if changed.strip() == text.strip():
            continue
        with pytest.raises(BadInput):
            vault.open("node", changed)
    bent = bytearray(text)
    at = bent.index(b'"box":"') + 9
    bent[at] = ord("A") if bent[at] != ord("A") else ord("B")
    with pytest.raises(BadInput, match="does not open with"):
        vault.open("node", bytes(bent))


def test_one_key_cannot_be_put_in_the_place_of_another(locked):
    vault, _, text = locked
    with pytest.raises(BadInput, match="put in its place"):
        vault.open("post/supervisor", text)


def test_a_key_of_another_home_does_not_open(locked):
    other = Vault.make(WORDS, now_ms=NOW_MS, cost=QUICK)[0]
    with pytest.raises(BadInput, match="do not belong together"):
        other.open("node", locked[2])


def test_a_key_under_the_home_key_is_not_asked_for_a_passphrase_and_the_other_way_round(locked):
    vault, lock, text = locked
    with pytest.raises(BadInput, match="not by a passphrase"):
        open_by_passphrase("node", text, WORDS)
    with pytest.raises(BadInput):
        vault.open("home", lock)


def test_a_file_that_asks_for_too_much_memory_is_refused_before_it_gets_any(locked):
    for change in ({"mem_kib": 2**40}, {"ops": 10_000}, {"kdf": "scrypt"}, {"mem_kib": 0}):
        file = json.loads(locked[1])
        file["by"].update(change)
        with pytest.raises(BadInput, match="does not know how"):
            Vault.unlock(canonical.encode(file), WORDS)


@pytest.mark.parametrize("data", [b"", b"{}", b"{", b"null", b"\xff", b'{"wideberth":"locked"}', b"[" * 10_000])
def test_what_is_no_key_file_is_refused_in_words(data):
    with pytest.raises(BadInput, match="not an encrypted key"):
        parse(data)


@pytest.mark.parametrize("words", ["short", " " * 40, "x" * 2000])
def test_a_passphrase_that_is_worth_nothing_is_refused(words):
    with pytest.raises(BadInput, match="drawn by lot"):
        Vault.make(words, now_ms=NOW_MS, cost=QUICK)


def test_the_home_key_is_not_printed_and_can_be_overwritten(locked):
    vault, _, text = locked
    assert "Vault(" in repr(vault)
    vault.forget()
    with pytest.raises(BadInput):
        vault.open("node", text)
