# SPDX-License-Identifier: Apache-2.0
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wideberth.config import CONFIG_BYTES_MAX, Config, read_config, write_config
from wideberth.errors import BadInput

FULL = """
party = "BLUE"
listen = "[::]:7443"
public_url = "https://blue.example:7443"
posts = ["watch-1", "supervisor"]
contact = "+00 00 \\u263A"
time_zone = "Asia/Damascus"
languages = ["ar", "zh-Hant"]
units = "metric"
tsa = ["https://tsa.example/tsr?a=1", "http://[::1]:3161"]
tsa_roots = ["tsa-root.pem"]
"""


def test_a_full_configuration_is_read():
    config = read_config(FULL)
    assert config == Config(
        party="BLUE",
        listen="[::]:7443",
        public_url="https://blue.example:7443",
        posts=("watch-1", "supervisor"),
        contact="+00 00 ☺",
        time_zone="Asia/Damascus",
        languages=("ar", "zh-Hant"),
        units="metric",
        tsa=("https://tsa.example/tsr?a=1", "http://[::1]:3161"),
        tsa_roots=("tsa-root.pem",),
    )
    assert (config.listen_host, config.listen_port) == ("::", 7443)


def test_a_party_is_enough():
    assert read_config('party = "BLUE"') == Config(party="BLUE")


printable = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=40)


@given(
    contact=printable,
    posts=st.lists(st.from_regex(r"[a-z]{1,5}(-[0-9]{1,3})?", fullmatch=True), min_size=1, unique=True, max_size=5),
)
@settings(deadline=None)
def test_what_is_written_reads_back_the_same(contact, posts):
    try:
        config = Config(party="BLUE", contact=contact, posts=tuple(posts))
    except BadInput:  # not in NFC
        return
    assert read_config(write_config(config)) == config


def test_quotes_backslashes_and_comment_signs_are_written_safely():
    config = Config(party='B"L\\U#E = ]', contact="''' \"\"\" \\n # \\u0041")
    assert read_config(write_config(config)) == config
    assert set(tomllib.loads(write_config(config))) == set(Config.__struct_fields__)


def test_every_bad_key_is_named_at_once():
    with pytest.raises(BadInput) as caught:
        read_config(
            """
            party = "A/B"
            listen = "7443"
            public_url = "http://x"
            posts = ["Watch 1"]
            contact = 7
            time_zone = "Mars/Olympus"
            languages = []
            units = "furlongs"
            holdoff = "soon"
            tsa = ["http://tsa.example"]
            tsa_roots = ["../root.pem"]
            colour = "red"
            [channels.flight]
            speed = 1
            """
        )
    fields = caught.value.details["fields"]
    assert set(fields) == {*Config.__struct_fields__, "colour", "channels"}
    assert all(f"{key}: {sentence}" in caught.value.sentence for key, sentence in fields.items())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("party", ""),
        ("party", " BLUE"),
        ("party", "BL\nUE"),
        ("party", "e\u0301"),
        ("party", "x" * 81),
        ("listen", "host"),
        ("listen", ":7443"),
        ("listen", "0.0.0.0:65536"),
        ("listen", "0.0.0.0:-1"),
        ("listen", "a/b:1"),
        ("public_url", "https://"),
        ("public_url", "https://x/path"),
        ("public_url", "https://u:p@x"),
        ("public_url", "https://x:99999"),
        ("public_url", "https://[x"),
        ("public_url", "ftp://x"),
        ("posts", ()),
        ("posts", ("a", "a")),
        ("posts", ("../root",)),
        ("posts", ("a" * 41,)),
        ("posts", tuple(f"w{n}" for n in range(65))),
        ("posts", "watch-1"),
        ("contact", "x" * 281),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "/etc/localtime"),
        ("time_zone", ""),
        ("languages", ("english language",)),
        ("units", 1),
        ("tsa", "https://tsa.example"),
        ("tsa", ("http://192.0.2.1/",)),
        ("tsa", ("http://localhost.example/",)),
        ("tsa", ("https://u:p@x/",)),
        ("tsa", ("https://x:99999/",)),
        ("tsa", ("https:///tsr",)),
        ("tsa", tuple(f"https://tsa-{n}.example" for n in range(5))),
        ("tsa_roots", (".hidden",)),
        ("tsa_roots", ("keys/root.seed",)),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_key(key, value):
    with pytest.raises(BadInput) as caught:
        Config(**{"party": "BLUE", key: value})
    assert set(caught.value.details["fields"]) == {key}


LEAVE = [
    "approval_required",
    "approvalRequired",
    '"APPROVAL-required"',
    "requires_approval",
    "approved_by",
    "approvers",
    "two_person_rule",
    "two-man-rule",
    "four_eyes",
    "dual_control",
    "second_signature",
    "pre_authorisation",
    "pre_authorization",
    "authorise_before_send",
    "authorized_senders",
    "release_by",
    "released_by",
    "release_officer",
    "requires_release",
    "releaser",
    "release_after",
    "permission_needed",
    "permit_to_send",
    "consent",
    "clearance",
    "sign_off",
    "countersign_by",
    "hold_until",
    "wait_for_supervisor",
    "require_supervisor",
    "supervisor_required",
    "requires_officer",
    "must_be_released",
]


@pytest.mark.parametrize("key", LEAVE)
@pytest.mark.parametrize(
    "where", ["{} = false", "[channels.flight]\n{} = true", "[[channels]]\n{} = 'x'", "[a]\nb = [{{ {} = 1 }}]"]
)
def test_no_setting_may_put_a_persons_leave_before_a_safety_message(key, where):
    with pytest.raises(BadInput, match="comes too late") as caught:
        read_config('party = "BLUE"\n' + where.format(key))
    (path,) = caught.value.details["fields"]
    assert path.endswith(key.strip('"'))


def test_a_table_that_is_itself_such_a_setting_is_refused():
    with pytest.raises(BadInput, match="comes too late"):
        read_config('party = "BLUE"\n[channels.flight.approval]\nwho = "x"')


def test_the_settings_that_exist_are_not_taken_for_such_settings():
    text = write_config(read_config(FULL))
    assert read_config(text).party == "BLUE"
    with pytest.raises(BadInput) as caught:  # unknown, but nobody's leave
        read_config('party = "BLUE"\nstamp_authority = "x"\nholdoff = 1\nrequired = 1')
    assert "too late" not in caught.value.sentence


def test_a_tsa_without_roots_is_refused():
    with pytest.raises(BadInput) as caught:
        read_config('party = "BLUE"\ntsa = ["https://tsa.example"]')
    assert set(caught.value.details["fields"]) == {"tsa_roots"}


@pytest.mark.parametrize(
    "text", ["x", "a = ", "party = 'A'\nparty = 'B'", "a=" + "[" * 16_000, "a." * 2_000 + "b=1", "\x00"]
)
def test_what_is_not_toml_is_said_in_words(text):
    with pytest.raises(BadInput):
        read_config(text)


def test_a_huge_file_is_refused_before_it_is_parsed():
    with pytest.raises(BadInput, match="longer"):
        read_config("#" * (CONFIG_BYTES_MAX + 1))


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_text_is_a_configuration_or_a_fault(text):
    with pytest.raises(BadInput):  # never a whole configuration: `party` is missing
        read_config(text)


def test_reading_settings_imports_no_cryptography():
    import subprocess
    import sys

    heavy = {"cryptography", "nacl", "aiohttp", "zoneinfo"}
    code = f"import sys, wideberth.config; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
