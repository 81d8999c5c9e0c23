# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import ssl

import aiohttp
import pytest
import uvloop
from linkworld import CH, IDENTITIES, QUICK, T0_MS, Party, frame, pair

from wideberth.core.limits import DELIVERY_BYTES_MAX
from wideberth.errors import BadInput, Malformed, Stranger, Unreachable
from wideberth.link.client import PeerLine
from wideberth.link.delivery import Delivery, Frame, open_delivery, read_address, seal_delivery
from wideberth.link.sealing import SealingKey
from wideberth.link.tls import (
    CERTIFICATE_YEARS,
    Identity,
    client_context,
    fingerprint,
    make_identity,
    server_context,
    valid_until_ms,
)
from wideberth.link.way import CONTENT_TYPE, PATH, Direct, Ways


def test_two_nodes_exchange_deliveries_over_pinned_tls():
    async def story():
        blue, green = pair()
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("one"), frame("two"), sidecars=(b'{"r":1}',)))
            assert (await blue.next_reply()).sidecars == (b'{"e":"one"}', b'{"e":"two"}')
            assert green.heard == [blue.to("GREEN", frame("one"), frame("two"), sidecars=(b'{"r":1}',))]
            assert await blue.next_change() is None

    asyncio.run(story())


def test_a_peer_with_another_certificate_gets_nothing():
    async def story():
        blue, green = pair()
        async with await green.serve() as serving, blue.line(serving.port, IDENTITIES["OTHER"]) as line:
            line.offer(blue.to("GREEN", frame("secret")))
            fault = await blue.next_change()
            assert isinstance(fault, Stranger)
            assert fault.details["reason"] == "certificate"
            assert green.heard == []

    asyncio.run(story())


def test_a_stranger_without_a_known_certificate_cannot_deliver():
    async def story():
        blue, green = pair()
        known = [blue.identity.certificate_pem]
        async with await green.serve(clients=known) as serving:
            for shown in (None, IDENTITIES["OTHER"]):
                async with blue.line(serving.port, green.identity, own=shown) as line:
                    line.offer(blue.to("GREEN", frame("x")))
                    assert isinstance(await blue.next_change(), Unreachable)
            assert green.heard == []
            async with blue.line(serving.port, green.identity, own=blue.identity) as line:
                line.offer(blue.to("GREEN", frame("x")))
                await blue.next_reply()

    asyncio.run(story())


def test_a_certificate_vouches_for_no_other_certificate():
    # Signed by GREEN's own key, as GREEN could do for somebody: still not GREEN's certificate.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    green = IDENTITIES["GREEN"]
    issuer = x509.load_pem_x509_certificate(green.certificate_pem.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    child = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CHILD")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .sign(serialization.load_pem_private_key(green.key_pem, None), hashes.SHA256())
    )
    pem = child.public_bytes(serialization.Encoding.PEM).decode()
    raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    async def story():
        blue, mallory = pair()
        mallory.identity = Identity(pem, raw)
        async with await mallory.serve() as serving, blue.line(serving.port, green) as line:
            line.offer(blue.to("GREEN", frame("x")))
            fault = await blue.next_change()
            assert isinstance(fault, Stranger), fault
            assert mallory.heard == []

    asyncio.run(story())


def test_dates_do_not_silence_the_line():
    async def story():
        for start_ms in (0, 4_000_000_000_000):  # long expired; not valid before 2096
            blue, green = pair()
            green.identity = make_identity("GREEN", start_ms + 86_400_000)
            async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
                line.offer(blue.to("GREEN", frame("x")))
                await blue.next_reply()

    asyncio.run(story())


def test_nothing_older_than_tls_1_3_is_spoken():
    for context in (
        server_context(IDENTITIES["BLUE"]),
        client_context(IDENTITIES["BLUE"].certificate_pem),
    ):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_3


def test_an_identity_says_how_long_it_means_to_last_and_hides_its_key():
    identity = IDENTITIES["BLUE"]
    years = (valid_until_ms(identity.certificate_pem) - T0_MS) / (365.25 * 86_400_000)
    assert abs(years - CERTIFICATE_YEARS) < 0.02
    assert fingerprint(identity.certificate_pem) in repr(identity)
    assert "PRIVATE" not in repr(identity)


@pytest.mark.parametrize(
    "pem", ["", "x", "é", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "A" * 99_999]
)
def test_what_is_no_certificate_is_refused_in_words(pem):
    with pytest.raises(BadInput):
        fingerprint(pem)
    with pytest.raises(BadInput):
        client_context(pem)


def test_a_key_that_does_not_fit_its_certificate_is_refused_in_words():
    mixed = Identity(IDENTITIES["BLUE"].certificate_pem, IDENTITIES["GREEN"].key_pem)
    for bad in (mixed, Identity(mixed.certificate_pem, b"nonsense")):
        with pytest.raises(BadInput):
            server_context(bad)


def test_a_peer_that_is_down_is_reported_once_and_its_return_once():
    async def story():
        blue, green = pair()
        async with await green.serve() as serving:
            port = serving.port
        async with blue.line(port, green.identity) as line:
            for n in range(3):
                line.offer(blue.to("GREEN", frame(f"lost {n}")))
                while line.dropped <= n:
                    await asyncio.sleep(0)
            fault = await blue.next_change()
            assert isinstance(fault, Unreachable)
            assert fault.details["reason"] == "connect"
            assert blue.changes.empty()
            assert line.waiting_bytes == 0
            async with await green.serve(port=port):
                line.offer(blue.to("GREEN", frame("back")))
                await blue.next_reply()
                assert await blue.next_change() is None
                line.offer(blue.to("GREEN", frame("more")))
                await blue.next_reply()
                assert blue.changes.empty()
            assert [d.frames for d in green.heard] == [(frame("back"),), (frame("more"),)]

    asyncio.run(story())


def test_a_restarted_peer_is_found_again_without_a_report():
    async def story():
        blue, green = pair()
        serving = await green.serve()
        async with blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("before")))
            await blue.next_reply()
            assert await blue.next_change() is None
            await serving.stop()
            async with await green.serve(port=serving.port):
                line.offer(blue.to("GREEN", frame("after")))
                await blue.next_reply()
            assert blue.changes.empty()

    asyncio.run(story())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_on_either_loop_a_connection_is_kept_found_again_and_its_faults_are_named(loop):
    async def story():
        blue, green = pair()
        serving = await green.serve()
        port = serving.port
        async with blue.line(port, green.identity) as line:
            for n in range(3):
                line.offer(blue.to("GREEN", frame(f"before {n}")))
                await blue.next_reply()
            assert await blue.next_change() is None
            await serving.stop()
            async with await green.serve(port=port):
                line.offer(blue.to("GREEN", frame("after" * 1000)))
                await blue.next_reply()
            assert blue.changes.empty()
            line.offer(blue.to("GREEN", frame("nobody")))
            fault = await blue.next_change()
            assert fault.details["reason"] in ("connect", "broken")
            green.identity, right = IDENTITIES["OTHER"], green.identity
            async with await green.serve(port=port):
                line.offer(blue.to("GREEN", frame("other")))
                assert isinstance(await blue.next_change(), Stranger)
            green.identity = right
            async with await green.serve(port=port):
                line.offer(blue.to("GREEN", frame("again")))
                await blue.next_reply()
                assert await blue.next_change() is None
        assert [len(d.frames) for d in green.heard] == [1, 1, 1, 1, 1]

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"not HTTP at all\r\n\r\n", "broken"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "broken"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf", "broken"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + b"A: b\r\n" * 4000, "broken"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n", "broken"),
        (b"", "broken"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 418 no\r\nContent-Length: 2\r\n\r\nno", "refused 418 no reason given"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", "length"),
        (b"HTTP/1.1 204 No\r\n\r\n", "refused 204 no reason given"),
    ],
)
def test_what_is_not_a_whole_answer_is_named_and_the_line_goes_on(loop, answer, reason):
    async def story():
        blue, green = pair()

        async def talk(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()

        tcp = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=server_context(green.identity))
        port = tcp.sockets[0].getsockname()[1]
        async with blue.line(port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("x")))
            fault = await blue.next_change()
            assert fault.details["reason"] == reason
            tcp.close()
            async with await green.serve(port=port):
                line.offer(blue.to("GREEN", frame("y")))
                await blue.next_reply()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())


def test_a_silent_peer_is_a_timeout_and_holds_nobody_for_ever():
    async def story():
        blue, green = pair()
        stuck = asyncio.Event()

        async def never(delivery):
            await stuck.wait()
            return await green.echo(delivery)

        green.answer = never
        async with await green.serve() as serving:
            quick = QUICK.__class__(connect_s=2, silence_s=0.2, whole_s=0.5)
            tls = client_context(green.identity.certificate_pem)
            line = PeerLine(
                Ways([Direct(f"https://127.0.0.1:{serving.port}", tls, quick)]),
                blue.keys,
                on_reply=blue.replies.put_nowait,
                on_change=blue.changes.put_nowait,
            )
            task = asyncio.create_task(line.run())
            line.offer(blue.to("GREEN", frame("x")))
            fault = await blue.next_change()
            assert isinstance(fault, Unreachable)
            assert fault.details["reason"] == "timeout"
            stuck.set()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(story())


def test_a_refusal_by_the_peer_is_told_with_its_name_and_nothing_is_believed():
    async def story():
        blue, green = pair()
        green.keys.leave(CH)
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            line.offer(blue.to("GREEN", frame("x")))
            fault = await blue.next_change()
            assert isinstance(fault, Unreachable)
            assert (fault.details["status"], fault.details["refused"]) == (403, "Stranger")

    asyncio.run(story())


def test_a_reply_sealed_to_a_key_we_dropped_or_for_another_channel_is_their_fault():
    async def story():
        for spoil in ("key", "channel"):
            blue, green = pair()
            if spoil == "key":
                green.keys.set_peer(CH, "BLUE", SealingKey.generate().public())
            else:
                other = "d1" * 32
                blue.keys.join(other, "BLUE")
                blue.keys.set_peer(other, "GREEN", green.key.public())
                green.keys.join(other, "GREEN")
                green.keys.set_peer(other, "BLUE", blue.key.public())
                stored = {}

                async def swap(scope, receive, send, stored=stored, blue=blue):
                    await receive()
                    wire = seal_delivery(Delivery("d1" * 32, "GREEN", "BLUE"), blue.key.public())
                    head = [(b"content-length", str(len(wire)).encode())]
                    await send({"type": "http.response.start", "status": 200, "headers": head})
                    await send({"type": "http.response.body", "body": wire})

            if spoil == "key":
                serving = await green.serve()
            else:
                from wideberth.web.server import serve

                serving = await serve(swap, host="127.0.0.1", port=0, tls=server_context(green.identity))
            async with serving, blue.line(serving.port, green.identity) as line:
                line.offer(blue.to("GREEN", frame("x")))
                fault = await blue.next_change()
                assert isinstance(fault, Stranger if spoil == "key" else Malformed)
            assert blue.replies.empty()

    asyncio.run(story())


def test_whatever_the_peer_answers_the_line_survives_it():
    answers = [
        (200, b"", None),
        (200, b"garbage", None),
        (200, b"wbd1" + bytes(300), None),
        (200, b"x" * (DELIVERY_BYTES_MAX + 1), None),
        (200, b"chunked", "no length"),
        (302, b"", None),
        (500, b"[" * 4000, None),
        (400, b'{"fault":{"a":1}}', None),
        (400, b'{"fault":"\xff"}', None),
        (599, b"x" * 9000, None),
    ]

    async def story():
        blue, green = pair()
        now = iter(answers)

        async def app(scope, receive, send):
            while (await receive()).get("more_body"):
                pass
            status, body, chunked = next(now)
            head = [(b"location", b"/v1/hello")]
            if not chunked:
                head.append((b"content-length", str(len(body)).encode()))
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": body})

        from wideberth.web.server import serve

        async with (
            await serve(app, host="127.0.0.1", port=0, tls=server_context(green.identity)) as serving,
            blue.line(serving.port, green.identity) as line,
        ):
            for n in range(len(answers)):
                line.offer(blue.to("GREEN", frame(str(n))))
                while line.dropped <= n:
                    await asyncio.sleep(0.001)
            assert blue.replies.empty()
            while not blue.changes.empty():
                assert isinstance(await blue.next_change(), Malformed | Unreachable)

    asyncio.run(story())


def test_what_fails_in_one_channel_neither_stops_the_others_nor_is_told_twice():
    async def story():
        blue, green = pair()
        async with await green.serve() as serving, blue.line(serving.port, green.identity) as line:
            for n in range(3):
                line.offer(blue.to("NOBODY", frame(f"x{n}")))
                line.offer(blue.to("GREEN", frame(f"y{n}")))
                await blue.next_reply()
            assert isinstance(await blue.next_change(), Stranger)
            assert await blue.next_change() is None
            assert blue.changes.empty()
            assert line.dropped == 3
            assert line.waiting_bytes == 0
            blue.keys.set_peer(CH, "NOBODY", green.key.public())
            green.keys.join(CH, "NOBODY")
            line.offer(blue.to("NOBODY", frame("z")))
            assert await blue.next_change() is None
            await blue.next_reply()

    asyncio.run(story())


def test_a_routine_notice_with_its_http_head_stays_under_four_thousand_bytes():
    """N1: measured on what a client really writes for a frame of 2,300 bytes, HTTP head included."""

    async def story():
        blue, green = Party("BLUE"), Party("GREEN")
        blue.knows(green)
        seen = bytearray()
        done = asyncio.Event()

        async def count(reader, writer):
            while data := await reader.read(65536):
                seen.extend(data)
                if b"\r\n\r\n" in seen:
                    head, _, body = bytes(seen).partition(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length:")[2].split()[0])
                    if len(body) >= length:
                        done.set()
                        break
            writer.close()

        tcp = await asyncio.start_server(count, "127.0.0.1", 0, ssl=server_context(green.identity))
        port = tcp.sockets[0].getsockname()[1]
        async with blue.line(port, green.identity) as line:
            whole = Frame(b'"' + b"e" * 1398 + b'"', b'"' + b"b" * 898 + b'"')
            assert whole.size == 2300
            line.offer(blue.to("GREEN", whole))
            await asyncio.wait_for(done.wait(), 10)
        tcp.close()
        head = bytes(seen).partition(b"\r\n\r\n")[0]
        wire = bytes(seen)[len(head) + 4 :]
        assert open_delivery(wire, read_address(wire), green.key).frames == (whole,)
        print(f"head {len(head) + 4} + delivery {len(wire)} = {len(seen)} bytes")
        assert len(seen) < 4000
        assert b"user-agent" not in head.lower()

    asyncio.run(story())


def test_tampered_bytes_are_refused_with_a_problem_and_reach_nobody():
    async def story():
        blue, green = pair()
        wire = bytearray(seal_delivery(blue.to("GREEN", frame("x")), green.key.public()))
        wire[-1] ^= 1
        async with await green.serve() as serving, aiohttp.ClientSession() as session:
            url = f"https://127.0.0.1:{serving.port}{PATH}"
            tls = client_context(green.identity.certificate_pem)
            async with session.post(url, data=bytes(wire), ssl=tls) as response:
                assert response.status == 400
                assert response.content_type == "application/problem+json"
                said = await response.json()
            assert said["fault"] == "BadSignature"
            wire[-1] ^= 1
            async with session.post(url, data=bytes(wire), ssl=tls) as response:
                assert (response.status, response.content_type) == (200, CONTENT_TYPE)
            assert len(green.heard) == 1

    asyncio.run(story())
