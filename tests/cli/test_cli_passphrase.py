# SPDX-License-Identifier: Apache-2.0
"""Where passphrases come from when nobody is there to be asked. At a terminal: tests/e2e/test_passphrases.py."""

import json

import pytest

from tests.cli.cliworld import wideberth
from tests.home import keysworld
from tests.home.keysworld import NODE_WORDS, ROOT_WORDS, make
from wideberth import home
from wideberth.cli import exits

INVITE = ("invite", "GREEN", "--mechanism", "Cape", "--area", "40,-40,43,-37")


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {}
    for name, words in (
        ("node", NODE_WORDS),
        ("root", ROOT_WORDS),
        ("wrong", "not these words at all"),
        ("short", "x"),
    ):
        found[name] = tmp_path / f"{name}.txt"
        found[name].write_text(words + "\nnot this line\n")
        found[name].chmod(0o600)
    return found


@pytest.fixture
def blue(tmp_path):
    return make(tmp_path / "blue", locked=True).path


def test_without_a_terminal_and_without_a_word_nothing_is_made(tmp_path):
    said = wideberth("--dir", str(tmp_path / "n"), "init", "BLUE")
    assert said.code == exits.OURS
    for way in ("--passphrase-file FILE", "WIDEBERTH_PASSPHRASE_FILE", "--no-passphrase"):
        assert way in said.err
    assert not (tmp_path / "n").exists()


def test_plain_keys_are_made_when_that_is_said_and_there_is_a_warning(tmp_path):
    said = wideberth("--dir", str(tmp_path / "n"), "init", "BLUE", "--no-passphrase", "--json")
    assert (said.code, said.data[0]["encrypted"]) == (0, False)
    assert "unencrypted" in said.err
    assert not home.load(tmp_path / "n").encrypted


def test_keys_are_made_under_the_passphrases_in_two_files(tmp_path, files, monkeypatch):
    monkeypatch.setattr("wideberth.vault.MODERATE", keysworld.QUICK)
    said = wideberth("--dir", str(tmp_path / "n"), "init", "BLUE", "--json", "--passphrase-file", str(files["node"]),
                     "--root-passphrase-file", str(files["root"]))  # fmt: skip
    assert (said.code, said.data[0]["encrypted"], said.err) == (0, True, "")
    found = home.load(tmp_path / "n")
    found.unlock(NODE_WORDS)
    found.keys.unlock_root(ROOT_WORDS)


def test_one_passphrase_for_both_is_warned_about(tmp_path, files):
    said = wideberth("--dir", str(tmp_path / "n"), "init", "BLUE", "--passphrase-file", str(files["node"]))
    assert said.code == 0
    assert "keys passphrase --root" in said.err
    home.load(tmp_path / "n").keys.unlock_root(NODE_WORDS)


def test_a_passphrase_file_is_refused_in_words(tmp_path, files):
    new = ("--dir", str(tmp_path / "n"), "init", "BLUE", "--passphrase-file")
    files["node"].chmod(0o640)
    said = wideberth(*new, str(files["node"]))
    assert (said.code, "chmod 600" in said.err) == (exits.OURS, True)
    assert wideberth(*new, str(tmp_path / "none")).code == exits.NOT_FOUND
    assert "drawn by lot" in wideberth(*new, str(files["short"])).err
    files["node"].chmod(0o600)
    files["node"].write_text("\n")
    assert "is empty" in wideberth(*new, str(files["node"])).err
    files["node"].write_bytes(b"\xff\xfe\n")
    assert "not UTF-8" in wideberth(*new, str(files["node"])).err
    both = wideberth(*new, str(files["root"]), "--no-passphrase")
    assert (both.code, "not both" in both.err) == (exits.OURS, True)
    assert not (tmp_path / "n").exists()


@pytest.mark.parametrize("verb", [("up",), ("evidence",), INVITE])
def test_a_verb_that_needs_a_key_says_what_to_do_and_a_wrong_passphrase_is_no_bug(blue, files, verb):
    said = wideberth("--dir", str(blue), *verb)
    assert said.code == exits.OURS
    assert "passphrase-file FILE" in said.err
    said = wideberth("--dir", str(blue), "--passphrase-file", str(files["wrong"]), *verb,
                     "--root-passphrase-file", str(files["wrong"]))  # fmt: skip
    assert said.code == exits.OURS
    assert "does not open" in said.err
    assert "Traceback" not in said.err


def test_to_invite_the_root_key_is_enough(blue, files, tmp_path):
    said = wideberth("--dir", str(blue), *INVITE, "--root-passphrase-file", str(files["root"]), "--json")
    assert said.code == 0, said.err
    assert (tmp_path / "invite-GREEN.json").exists()


def test_the_environment_and_the_credentials_of_systemd_are_looked_at(blue, files, tmp_path, monkeypatch):
    for name, file in (("WIDEBERTH_PASSPHRASE_FILE", "node"), ("WIDEBERTH_ROOT_PASSPHRASE_FILE", "root")):
        monkeypatch.setenv(name, str(files[file]))
    # With an address that differs a new card is signed, and both are needed.
    settings = blue / "config.toml"
    settings.write_text(settings.read_text().replace('contact = ""', 'contact = "+1"'))
    assert wideberth("--dir", str(blue), *INVITE).code == 0
    for name in ("WIDEBERTH_PASSPHRASE_FILE", "WIDEBERTH_ROOT_PASSPHRASE_FILE"):
        monkeypatch.delenv(name)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    files["node"].rename(credentials / "wideberth-passphrase")
    files["root"].rename(credentials / "wideberth-root-passphrase")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    settings.write_text(settings.read_text().replace('contact = "+1"', 'contact = "+2"'))
    said = wideberth("--dir", str(blue), *INVITE, "--json")
    assert said.code == 0, said.err
    assert home.load(blue).keys.card().version == 3


def test_the_root_key_is_taken_from_a_stick(blue, files, tmp_path):
    (blue / "keys" / "root.seed").rename(tmp_path / "root.key")
    missing = wideberth("--dir", str(blue), *INVITE)
    assert (missing.code, "--root-key FILE" in missing.err) == (exits.NOT_FOUND, True)
    root = ("--root-key", str(tmp_path / "root.key"), "--root-passphrase-file", str(files["root"]))
    assert wideberth("--dir", str(blue), *INVITE, *root).code == 0
    assert wideberth("--dir", str(blue), *INVITE, "--root-key", str(tmp_path / "no")).code == exits.NOT_FOUND


def test_doctor_notes_plain_keys_and_looks_into_locked_ones_when_it_can(blue, files, tmp_path):
    def found(folder, *more):
        said = wideberth("--dir", str(folder), "doctor", "--json", *more)
        return {f["check"]: f for f in map(json.loads, said.out.splitlines())}

    plain = make(tmp_path / "plain", locked=False).path
    assert found(plain)["passphrase"]["state"] == "note"
    assert "keys passphrase" in found(plain)["passphrase"]["do"]
    assert found(blue)["passphrase"]["state"] == "ok"
    assert "not opened" in found(blue)["keys"]["says"]
    assert found(blue, "--passphrase-file", str(files["node"]))["keys"]["state"] == "ok"
    assert found(blue, "--passphrase-file", str(files["wrong"]))["keys"]["state"] == "wrong"
    (blue / "keys" / "seal-0001.key").write_bytes((plain / "keys" / "seal-0001.key").read_bytes())
    assert found(blue)["keys"]["state"] == "wrong"
