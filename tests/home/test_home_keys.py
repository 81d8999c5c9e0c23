# SPDX-License-Identifier: Apache-2.0
"""Keys of a home: locked and plain, which of several holds, a root key elsewhere, and changes of all of them."""

import json
import os
import shutil

import pytest

from tests.home.keysworld import NODE_WORDS, NOW_MS, QUICK, ROOT_WORDS, again, card_of, make
from wideberth import home
from wideberth.config import Config
from wideberth.core.seal.keys import Ed25519Signer, Ed25519Verifier
from wideberth.core.seal.party import read_card
from wideberth.errors import BadInput, NotFound
from wideberth.home import SetFacts
from wideberth.link.sealing import seal
from wideberth.link.tls import fingerprint, server_context
from wideberth.rekey import GRACE_MS, NewPost, Rekey, change, needs_new_card, own_card, set_passphrase, settle
from wideberth.signers import HomeSigners

DAY_MS = 86_400_000


@pytest.fixture(params=[False, True], ids=["plain", "locked"])
def locked(request):
    return request.param


@pytest.fixture
def made(tmp_path, locked):
    return make(tmp_path / "blue", locked=locked)


def changed(found, **asked):
    return change(found, Rekey(**asked), entropy=os.urandom, now_ms=NOW_MS + DAY_MS)


# --- at rest ---


def test_no_private_key_lies_in_the_folder_of_a_locked_home(tmp_path):
    made = make(tmp_path / "blue", locked=True)
    secrets = [made.root_seed(), made.node_seed(), *(made.post_seed(p) for p in made.config.posts)]
    needles = [s.hex().encode() for s in secrets] + secrets
    needles += [k.to_bytes() for k in made.sealing_keys()] + [made.identity().key_pem]
    for file in (f for f in made.path.rglob("*") if f.is_file()):
        assert not any(needle in file.read_bytes() for needle in needles), file
    plain = make(tmp_path / "plain", locked=False)
    assert plain.node_seed().hex() in (plain.path / "keys" / "node.seed").read_text()


def test_a_locked_home_says_what_it_needs_and_who_it_is_without_any_passphrase(tmp_path):
    made = make(tmp_path / "blue", locked=True)
    found = home.load(made.path)
    assert (found.encrypted, found.unlocked) == (True, False)
    for read in (found.node_seed, found.sealing_keys, found.identity, lambda: found.post_seed("watch-1")):
        with pytest.raises(BadInput, match="--passphrase-file"):
            read()
    with pytest.raises(BadInput, match="passphrase of its own"):
        found.root_seed()
    assert found.keys.root_public() == Ed25519Signer(made.root_seed()).public
    assert not needs_new_card(found)
    with pytest.raises(BadInput, match="does not open this node's keys"):
        found.unlock(ROOT_WORDS)
    found.unlock(NODE_WORDS)
    assert found.node_seed() == made.node_seed()
    with pytest.raises(BadInput):  # who runs the node cannot sign as the party
        found.root_seed()
    with pytest.raises(BadInput, match="does not open the root key"):
        found.keys.unlock_root(NODE_WORDS)
    found.keys.unlock_root(ROOT_WORDS)
    assert found.root_seed() == made.root_seed()


def test_a_key_file_put_in_the_place_of_another_is_noticed(tmp_path):
    made = make(tmp_path / "blue", locked=True)
    keys = made.path / "keys"
    (keys / "post-supervisor.seed").write_bytes((keys / "post-watch-1.seed").read_bytes())
    with pytest.raises(BadInput, match="put in its place"):
        again(made.path, locked=True).post_seed("supervisor")


def test_a_public_half_that_a_file_only_claims_is_never_certified(tmp_path):
    """Who can write to the folder without a passphrase must not get a key of his own onto a card of ours."""
    made = make(tmp_path / "blue", locked=True)
    theirs = Ed25519Signer(os.urandom(32)).public
    file = made.path / "keys" / "post-watch-1.seed"
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "public": theirs}, sort_keys=True, separators=(",", ":")))
    found = home.load(made.path)
    found.keys.unlock_root(ROOT_WORDS)
    with pytest.raises(BadInput):
        own_card(found)  # still locked
    found.unlock(NODE_WORDS)
    with pytest.raises(BadInput):
        own_card(found)
    assert theirs not in (made.path / "card.json").read_text()


def test_another_passphrase_changes_one_file_and_no_key(tmp_path):
    made = make(tmp_path / "blue", locked=True)
    before = {f: f.read_bytes() for f in made.path.rglob("*") if f.is_file()}
    assert set_passphrase(made, "ten loud geese over the estuary", now_ms=NOW_MS, cost=QUICK) == 0
    differs = [f.name for f, data in before.items() if f.read_bytes() != data]
    assert differs == ["lock.json"]
    found = home.load(made.path)
    with pytest.raises(BadInput):
        found.unlock(NODE_WORDS)
    found.unlock("ten loud geese over the estuary")
    assert found.node_seed() == made.node_seed()


def test_plain_keys_are_locked_later_and_are_the_same_keys(tmp_path):
    made = make(tmp_path / "blue", locked=False)
    seeds = (made.node_seed(), made.post_seed("watch-1"), made.sealing_keys()[0].to_bytes(), made.identity().key_pem)
    card = own_card(made)
    assert set_passphrase(made, NODE_WORDS, now_ms=NOW_MS, cost=QUICK) == 5
    found = again(made.path, locked=True)
    assert (found.node_seed(), found.post_seed("watch-1")) == seeds[:2]
    assert (found.sealing_keys()[0].to_bytes(), found.identity().key_pem) == seeds[2:]
    assert own_card(found) == card
    assert set_passphrase(found, NODE_WORDS, now_ms=NOW_MS, cost=QUICK) == 0


def test_a_lost_lock_is_said(tmp_path):
    made = make(tmp_path / "blue", locked=True)
    (made.path / "keys" / "lock.json").unlink()
    with pytest.raises(BadInput, match=r"lock\.json is missing"):
        home.load(made.path).node_seed()


# --- the root key elsewhere ---


def test_the_root_key_is_brought_on_a_stick_and_only_the_right_one(tmp_path, locked):
    made = make(tmp_path / "blue", locked=locked)
    stick = tmp_path / "root.key"
    shutil.move(made.path / "keys" / "root.seed", stick)
    found = again(made.path, locked=locked)
    assert found.keys.root_public() == card_of(made).root
    with pytest.raises(NotFound, match="--root-key"):
        found.root_seed()
    other = make(tmp_path / "green", locked=locked)
    with pytest.raises(BadInput, match="another one"):
        found.keys.unlock_root(ROOT_WORDS, other.path / "keys" / "root.seed")
    found.keys.unlock_root(ROOT_WORDS, stick)
    _, sealed = changed(found, rotate=("node",))
    card = read_card(sealed.encoded(), Ed25519Verifier(), root=found.keys.root_public())
    assert card.version == 2
    assert Ed25519Signer(again(made.path, locked=locked).node_seed()).public == card.node
    assert not (made.path / "keys" / "root.seed").exists()


# --- changes ---


def test_a_fresh_key_for_every_use_is_certified_and_works(made, locked):
    before, old = card_of(made), (made.node_seed(), made.post_seed("watch-1"))
    uses = ("node", "post/watch-1", "seal", "tls")
    _, sealed = changed(made, rotate=uses)
    card = read_card(sealed.encoded(), Ed25519Verifier(), root=before.root)
    assert card.version == before.version + 1
    assert card.node != before.node
    assert card.posts["watch-1"].key != before.posts["watch-1"].key
    assert card.posts["supervisor"] == before.posts["supervisor"]
    assert (card.sealing != before.sealing, card.tls_sha256 != before.tls_sha256) == (True, True)
    found = again(made.path, locked=locked)
    assert card_of(found) == card
    assert (Ed25519Signer(found.node_seed()).public, found.post_seed("watch-1") != old[1]) == (card.node, True)
    assert fingerprint(found.identity().certificate_pem) == card.tls_sha256
    server_context(found.identity())
    assert [k.public() for k in found.sealing_keys()] == [before.sealing, card.sealing]
    assert own_card(found) == sealed  # nothing is left to be signed


def test_the_old_keys_still_sign_where_the_old_card_holds_until_every_line_has_the_new_one(made, locked):
    before = card_of(made)
    changed(made, rotate=("node", "post/watch-1"))
    found = again(made.path, locked=locked)
    for card in (before, card_of(found)):
        signers = HomeSigners(found)
        assert signers.node_of(card).public == card.node
        assert all(signers.key(post.key) is not None for post in card.posts.values())
    assert sorted(settle(found.keys, NOW_MS)) == ["node", "post/watch-1"]
    signers = HomeSigners(found)
    assert signers.node_of(before).public == before.node  # a record put back from last week's copy
    assert signers.key(before.posts["watch-1"].key) is None
    assert found.keys.prune(NOW_MS + GRACE_MS) == ["node"]
    with pytest.raises(NotFound, match="version 1 of our card"):
        HomeSigners(found).node_of(before)
    assert settle(found.keys, NOW_MS) == []


def test_what_was_sealed_to_the_old_key_opens_until_the_grace_is_over(made, locked):
    (old,) = made.sealing_keys()
    under_way = seal(old.public(), b"late", b"")
    changed(made, rotate=("seal",))
    found = again(made.path, locked=locked)
    settle(found.keys, NOW_MS)
    assert found.keys.prune(NOW_MS + GRACE_MS - 1) == []
    first, current = again(made.path, locked=locked).sealing_keys()
    assert first.open(under_way, b"") == b"late"
    assert current.public() == card_of(found).sealing
    assert found.keys.prune(NOW_MS + GRACE_MS) == ["seal"]
    assert [k.id for k in again(made.path, locked=locked).sealing_keys()] == [current.id]
    changed(again(made.path, locked=locked, root=True), rotate=("seal",))  # numbers are never used twice
    assert sorted(f.name for f in (made.path / "keys").glob("seal-*")) == ["seal-0002.key", "seal-0003.key"]


def test_the_certificate_goes_with_its_key(made, locked):
    before = made.identity()
    changed(made, rotate=("tls",))
    found = again(made.path, locked=locked)
    settle(found.keys, NOW_MS)
    old, new = found.keys.files("tls")
    assert found.keys.identity(old) == before
    assert found.keys.identity(new) == found.identity() != before
    found.keys.prune(NOW_MS + GRACE_MS)
    assert sorted(f.name for f in (made.path / "keys").rglob("*tls*")) == ["tls.0002.crt", "tls.0002.key"]


def test_a_post_is_added_with_what_it_is(made, locked):
    found, sealed = changed(made, add={"watch-2": NewPost(), "duty-officer": NewPost(supervisor=True)})
    assert found.config.posts == ("watch-1", "supervisor", "watch-2", "duty-officer")
    card = read_card(sealed.encoded(), Ed25519Verifier())
    assert (card.posts["duty-officer"].supervisor, card.posts["watch-2"].supervisor) == (True, False)
    reloaded = again(made.path, locked=locked)
    assert reloaded.config == found.config
    assert Ed25519Signer(reloaded.post_seed("watch-2")).public == card.posts["watch-2"].key
    with pytest.raises(BadInput, match="already"):
        changed(found, add={"watch-2": NewPost()})
    with pytest.raises(BadInput):
        changed(found, add={"Watch 3": NewPost()})
    # What a post is stays with it, whatever is signed later.
    found, sealed = changed(found, rotate=("post/duty-officer",))
    assert read_card(sealed.encoded(), Ed25519Verifier()).posts["duty-officer"].supervisor


def test_a_post_is_revoked_with_its_key(made, locked):
    found, sealed = changed(made, revoke=("watch-1",))
    card = read_card(sealed.encoded(), Ed25519Verifier())
    assert set(card.posts) == {"supervisor"}
    assert not list((made.path / "keys").rglob("post-watch-1*"))
    assert again(made.path, locked=locked).config.posts == ("supervisor",)
    with pytest.raises(BadInput, match="last post"):
        changed(found, revoke=("supervisor",))
    with pytest.raises(NotFound, match="watch-1"):
        changed(found, revoke=("watch-1",))
    # A post of that name later is another key.
    changed(found, add={"watch-1": NewPost()})
    assert card_of(again(made.path, locked=locked)).posts["watch-1"].key


def test_a_break_glass_post_has_a_passphrase_of_its_own(made, locked):
    words = "hammer lagoon velvet orbit cinder maple"
    _, sealed = changed(made, add={"break-glass": NewPost(passphrase=words)}, cost=QUICK)
    card = read_card(sealed.encoded(), Ed25519Verifier())
    assert card.posts["break-glass"].break_glass
    reloaded = again(made.path, locked=locked, root=True)
    (file,) = reloaded.keys.files("post/break-glass")
    with pytest.raises(BadInput, match="passphrase of its own"):
        reloaded.keys.signer(file)
    signers = HomeSigners(reloaded)
    key = card.posts["break-glass"].key
    assert signers.key(key) is None
    seed = bytes.fromhex(reloaded.keys.secret_by_passphrase(file, words).decode())
    with signers.lent(Ed25519Signer(seed)):
        lent = signers.key(key)
        assert lent is not None
        assert lent.public == key
    assert signers.key(key) is None
    assert own_card(reloaded) == sealed  # other changes carry it along unopened
    reloaded, again_ = changed(reloaded, rotate=("node",))
    assert read_card(again_.encoded(), Ed25519Verifier()).posts["break-glass"] == card.posts["break-glass"]
    with pytest.raises(BadInput, match="needs a passphrase"):
        changed(reloaded, rotate=("post/break-glass",))
    changed(reloaded, rotate=("post/break-glass",), passphrases={"break-glass": words + " kiln"}, cost=QUICK)
    _, fresh = reloaded.keys.files("post/break-glass")
    assert reloaded.keys.secret_by_passphrase(fresh, words + " kiln")


def test_a_lost_key_is_replaced_with_the_root_key_alone(made, locked):
    for name in ("node.seed", "post-watch-1.seed"):
        (made.path / "keys" / name).unlink()
    found = again(made.path, locked=locked, root=True)
    with pytest.raises(NotFound):
        found.node_seed()
    changed(found, rotate=("node", "post/watch-1"))
    found = again(made.path, locked=locked)
    assert Ed25519Signer(found.node_seed()).public == card_of(found).node
    assert card_of(found).version == 2


def test_what_cannot_be_done_leaves_everything_as_it_was(made, locked):
    before = {f: f.read_bytes() for f in made.path.rglob("*") if f.is_file()}
    for asked in (
        {"rotate": ("post/nobody",)}, {"revoke": ("nobody",)}, {"add": {"watch-1": NewPost()}},
        {"revoke": ("watch-1", "supervisor")},
    ):  # fmt: skip
        with pytest.raises((BadInput, NotFound)):
            changed(made, **asked)
    if locked:
        with pytest.raises(BadInput, match="passphrase"):
            changed(home.load(made.path), rotate=("node",))
    assert {f: f.read_bytes() for f in made.path.rglob("*") if f.is_file()} == before


def test_new_settings_make_a_new_card_and_a_card_that_was_spoilt_is_refused(made):
    found = made.save(Config(party="BLUE", contact="+1", posts=made.config.posts))
    assert needs_new_card(found)
    own_card(found)
    assert (card_of(found).version, card_of(found).contact) == (2, "+1")
    card = made.path / "card.json"
    card.write_bytes(card.read_bytes().replace(b'"sig":"', b'"sig":"AAAA'))
    with pytest.raises(BadInput, match="restore it from a backup"):
        found.keys.card()


# --- keys of one mechanism alone ---

NONCE = "0a" * 16


@pytest.mark.parametrize("own_root", [False, True])
def test_a_mechanism_has_keys_of_its_own(made, locked, own_root):
    passphrases = home.Passphrases("", "a root for the cape alone", QUICK) if locked else None
    keys = made.add_set(NONCE, SetFacts("Cape", own_root), entropy=os.urandom, now_ms=NOW_MS, passphrases=passphrases)
    sealed = own_card(made, keys)
    ours, theirs = card_of(made), read_card(sealed.encoded(), Ed25519Verifier())
    assert (theirs.root == ours.root) is not own_root
    assert theirs.node != ours.node
    assert theirs.sealing != ours.sealing
    assert not {p.key for p in theirs.posts.values()} & {p.key for p in ours.posts.values()}
    assert theirs.tls_sha256 == ours.tls_sha256  # shared: one node listens at one address
    found = again(made.path, locked=locked)
    assert [s.name for s in found.sets()] == ["", NONCE]
    assert [found.set_named(n).name for n in (NONCE, "0b" * 16)] == [NONCE, ""]
    signers = HomeSigners(found)
    for card in (ours, theirs):
        assert signers.node_of(card).public == card.node
        assert all(signers.key(post.key) is not None for post in card.posts.values())


def test_a_set_whose_keys_are_out_is_changed_alone(made, locked):
    keys = made.add_set(NONCE, SetFacts("Cape", False), entropy=os.urandom, now_ms=NOW_MS)
    own_card(made, keys)
    before = card_of(made)
    found = again(made.path, locked=locked, root=True)
    cape = found.sets()[1]
    _, sealed = change(
        found, Rekey(rotate=("node", "seal", "post/watch-1")), entropy=os.urandom, now_ms=NOW_MS, keys=cape
    )
    assert read_card(sealed.encoded(), Ed25519Verifier()).version == 2
    assert card_of(again(made.path, locked=locked)) == before
    with pytest.raises(BadInput, match="shared"):
        change(found, Rekey(rotate=("tls",)), entropy=os.urandom, now_ms=NOW_MS, keys=cape)
    change(found, Rekey(revoke=("watch-1",)), entropy=os.urandom, now_ms=NOW_MS, keys=cape)
    assert again(made.path, locked=locked).config.posts == ("watch-1", "supervisor")


def test_a_key_of_one_set_does_not_pass_for_one_of_another(tmp_path):
    made = make(tmp_path / "blue", locked=True)
    keys = made.add_set(NONCE, SetFacts("Cape", False), entropy=os.urandom, now_ms=NOW_MS)
    shutil.copy(made.path / "keys" / "node.seed", keys.path / "keys" / "node.seed")
    with pytest.raises(BadInput, match="put in its place"):
        keys.seed("node", "")
