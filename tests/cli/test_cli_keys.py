# SPDX-License-Identifier: Apache-2.0
"""`keys` and `fingerprint` on folders without a running node; beside running ones they are in tests/e2e."""

import pytest

from tests.cli.cliworld import wideberth
from tests.home.keysworld import NODE_WORDS, ROOT_WORDS, card_of, make
from wideberth import fingerprint, home, join, rekey
from wideberth.cli import exits
from wideberth.core.seal.keys import key_id
from wideberth.home import SetFacts


@pytest.fixture
def words(tmp_path):
    files = {}
    for name, text in (("node", NODE_WORDS), ("root", ROOT_WORDS), ("new", "ten loud geese over the estuary")):
        files[name] = tmp_path / name
        files[name].write_text(text)
        files[name].chmod(0o600)
    return files


@pytest.fixture
def blue(tmp_path):
    return make(tmp_path / "blue", locked=True)


@pytest.fixture
def opened(blue, words):
    """What is typed before each verb."""
    files = ("--passphrase-file", str(words["node"]), "--root-passphrase-file", str(words["root"]))

    def run(*args):
        return wideberth("--dir", str(blue.path), *files, *args)

    return run


def test_the_list_asks_for_nothing_and_names_every_key(blue):
    said = wideberth("--dir", str(blue.path), "keys", "list", "--json")
    assert said.code == 0, said.err
    rows = {row["key"]: row for row in said.data}
    assert set(rows) == {"node", "BLUE/watch-1", "BLUE/supervisor", "sealing", "tls", "root"}
    card = card_of(blue)
    assert (rows["node"]["public"], rows["node"]["id"]) == (card.node, key_id(card.node))
    assert (rows["root"]["locked"], rows["node"]["locked"], rows["BLUE/supervisor"]["supervisor"]) == (
        "passphrase", "home", True
    )  # fmt: skip
    told = wideberth("--dir", str(blue.path), "keys", "list").out
    assert card.tls_sha256[:16] in told
    assert "NOT ENCRYPTED" not in told


def test_a_key_is_changed_and_the_list_shows_both(blue, opened):
    said = opened("keys", "rotate", "watch-1", "sealing", "--json")
    assert (said.code, said.data[0]["card"], said.data[0]["said"]) == (0, 2, None), said.err
    states = [(r["key"], r["state"]) for r in opened("keys", "list", "--json").data]
    assert states.count(("BLUE/watch-1", "replaced")) == states.count(("BLUE/watch-1", "in use")) == 1
    assert states.count(("sealing", "in use")) == 1


def test_posts_come_and_go(blue, opened):
    assert opened("keys", "add", "night-officer", "--supervisor").code == 0
    assert card_of(home.load(blue.path)).posts["night-officer"].supervisor
    assert opened("keys", "revoke", "watch-1").code == 0
    assert set(card_of(home.load(blue.path)).posts) == {"supervisor", "night-officer"}
    again = opened("keys", "revoke", "watch-1")
    assert (again.code, "no post 'watch-1'" in again.err) == (exits.NOT_FOUND, True)


def test_without_the_root_key_nothing_is_changed(blue, words):
    before = {f: f.read_bytes() for f in blue.path.rglob("*") if f.is_file()}
    for args in (("rotate", "node"), ("add", "watch-9"), ("revoke", "watch-1")):
        said = wideberth("--dir", str(blue.path), "--passphrase-file", str(words["node"]), "keys", *args)
        assert said.code == exits.OURS
        assert "--root-passphrase-file" in said.err
    assert {f: f.read_bytes() for f in blue.path.rglob("*") if f.is_file()} == before


def test_a_break_glass_passphrase_is_shown_once_as_words_and_as_a_code(blue, opened, tmp_path):
    said = opened("keys", "add", "break-glass", "--break-glass", "--svg", str(tmp_path / "glass.svg"))
    assert said.code == 0, said.err
    (line,) = [row.strip() for row in said.out.splitlines() if len(row.split()) == 8 and row.replace(" ", "").isalpha()]
    assert "█" in said.out
    assert (tmp_path / "glass.svg").read_text().startswith("<svg")
    found = home.load(blue.path)
    (file,) = found.keys.files("post/break-glass")
    assert found.keys.secret_by_passphrase(file, line)
    assert not [f for f in blue.path.rglob("*") if f.is_file() and line.encode() in f.read_bytes()]
    once_more = opened("keys", "rotate", "break-glass", "--svg", str(tmp_path / "glass.svg"))
    assert (once_more.code, "not written over" in once_more.err) == (exits.OURS, True)
    assert card_of(home.load(blue.path)).version == 2
    assert opened("keys", "add", "watch-9", "--svg", "x.svg").code == exits.OURS


def test_passphrases_are_changed(blue, opened, words):
    assert opened("keys", "passphrase", "--new-passphrase-file", str(words["new"])).code == 0
    assert opened("keys", "rotate", "node").code == exits.OURS
    found = home.load(blue.path)
    found.unlock("ten loud geese over the estuary")
    assert opened("keys", "passphrase", "--root", "--new-passphrase-file", str(words["new"])).code == 0
    found.keys.unlock_root("ten loud geese over the estuary")
    refused = opened("keys", "passphrase")
    assert refused.code == exits.OURS


def test_plain_keys_get_their_first_passphrase(tmp_path, words):
    made = make(tmp_path / "plain", locked=False)
    run = ("--dir", str(made.path), "keys", "passphrase", "--new-passphrase-file", str(words["new"]))
    said = wideberth(*run)
    assert (said.code, "5 keys are encrypted now" in said.out) == (0, True), said.err
    assert wideberth(*run, "--root").code == 0
    found = home.load(made.path)
    assert {found.keys.facts(f).by for f in found.keys.files()} == {"home", "passphrase"}
    assert "passphrase" not in wideberth("--dir", str(made.path), "doctor").err


def test_the_root_key_goes_to_a_stick_and_works_from_there(blue, opened, tmp_path):
    stick, other = tmp_path / "root.key", make(tmp_path / "green", locked=False).path / "keys" / "root.seed"
    assert "--root-key" in opened("keys", "root", "forget").err
    assert opened("keys", "root", "export", str(stick)).code == 0
    assert opened("keys", "root", "export", str(stick)).code == exits.OURS
    for copy in (other, blue.path / "keys" / "root.seed"):
        assert opened("keys", "root", "forget", "--root-key", str(copy)).code == exits.OURS
    assert (blue.path / "keys" / "root.seed").exists()
    said = opened("keys", "root", "forget", "--root-key", str(stick))
    assert said.code == 0, said.err
    assert home.load(blue.path).keys.root_file() is None
    assert opened("keys", "rotate", "node").code == exits.NOT_FOUND
    assert opened("keys", "rotate", "node", "--root-key", str(stick)).code == 0
    assert opened("keys", "root", "forget", "--root-key", str(stick)).code == exits.NOT_FOUND


def test_a_mechanism_with_keys_of_its_own_is_named_with_for(blue, opened):
    keys = blue.add_set("0a" * 16, SetFacts("Cape", False), entropy=lambda n: bytes(range(n)), now_ms=1)
    rekey.own_card(blue, keys)
    assert opened("keys", "rotate", "node", "--for", "Cape").code == 0
    assert opened("keys", "rotate", "node", "--for", "Coast").code == exits.NOT_FOUND
    rows = opened("keys", "list", "--json").data
    assert {r["for"]: r["card"] for r in rows} == {"all other mechanisms": 1, "Cape": 2}
    # The certificate is everybody's: a fresh one is on every card.
    assert opened("keys", "rotate", "tls").code == 0
    found = home.load(blue.path)
    ours, cape = (card_of(found), found.sets()[1].card())
    assert cape is not None
    assert (ours.version, cape.version, ours.tls_sha256) == (2, 3, cape.tls_sha256)


# --- fingerprints ---


def test_our_fingerprint_in_words_and_for_a_camera(blue, tmp_path):
    run = ("--dir", str(blue.path), "fingerprint")
    data = wideberth(*run, "--json").data[0]
    assert data["words"] == join.words(blue)
    assert fingerprint.read_code(data["code"]) == ("BLUE", fingerprint.digest(card_of(blue).root))
    shown = wideberth(*run, "--qr", "--svg", str(tmp_path / "f.svg"))
    assert (shown.code, data["code"] in shown.out, "█" in shown.out) == (0, True, True)
    assert (tmp_path / "f.svg").read_text().startswith("<svg")
    assert wideberth(*run, "--svg", str(tmp_path / "f.svg")).code == exits.OURS
    assert wideberth(*run, "--file", "x").code == exits.OURS


def test_what_was_scanned_is_compared_with_the_keys_that_are_known(world, tmp_path):
    theirs = world.do("GREEN", "fingerprint", "--json").data[0]
    for text in (theirs["code"], theirs["code"].lower(), theirs["words"]):
        said = world.do("BLUE", "fingerprint", "--check", text)
        assert (said.code, "THE SAME: GREEN's key on line" in said.out) == (0, True), said.out + said.err
    thief = fingerprint.code_of("GREEN", card_of(make(tmp_path / "thief", locked=False)).root)
    said = world.do("BLUE", "fingerprint", "--check", thief)
    assert (said.code, "ANOTHER one. Sign nothing" in said.out) == (exits.FOUND, True)
    renamed = fingerprint.code_of("RED", fingerprint_root(world))
    said = world.do("BLUE", "fingerprint", "--check", renamed, "--json")
    assert (said.code, said.data[0]["same"]) == (exits.FOUND, False)
    nobody = fingerprint.code_of("RED", card_of(make(tmp_path / "red", locked=False)).root)
    assert "none of RED is known" in world.do("BLUE", "fingerprint", "--check", nobody).out
    bent = theirs["code"][:-1] + ("0" if theirs["code"][-1] != "0" else "1")
    said = world.do("BLUE", "fingerprint", "--check", bent)
    assert (said.code, "Scan it again" in said.err) == (exits.OURS, True)


def fingerprint_root(world):
    return world.services["GREEN"].home.keys.root_public()


def test_an_invitation_is_accepted_by_a_scanned_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blue, green = (make(tmp_path / p, locked=False, party=p.upper()) for p in ("blue", "green"))
    offer = ("invite", "GREEN", "--mechanism", "Cape", "--area", "40,-40,43,-37")
    assert wideberth("--dir", str(blue.path), *offer).code == 0
    code = wideberth("--dir", str(blue.path), "fingerprint", "--json").data[0]["code"]
    wrong = fingerprint.code_of("BLUE", card_of(green).root)
    accept = ("--dir", str(green.path), "accept", "invite-GREEN.json", "--words")
    assert wideberth(*accept, wrong).code == exits.OURS
    assert wideberth(*accept, code).code == 0
    seen = wideberth("--dir", str(green.path), "fingerprint", "--check", code, "--file", "invite-GREEN.json")
    assert "in invite-GREEN.json" in seen.out


AREA = ("--area", "40,-40,43,-37")


@pytest.mark.parametrize("locked", [False, True])
def test_invited_and_accepted_with_keys_of_its_own_from_the_command_line(tmp_path, monkeypatch, words, locked):
    monkeypatch.chdir(tmp_path)
    blue, green = (make(tmp_path / p, locked=locked, party=p.upper()) for p in ("blue", "green"))
    files = ("--passphrase-file", str(words["node"]), "--root-passphrase-file", str(words["root"])) if locked else ()

    def do(made, *args):
        said = wideberth("--dir", str(made.path), *files, *args, "--json")
        assert said.code == 0, said.err
        return said.data[0]

    offered = do(blue, "invite", "GREEN", "--mechanism", "Cape", *AREA, "--own-keys", "--own-root")
    usual = {p: do(m, "fingerprint")["words"] for p, m in (("BLUE", blue), ("GREEN", green))}
    assert offered["words"] != usual["BLUE"], "the words that are read out are those of the root in the file"
    assert do(blue, "fingerprint", "--for", "Cape")["words"] == offered["words"]
    accepted = do(green, "accept", "invite-GREEN.json", "--words", offered["words"], "--own-keys")
    assert accepted["words"] == usual["GREEN"], "keys of its own, under the usual root"
    done = do(blue, "accept", "reply-GREEN.json", "--words", accepted["words"])
    assert (done["complete"], done["words"]) == (True, offered["words"])
    for made, own_root in ((blue, True), (green, False)):
        found = home.load(made.path)
        ours, cape = (s.card() for s in found.sets())
        assert ours is not None
        assert cape is not None
        assert (cape.root == ours.root) is not own_root
        assert (cape.node != ours.node, cape.sealing != ours.sealing) == (True, True)
        locks = {found.sets()[1].facts(f).by for f in found.sets()[1].files()}
        assert locks == ({"home", "passphrase"} if locked and own_root else {"home"} if locked else {"plain"})
    ((_, _, cards),) = join.lines_on_file(home.load(blue.path))
    assert home.load(blue.path).sets()[1].card_bytes() in cards, "the other side gets the card of that mechanism alone"


def test_a_mechanism_of_more_than_two_is_founded_with_keys_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = {p: make(tmp_path / p.lower(), locked=False, party=p) for p in ("BLUE", "GREEN", "AMBER")}

    def do(party, *args):
        said = wideberth("--dir", str(made[party].path), *args, "--json")
        assert said.code == 0, said.err
        return said.data[0]

    do("BLUE", "invite", "GREEN", "AMBER", "--mechanism", "Strait", *AREA, "--own-keys", "--own-root")
    words = {"BLUE": do("BLUE", "fingerprint", "--for", "Strait")["words"]}
    for party in ("GREEN", "AMBER"):
        own = ("--own-keys",) if party == "GREEN" else ()
        words[party] = do(party, "accept", "invite-Strait.json", "--words", words["BLUE"], *own)["words"]
    for party in ("GREEN", "AMBER"):
        came = do("BLUE", "accept", f"joining-{party}.json", "--words", words[party])
    assert came["what"] == "CHARTER"
    for party, other in (("GREEN", "AMBER"), ("AMBER", "GREEN")):
        heard = [f"--words={p}={words[p]}" for p in ("BLUE", other)]
        do(party, "accept", "charter-Strait.json", *heard)
        came = do("BLUE", "accept", f"signature-{party}.json")
    assert came["complete"]
    assert [len(home.load(made[p].path).sets()) for p in ("BLUE", "GREEN", "AMBER")] == [2, 2, 1]
