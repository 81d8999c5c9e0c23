# SPDX-License-Identifier: Apache-2.0
"""The local API over a real Unix socket, with real nodes behind it."""

import base64
import http.client
import itertools
import json
import socket
import stat
import time

import msgspec
import pytest
from starlette.applications import Starlette

from tests.cli.cliworld import T0_MS, World
from wideberth.cli.client import Client
from wideberth.core import events as ev
from wideberth.errors import BadInput, Malformed, Misuse, NotFound, StoreFull, Unreachable
from wideberth.web.local_api import BODY_BYTES_MAX, local_routes
from wideberth.web.server import serve_unix


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("w"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def blue(world):
    return world.client("BLUE")


def raw(world, method, path, body=b"", **headers):
    """Status, content type and body for these very bytes."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(world.folder("BLUE") / "node.sock"))
        lines = [f"{method} {path} HTTP/1.1", "host: x", "connection: close", f"content-length: {len(body)}"]
        sock.sendall("\r\n".join([*lines, *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode() + body)
        response = http.client.HTTPResponse(sock)
        response.begin()
        return response.status, response.getheader("content-type"), response.read()


DRAFT = {"type": "HAZARD", "hazard": "FALLING_OBJECTS", "circle": "41N 38W", "radius": "10km", "low": "SFC",
         "high": "UNL", "from": "+30m", "until": "+60m"}  # fmt: skip


def test_only_the_owner_may_open_the_socket(world):
    assert stat.S_IMODE((world.folder("BLUE") / "node.sock").stat().st_mode) == 0o600


def test_every_command_of_the_core_is_taken_as_it_is_spelled_there(world, blue):
    """One spelling for all: what a program sends is the Command itself, as msgspec writes it."""
    given = blue.post("/v1/notices", {**DRAFT, "by": "watch-1"})
    terms = blue.get(f"/v1/notices/{given['ref']}")["versions"][0]["terms"]
    ch = given["ch"]
    commands = [
        ev.RaiseAlert(ch, "BLUE/watch-1", text="x"),
        ev.GiveNotice(ch, "BLUE/watch-1", msgspec.convert(terms, ev.Terms)),
        ev.Extend(ch, "BLUE/watch-1", given["ref"], T0_MS + 5_400_000),
        ev.Report(ch, "BLUE/watch-1", given["ref"], "STARTED"),
        ev.Cancel(ch, "BLUE/watch-1", given["ref"]),
        ev.SayNil(ch, "BLUE/watch-1", T0_MS + 1),
        ev.PlanOutage(ch, "BLUE/watch-1", T0_MS, T0_MS + 1),
        ev.LogVoice(ch, "BLUE/watch-1", "telephone", "heard"),
    ]
    for command in commands:
        said = blue.post("/v1/commands", msgspec.to_builtins(command))
        assert said["kind"] == type(command).__struct_config__.tag, command
    world.heard("GREEN", given["ref"])


def test_line_and_post_may_be_named_shortly_or_left_out(blue):
    for ch, by in (
        ("Cape", "watch-2"),
        ("", "BLUE/watch-2"),
        (blue.get("/v1/status")["lines"][0]["ch"][:8], "watch-2"),
    ):
        said = blue.post("/v1/commands", {"command": "nil", "ch": ch, "by": by, "until_ms": T0_MS + 1})
        assert said["by"] == "BLUE/watch-2"
    with pytest.raises(BadInput, match="--as"):
        blue.post("/v1/commands", {"command": "nil", "until_ms": T0_MS + 1})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "not a command"),
        ({"command": "approve"}, "not a command"),
        ({"command": "nil", "by": "watch-1"}, "until_ms"),
        ({"command": "nil", "by": "watch-1", "until_ms": "soon"}, "until_ms"),
        ({"command": "nil", "by": "watch-1", "until_ms": 1, "more": 1}, "more"),
        ({"command": "nil", "by": 7, "until_ms": 1}, "`by` must be a text"),
        ({"command": "nil", "by": "watch-1", "ch": [], "until_ms": 1}, "`ch` must be a text"),
        ({"command": "alert", "by": "watch-1", "ago_ms": -5, "started_ms": "x"}, "started_ms"),
    ],
)
def test_what_is_no_command_is_refused_with_its_field(blue, body, words):
    with pytest.raises(BadInput, match=words):
        blue.post("/v1/commands", {"by": "watch-1", **body})


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"command": NaN}'])
def test_what_is_no_json_object_is_refused(world, body):
    status, kind, answer = raw(world, "POST", "/v1/commands", body)
    assert status == 422
    assert kind == "application/problem+json"
    assert json.loads(answer)["fault"] == "BadInput"


def test_a_body_beyond_the_limit_is_refused_while_it_comes(world):
    status, _, answer = raw(world, "POST", "/v1/notices", b" " * (BODY_BYTES_MAX + 1))
    assert status == 422
    assert "8 MiB" in json.loads(answer)["detail"]


def test_faults_are_problems_with_their_own_sentence(world):
    status, kind, body = raw(world, "GET", "/v1/notices/BLU-0042-A")
    problem = json.loads(body)
    assert (status, kind, problem["fault"], problem["whose"]) == (422, "application/problem+json", "BadInput", "ours")
    assert "check letter" in problem["detail"]
    assert raw(world, "GET", "/v1/nothing")[0] == 404
    assert raw(world, "PUT", "/v1/status")[0] == 405


def test_an_incomplete_draft_is_kept_under_one_id_until_it_can_go(world, blue):
    with pytest.raises(BadInput) as first:
        blue.post("/v1/notices", {"place_name": "north", "by": "watch-1"})
    id_ = first.value.details["draft"]
    assert {"circle", "from"} <= set(first.value.details["fields"])
    with pytest.raises(BadInput) as second:
        blue.post("/v1/notices", {"place_name": "north", "radius": "10km", "by": "watch-1", "draft": id_})
    assert second.value.details["draft"] == id_
    kept = {d["id"]: d["draft"] for d in blue.get("/v1/drafts")}
    assert kept[id_] == {"place_name": "north", "radius": "10km"}
    blue.post("/v1/notices", {**DRAFT, "by": "watch-1", "draft": id_})
    assert id_ not in {d["id"] for d in blue.get("/v1/drafts")}


def test_a_rule_of_the_agreement_keeps_the_draft_as_well(blue):
    """Below the agreed least area: the core refuses, the draft stays."""
    with pytest.raises(BadInput, match="smaller than agreed") as refused:
        blue.post("/v1/notices", {**DRAFT, "radius": "1km", "by": "watch-1"})
    id_ = refused.value.details["draft"]
    assert {d["id"]: d["draft"]["radius"] for d in blue.get("/v1/drafts") if d["id"] == id_} == {id_: "1km"}


def test_drafts_are_kept_listed_and_dropped(blue):
    id_ = blue.post("/v1/drafts", {"circle": "41N 38W", "from": "+15m"})["id"]
    assert {d["id"]: d["draft"] for d in blue.get("/v1/drafts")}[id_]["from"] == "2031-05-14T09:15:00Z"
    assert blue.delete(f"/v1/drafts/{id_}") == {"id": id_}
    with pytest.raises(NotFound):
        blue.delete(f"/v1/drafts/{id_}")


def test_a_revision_starts_from_the_newest_version(world, blue):
    ref = blue.post("/v1/notices", {**DRAFT, "by": "watch-1"})["ref"]
    blue.post("/v1/notices", {"ref": ref, "how": "amend", "until": "+90m", "by": "watch-1"})
    blue.post("/v1/notices", {"ref": ref, "how": "correct", "circle": "41.5N 38W", "radius": "10km", "by": "watch-1"})
    versions = blue.get(f"/v1/notices/{ref}")["versions"]
    first, last = versions[0]["terms"], versions[-1]["terms"]
    assert last["volumes"][0]["end_ms"] == last["expires_ms"] == T0_MS + 5_400_000
    assert last["volumes"][0]["start_ms"] == first["volumes"][0]["start_ms"]
    assert last["volumes"][0]["shape"]["centre"][0] == 41_500_000_000
    with pytest.raises(BadInput, match="amend, correct or"):
        blue.post("/v1/notices", {"ref": ref, "how": "replace", "by": "watch-1"})
    alert = blue.post("/v1/commands", {"command": "alert", "by": "watch-1"})["ref"]
    with pytest.raises(BadInput, match="--refines"):
        blue.post("/v1/notices", {"ref": alert, "how": "amend", "until": "+90m", "by": "watch-1"})


def test_the_stream_begins_with_where_it_stands_and_each_tell_comes_at_once(blue):
    newest = blue.get("/v1/status")["told"]
    stream = blue.stream("/v1/watch")
    start = next(stream)
    assert (start["watch"], start["n"], start["missed"]) == ("start", newest, 0)
    before = time.monotonic()
    blue.post("/v1/commands", {"command": "nil", "by": "watch-1", "until_ms": T0_MS + 1})
    told = next(line for line in stream if line.get("tell", {}).get("tell") == "said")
    assert time.monotonic() - before < 1
    assert told["n"] > newest
    stream.close()


def test_a_listener_that_comes_back_gets_what_it_missed_once(blue):
    since = blue.get("/v1/status")["told"]
    for _ in range(3):
        blue.post("/v1/commands", {"command": "nil", "by": "watch-1", "until_ms": T0_MS + 1})
    stream = blue.stream("/v1/watch", since=since)
    run = next(stream)["run"]
    said = (line["n"] for line in stream if line.get("tell", {}).get("tell") == "said")
    numbers = list(itertools.islice(said, 3))
    stream.close()
    assert numbers == sorted(set(numbers))
    again = blue.stream("/v1/watch", since=numbers[-2], run=run)
    next(again)
    assert next(line["n"] for line in again if line.get("tell", {}).get("tell") == "said") == numbers[-1]
    again.close()


def test_a_listener_of_an_earlier_run_of_the_node_gets_this_run_from_its_start(blue):
    stream = blue.stream("/v1/watch", since=999_999, run="an earlier run")
    assert next(stream)["missed"] == 0
    assert next(stream)["n"] == 1
    stream.close()


def test_what_is_shown_is_claimed_for_the_entry_and_not_for_an_own_one(world, blue):
    given = blue.post("/v1/notices", {**DRAFT, "by": "watch-1"})
    world.heard("GREEN", given["ref"])
    green = world.client("GREEN")
    shown = green.post("/v1/shown", {"line": "Cape", "author": "BLUE", "entry": given["entry"]})
    assert shown["author"] == "BLUE"
    world.until(lambda: world.heard("BLUE", given["ref"])["standing"]["GREEN"] == "SEEN")
    for author, entry in (("BLUE", "0" * 64), ("GREEN", given["entry"])):
        with pytest.raises(NotFound):
            green.post("/v1/shown", {"line": "", "author": author, "entry": entry})
    with pytest.raises(NotFound):
        blue.post("/v1/shown", {"line": "", "author": "BLUE", "entry": given["entry"]})


def test_plans_are_given_listed_and_dropped(blue):
    plan = blue.post("/v1/plans", {"circle": "41N 38W", "radius": "1km", "low": "SFC", "high": "UNL", "from": "now",
                                   "until": "+1h", "label": "survey"})  # fmt: skip
    assert (plan["mode"], plan["label"]) == ("EXERCISE", "survey")
    assert plan["id"] in {p["id"] for p in blue.get("/v1/plans")}
    blue.delete(f"/v1/plans/{plan['id']}")
    assert plan["id"] not in {p["id"] for p in blue.get("/v1/plans")}
    with pytest.raises(BadInput, match="no such field"):
        blue.post("/v1/plans", {"circle": "41N 38W", "purpose": "x"})
    with pytest.raises(BadInput, match="a track or volumes"):
        blue.post("/v1/plans", {"circle": "41N 38W", "track": [{}]})
    for leg in ({}, {"at": "41N 38W", "altitude": 300, "time": "now"}, "41N 38W"):
        with pytest.raises(BadInput, match=r"track\[1\]"):
            blue.post("/v1/plans", {"track": [leg]})


def test_the_clock_of_a_drill_is_set_and_asks_for_a_number(blue):
    for wrong in (None, "now", True, 1.5):
        with pytest.raises(BadInput, match="t_ms"):
            blue.post("/v1/clock", {"t_ms": wrong})
    assert blue.post("/v1/clock", {"t_ms": T0_MS}) == {"t_ms": T0_MS}


def test_lines_of_the_folder_are_taken_and_a_broken_agreement_is_theirs(blue):
    assert [line["mechanism"] for line in blue.post("/v1/lines")["lines"]] == ["Cape"]
    with pytest.raises(Malformed):
        blue.post("/v1/lines", {"agreement": "not base64", "cards": []})
    with pytest.raises(Malformed):
        blue.post("/v1/lines", {"agreement": base64.b64encode(b"{}").decode(), "cards": []})
    with pytest.raises(BadInput, match="cards"):
        blue.post("/v1/lines", {"agreement": "", "cards": "one"})


class Broken:
    """A node of which one part fails; every other part is the real one's."""

    def __init__(self, service, **parts):
        self._service = service
        self.__dict__.update(parts)

    def __getattr__(self, name):
        return getattr(self._service, name)


def serving(world, path, **parts):
    service = Broken(world.services["BLUE"], **parts)
    app = Starlette(routes=local_routes(service, heartbeat_s=0.05))
    return world.run(serve_unix(app, path)), Client(path)


def test_what_nobody_expected_is_called_our_bug(world, tmp_path):
    def bug():
        raise ZeroDivisionError("secret of the house")

    server, client = serving(world, tmp_path / "s", status=bug)
    with pytest.raises(Misuse, match="bug in wideberth") as told:
        client.get("/v1/status")
    assert "ZeroDivisionError" in told.value.details["bug"]
    world.run(server.stop())


def test_a_full_disk_comes_through_with_its_own_class(world, tmp_path):
    async def full(command, passphrase=""):
        raise StoreFull("no room", free_bytes=0)

    server, client = serving(world, tmp_path / "s", command=full)
    with pytest.raises(StoreFull) as told:
        client.post("/v1/commands", {"command": "nil", "by": "watch-1", "until_ms": 1})
    assert told.value.details == {"free_bytes": 0}
    world.run(server.stop())


def test_a_draft_that_cannot_even_be_kept_is_said(world, tmp_path):
    async def full(ask):
        raise StoreFull("no room for drafts")

    server, client = serving(world, tmp_path / "s", inner=full)
    with pytest.raises(BadInput, match="could not be kept: no room") as told:
        client.post("/v1/notices", {"by": "watch-1"})
    assert told.value.details["draft"] == ""
    world.run(server.stop())


def test_a_quiet_line_has_a_heartbeat_and_the_stream_ends_when_the_node_stops(world, tmp_path):
    import asyncio

    async def event():
        return asyncio.Event()

    stopping = world.run(event())
    server, client = serving(world, tmp_path / "s", stopping=stopping)
    stream = client.stream("/v1/watch", silence_s=2)
    assert [next(stream)["watch"] for _ in range(3)] == ["start", "alive", "alive"]
    assert client.post("/v1/stop") == {"stopping": True}
    before = time.monotonic()
    with pytest.raises(Unreachable):
        list(stream)
    world.run(server.stop())
    assert time.monotonic() - before < 2


def test_a_listener_whose_place_is_no_longer_kept_is_told_how_much_it_missed(world, tmp_path):
    from wideberth.bus import KEPT, Bus
    from wideberth.core.tells import Disk

    bus = Bus()
    for _ in range(KEPT + 10):
        bus.publish(Disk(False, "room"), T0_MS)
    server, client = serving(world, tmp_path / "s", bus=bus)
    stream = client.stream("/v1/watch", since=3)
    assert next(stream)["missed"] == 7
    assert next(stream)["n"] == 11
    stream.close()
    world.run(server.stop())
