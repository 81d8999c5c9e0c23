# SPDX-License-Identifier: Apache-2.0
"""The peer API as whoever connects meets it: raw sockets, wrong lengths, slow and long requests."""

import asyncio
import contextlib
import json
import random
import signal
import socket
import stat
from pathlib import Path

import aiohttp
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wideberth import errors
from wideberth.core.limits import DELIVERY_BYTES_MAX
from wideberth.errors import BadInput, Equivocation, Fault, Misuse, StoreFull
from wideberth.link.delivery import Delivery, Frame, open_delivery, read_address, seal_delivery
from wideberth.link.keyring import MemoryKeyRing
from wideberth.link.sealing import CLASSIC, SealingKey
from wideberth.link.way import PATH
from wideberth.web import server
from wideberth.web.faults import TABLE, on_fault, problem, status_of
from wideberth.web.peer_api import peer_routes
from wideberth.web.server import serve, serve_unix

CH = "c0" * 32
HEAD = b"POST " + PATH.encode() + b" HTTP/1.1\r\nhost: x\r\n"
BLUE, GREEN = SealingKey.generate(CLASSIC), SealingKey.generate(CLASSIC)


def ring():
    keys = MemoryKeyRing()
    keys.add_own(GREEN)
    keys.join(CH, "GREEN")
    keys.set_peer(CH, "BLUE", BLUE.public())
    return keys


async def echo(delivery):
    return Delivery(delivery.ch, delivery.to, delivery.sender, delivery.frames)


@contextlib.asynccontextmanager
async def node(receive=echo, body_s=5.0):
    app = Starlette(routes=peer_routes(receive, ring(), body_s=body_s))
    async with await serve(app, host="127.0.0.1", port=0, tls=None) as serving, aiohttp.ClientSession() as session:
        yield f"http://127.0.0.1:{serving.port}", session


async def post(session, url, data):
    async with session.post(url + PATH, data=data) as response:
        return response.status, response.content_type, await response.read()


def sealed(*frames):
    return seal_delivery(Delivery(CH, "BLUE", "GREEN", frames), GREEN.public())


async def raw(url, data, *, wait_s=5.0):
    """Everything that comes back for these very bytes, until the other side closes or falls silent."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    answer = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(wait_s):
            while chunk := await reader.read(65536):
                answer += chunk
                head, end, body = answer.partition(b"\r\n\r\n")
                if end and b"content-length" in head.lower():
                    length = int(head.lower().partition(b"content-length:")[2].split()[0])
                    if len(body) >= length:
                        break
    writer.close()
    return answer


def test_a_delivery_gets_a_sealed_delivery_back():
    async def story():
        async with node() as (url, session):
            status, _, body = await post(session, url, sealed(Frame(b"{}", b"[]")))
            assert status == 200
            reply = open_delivery(body, read_address(body), BLUE)
            assert reply == Delivery(CH, "GREEN", "BLUE", (Frame(b"{}", b"[]"),))

    asyncio.run(story())


def test_hello_says_the_protocol_and_nothing_else():
    async def story():
        async with node() as (url, session), session.get(url + "/v1/hello") as response:
            assert await response.json() == {"protocol": "wideberth", "version": 1}
            assert set(response.headers) == {"Content-Length", "Content-Type"}

    asyncio.run(story())


def test_one_byte_over_a_mebibyte_is_refused_stated_or_not():
    async def story():
        async def chunks(size):
            for at in range(0, size, 60_000):
                yield bytes(min(60_000, size - at))

        async with node() as (url, session):
            for size, status in ((DELIVERY_BYTES_MAX + 1, 413), (DELIVERY_BYTES_MAX, 400)):
                assert (await post(session, url, bytes(size)))[0] == status
                assert (await post(session, url, chunks(size)))[0] == status

    asyncio.run(story())


@pytest.mark.parametrize("length", [b"99999999999999999999999999", b"1048577"])
def test_a_stated_length_beyond_the_limit_is_refused_before_a_byte_is_read(length):
    async def story():
        async with node() as (url, _):
            answer = await raw(url, HEAD + b"content-length: %b\r\n\r\n" % length)
            assert answer.split(b" ")[1] in (b"413", b"400")

    asyncio.run(story())


def test_a_sender_that_falls_silent_is_answered_and_let_go():
    async def story():
        async with node(body_s=0.1) as (url, _):
            answer = await raw(url, HEAD + b"content-length: 100\r\n\r\nabc")
            assert answer.split(b" ")[1] == b"503"

    asyncio.run(story())


def test_a_head_without_end_is_cut_off_by_size_and_by_time(monkeypatch):
    async def story():
        async with node() as (url, session):
            assert await raw(url, b"GET / HTTP/1.1\r\nx: " + b"y" * 400_000) == b""
            monkeypatch.setattr(server, "HEAD_S", 0.1)
            assert await raw(url, b"GET / HTTP/1.1\r\nx: ") == b""
            assert await raw(url, b"") == b""
            # and a long body is no long head
            assert (await post(session, url, bytes(900_000)))[0] == 400

    asyncio.run(story())


def test_garbage_bodies_are_problems_and_never_a_500():
    rng = random.Random(7)
    good = sealed(Frame(b"{}", b"[]"))

    def garbage():
        if rng.random() < 0.3:
            return rng.choice((b"", b"wbd1")) + rng.randbytes(rng.randrange(400))
        changed = bytearray(good)
        changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
        return bytes(changed[: rng.choice((len(good), rng.randrange(len(good))))])

    async def story():
        async with node() as (url, session):
            for _ in range(500):
                status, kind, said = await post(session, url, garbage())
                assert (status, kind) in ((400, "application/problem+json"), (403, "application/problem+json"))
                assert json.loads(said)["whose"] == "theirs"

    asyncio.run(story())


def test_a_peer_reads_only_the_tables_sentence():
    async def story():
        async def full(delivery):
            raise StoreFull("no room in /home/blue/secret-name", path="/home/blue/secret-name")

        async with node(full) as (url, session):
            status, _, said = await post(session, url, sealed())
            assert status == 507
            assert b"secret" not in said
            assert json.loads(said)["fault"] == "StoreFull"

    asyncio.run(story())


def test_a_reply_to_somebody_else_is_our_bug_and_is_not_sent():
    async def story():
        async def astray(delivery):
            return Delivery(delivery.ch, "GREEN", "OTHER")

        async with node(astray) as (url, session):
            status, _, said = await post(session, url, sealed())
            assert (status, json.loads(said)["fault"]) == (500, "Misuse")

    asyncio.run(story())


def every_fault():
    found, ahead = [], [Fault]
    while ahead:
        kind = ahead.pop()
        found.append(kind)
        ahead += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == errors.__name__]


def test_the_table_has_a_line_for_every_fault():
    assert set(every_fault()) == set(TABLE)


@pytest.mark.parametrize("kind", [k for k in every_fault() if k is not Equivocation])
def test_every_fault_is_a_problem_with_its_status(kind):
    response = problem(kind("what to do", field="party", odd=Path("x")))
    said = json.loads(response.body)
    assert response.status_code == said["status"] == TABLE[kind][0]
    assert (said["detail"], said["fault"], said["whose"]) == ("what to do", kind.__name__, kind.whose)
    assert said["details"]["field"] == "party"


def test_a_fault_that_the_table_does_not_know_is_answered_like_its_parent():
    class Newer(errors.Malformed):
        pass

    assert status_of(Newer("x")) == TABLE[errors.Malformed]


def local_app():
    async def hi(request: Request) -> Response:
        return Response(b"hi")

    async def bad(request: Request) -> Response:
        raise BadInput("give a party", field="party")

    return Starlette(routes=[Route("/hi", hi), Route("/bad", bad)], exception_handlers={Fault: on_fault})


async def get_unix(path, route):
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession(connector=connector) as session, session.get("http://node" + route) as response:
        return response.status, await response.read()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_local_socket_serves_own_people_only_and_is_gone_afterwards(tmp_path, loop):
    import uvloop

    path = tmp_path / "node.sock"

    async def story():
        async with await serve_unix(local_app(), path) as local:
            assert local.port == 0
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert await get_unix(path, "/hi") == (200, b"hi")
            status, said = await get_unix(path, "/bad")
            assert (status, msgspec.json.decode(said)["detail"]) == (422, "give a party")
            with pytest.raises(BadInput, match="already runs"):
                await serve_unix(local_app(), path)
            assert await get_unix(path, "/hi") == (200, b"hi")
        assert not path.exists()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
        runner.run(story())


def test_a_socket_left_by_a_dead_process_is_replaced(tmp_path):
    path = tmp_path / "node.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()

    async def story():
        async with await serve_unix(local_app(), path):
            assert await get_unix(path, "/hi") == (200, b"hi")

    asyncio.run(story())


def test_an_address_that_cannot_be_bound_is_said_in_words():
    async def story():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(BadInput, match="another program has it"):
                await serve(local_app(), host="127.0.0.1", port=port, tls=None)
        for host, port in (("127.0.0.1", 70_000), ("192.0.2.1", 0)):
            with pytest.raises(BadInput):
                await serve(local_app(), host=host, port=port, tls=None if host.startswith("127") else object())
        with pytest.raises(BadInput, match="TLS"):
            await serve(local_app(), host="0.0.0.0", port=0, tls=None)
        with pytest.raises(BadInput):
            await serve_unix(local_app(), Path("/nowhere/at/all.sock"))

    asyncio.run(story())


def test_a_running_request_is_finished_before_the_server_stops():
    async def story():
        entered, gate = asyncio.Event(), asyncio.Event()

        async def slow(delivery):
            entered.set()
            await gate.wait()
            return await echo(delivery)

        app = Starlette(routes=peer_routes(slow, ring()))
        serving = await serve(app, host="127.0.0.1", port=0, tls=None)
        async with aiohttp.ClientSession() as session:
            request = asyncio.create_task(post(session, f"http://127.0.0.1:{serving.port}", sealed()))
            await entered.wait()
            stopping = asyncio.create_task(serving.stop())
            await asyncio.sleep(0)
            gate.set()
            assert (await request)[0] == 200
            await stopping
            await serving.stop()

    asyncio.run(story())


def test_the_server_leaves_signal_handlers_alone():
    async def story():
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        async with await serve(local_app(), host="127.0.0.1", port=0, tls=None):
            assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before

    asyncio.run(story())


def test_a_small_reply_does_not_wait_for_a_delayed_acknowledgement():
    async def story():
        async with node() as (url, session):
            loop = asyncio.get_running_loop()
            start = loop.time()
            for _ in range(30):
                await post(session, url, sealed())
            assert loop.time() - start < 30 * 0.04 * 0.8  # Linux holds an acknowledgement back for 40 ms

    asyncio.run(story())


def test_misuse_is_the_bug_sentence():
    assert status_of(Misuse("x"))[0] == 500
