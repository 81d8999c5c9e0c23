# SPDX-License-Identifier: Apache-2.0
import errno
import os
import random
import stat

import pytest
from nacl.signing import SigningKey

from wideberth.config import Config
from wideberth.errors import BadInput, Misuse, NotFound, StoreFull, Worlds
from wideberth.home import create, load
from wideberth.link.sealing import seal
from wideberth.link.tls import server_context

NOW_MS = 1_795_000_000_000
CONFIG = Config(party="BLUE", posts=("watch-1", "supervisor"))


def entropy(seed=1):
    return random.Random(seed).randbytes


@pytest.fixture
def made(tmp_path):
    return create(tmp_path / "blue", CONFIG, entropy=entropy(), now_ms=NOW_MS)


def test_a_new_home_has_all_its_keys_and_they_work(made):
    seeds = [made.root_seed(), made.node_seed(), made.post_seed("watch-1"), made.post_seed("supervisor")]
    source = entropy()
    assert seeds == [source(32) for _ in range(4)]
    assert len({SigningKey(seed).verify_key.encode() for seed in seeds}) == 4
    (key,) = made.sealing_keys()
    assert key.open(seal(key.public(), b"x", b""), b"") == b"x"
    server_context(made.identity())


def test_it_loads_again_as_the_same(made):
    again = load(made.path)
    assert again.config == CONFIG
    assert again.node_seed() == made.node_seed()
    assert again.identity() == made.identity()
    assert [k.id for k in again.sealing_keys()] == [k.id for k in made.sealing_keys()]


def test_nobody_else_may_open_anything(made):
    for path in [made.path, *made.path.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("umask", [0, 0o777])
def test_the_umask_makes_no_difference(tmp_path, umask):
    before = os.umask(umask)
    try:
        if umask == 0:
            made = create(tmp_path / "blue", CONFIG, entropy=entropy(), now_ms=NOW_MS)
            test_nobody_else_may_open_anything(made)
        else:
            (tmp_path / "blue").mkdir(mode=0o755)
            os.chmod(tmp_path / "blue", 0o755)
            made = create(tmp_path / "blue", CONFIG, entropy=entropy(), now_ms=NOW_MS)
            test_nobody_else_may_open_anything(made)
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777, 0o711])
def test_a_folder_open_to_others_is_refused_with_what_to_do(made, mode):
    for folder in (made.path, made.path / "keys"):
        os.chmod(folder, mode)
        with pytest.raises(BadInput, match="chmod 700"):
            load(made.path)
        os.chmod(folder, 0o700)
    load(made.path)


@pytest.mark.parametrize("name", ["root.seed", "node.seed", "post-watch-1.seed", "seal-0001.key", "tls.key"])
def test_a_key_file_open_to_others_is_refused_with_what_to_do(made, name):
    os.chmod(made.path / "keys" / name, 0o640)
    read = {
        "root.seed": made.root_seed,
        "node.seed": made.node_seed,
        "post-watch-1.seed": lambda: made.post_seed("watch-1"),
        "seal-0001.key": made.sealing_keys,
        "tls.key": made.identity,
    }
    with pytest.raises(BadInput, match="chmod 600"):
        read[name]()


def test_a_folder_in_use_is_never_made_over(made, tmp_path):
    seed = made.node_seed()
    with pytest.raises(BadInput, match="already there"):
        create(made.path, CONFIG, entropy=entropy(2), now_ms=NOW_MS)
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="already there"):
        create(tmp_path / "file", CONFIG, entropy=entropy(2), now_ms=NOW_MS)
    assert made.node_seed() == seed


def test_what_is_missing_is_said_in_words(made, tmp_path):
    with pytest.raises(NotFound, match="wideberth init"):
        load(tmp_path / "nowhere")
    (made.path / "keys" / "root.seed").unlink()  # taken to a safe place
    assert load(made.path).node_seed() == made.node_seed()
    with pytest.raises(NotFound, match="safe place"):
        made.root_seed()
    with pytest.raises(NotFound, match="no post"):
        made.post_seed("watch-9")
    with pytest.raises(BadInput):
        made.post_seed("../node")
    (made.path / "keys" / "tls.crt").unlink()
    with pytest.raises(NotFound, match=r"tls\.crt"):
        made.identity()
    (made.path / "config.toml").unlink()
    with pytest.raises(NotFound, match="never finished"):
        load(made.path)


@pytest.mark.parametrize("text", [b"", b"00", b"zz" * 32, b"00" * 33, b"00" * 32 + b"\n\n", b"x" * 100_000])
def test_a_spoilt_seed_is_refused(made, text):
    file = made.path / "keys" / "node.seed"
    file.write_bytes(text)
    with pytest.raises(BadInput):
        made.node_seed()


def test_a_spoilt_sealing_key_and_config_are_refused(made):
    (made.path / "keys" / "seal-0001.key").write_bytes(b"\xff")
    with pytest.raises(BadInput):
        made.sealing_keys()
    for text in (b"\xff", b"party = 'BLUE'\ntwo_person_rule = true", b"#" * 100_000):
        (made.path / "config.toml").write_bytes(text)
        with pytest.raises(BadInput):
            load(made.path)


def test_entropy_that_runs_short_makes_no_key(tmp_path):
    with pytest.raises(Misuse):
        create(tmp_path / "blue", CONFIG, entropy=lambda n: b"x", now_ms=NOW_MS)
    with pytest.raises(NotFound, match="never finished"):
        load(tmp_path / "blue")


def test_settings_are_replaced_but_never_the_party(made):
    changed = made.save(Config(party="BLUE", contact="+1"))
    assert load(made.path).config == changed.config
    with pytest.raises(BadInput, match="keeps its name"):
        made.save(Config(party="GREEN"))


def test_a_full_or_broken_disk_leaves_the_old_settings(made, monkeypatch):
    for code, fault in ((errno.ENOSPC, StoreFull), (errno.EIO, Worlds)):

        def fsync(fd, code=code):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(fault):
            made.save(Config(party="BLUE", contact="+1"))
        monkeypatch.undo()
        assert load(made.path).config == CONFIG
        assert not list(made.path.glob(".*"))


def test_the_repr_shows_no_secret(made):
    assert made.node_seed().hex() not in repr(made)
    assert "PRIVATE" not in repr(made.identity())
