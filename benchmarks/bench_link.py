# SPDX-License-Identifier: Apache-2.0
"""What the link costs beyond its cryptography: round trips of a routine frame between two processes over TLS loopback.

    python benchmarks/bench_link.py                  # all rows, about 20 s
    python benchmarks/bench_link.py --seconds 5

    python benchmarks/bench_link.py --frames 100

A round trip is: seal, POST over TLS 1.3, open, seal a reply with one receipt, open it. So it holds two HPKE seals and
two opens; `HPKE alone` is the time of just those in the same run on messages as long, with nothing around. `beyond` is
the difference: what HTTP, TLS records, two event loops and the kernel cost.

Rows: the loop (uvloop or asyncio's own) and the client (`PeerLine` as shipped; http.client, as the yardstick
of a plain blocking client). One delivery in flight, as in use; medians over all round trips.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import http.client
import multiprocessing
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from starlette.applications import Starlette

from wideberth.errors import Fault
from wideberth.link.client import PATH, PeerLine
from wideberth.link.delivery import Delivery, Frame, open_delivery, read_address, seal_delivery, write
from wideberth.link.keyring import MemoryKeyRing
from wideberth.link.sealing import SealingKey, seal
from wideberth.link.tls import Identity, client_context, make_identity, server_context
from wideberth.web.peer_api import peer_routes
from wideberth.web.server import serve

CH = "be" * 32
RECEIPT = b'{"payload":"' + b"r" * 700 + b'"}'
REPLY = Delivery(CH, "GREEN", "BLUE", (), (RECEIPT,))


def frame(n: int) -> Frame:
    """2,300 bytes, unlike any other `n` (what waits twice goes once)."""
    return Frame(b'{"payload":"%06d' % n + b"e" * 1378 + b'"}', b'{"body":"' + b"b" * 891 + b'"}')


def request(frames: int) -> Delivery:
    return Delivery(CH, "BLUE", "GREEN", tuple(map(frame, range(frames))))


def ring(own: SealingKey, us: str, peer: str, public: str) -> MemoryKeyRing:
    keys = MemoryKeyRing()
    keys.add_own(own)
    keys.join(CH, us)
    keys.set_peer(CH, peer, public)
    return keys


def runner(uvloop: bool) -> asyncio.Runner:
    if not uvloop:
        return asyncio.Runner()
    import uvloop as module

    return asyncio.Runner(loop_factory=module.new_event_loop)


def serve_green(pipe: Connection, uvloop: bool, identity: Identity, key: bytes, blue: str, frames: int) -> None:
    """The other process: receives and answers with one receipt until the pipe says stop."""
    keys = ring(SealingKey.from_bytes(key), "GREEN", "BLUE", blue)

    async def receive(delivery: Delivery) -> Delivery:
        assert len(delivery.frames) == frames
        return REPLY

    async def main() -> None:
        app = Starlette(routes=peer_routes(receive, keys))
        async with await serve(app, host="127.0.0.1", port=0, tls=server_context(identity)) as serving:
            pipe.send(serving.port)
            await asyncio.to_thread(pipe.recv)

    with runner(uvloop) as run:
        run.run(main())


def by_line(port: int, seconds: float, what: Delivery, uvloop: bool, pem: str, keys: MemoryKeyRing) -> list[float]:
    async def main() -> list[float]:
        back: asyncio.Queue[Delivery | Fault] = asyncio.Queue()

        def on_change(fault: Fault | None) -> None:
            if fault is not None:
                back.put_nowait(fault)

        line = PeerLine(
            f"https://127.0.0.1:{port}", client_context(pem), keys, on_reply=back.put_nowait, on_change=on_change
        )
        task = asyncio.create_task(line.run())
        times: list[float] = []
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            line.offer(what)
            assert await back.get() == REPLY
            times.append(time.perf_counter() - start)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return times

    with runner(uvloop) as run:
        return run.run(main())


def by_http_client(
    port: int, seconds: float, what: Delivery, _uvloop: bool, pem: str, keys: MemoryKeyRing
) -> list[float]:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=client_context(pem))
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        connection.request("POST", PATH, seal_delivery(what, keys.sealing(CH, "GREEN")))
        wire = connection.getresponse().read()
        address = read_address(wire)
        assert open_delivery(wire, address, keys.opening(address)) == REPLY
        times.append(time.perf_counter() - start)
    connection.close()
    return times


def hpke_alone(seconds: float, what: Delivery) -> list[float]:
    """Seconds of the two seals and two opens of one round trip, on plaintexts of the same length."""
    blue, green = SealingKey.generate(), SealingKey.generate()
    there, back = bytes(len(write(what))), bytes(len(write(REPLY)))
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        green.open(seal(green.public(), there, b"info"), b"info")
        blue.open(seal(blue.public(), back, b"info"), b"info")
        times.append(time.perf_counter() - start)
    return times


def row(name: str, uvloop: bool, seconds: float, what: Delivery, drive: Callable[..., list[float]]) -> None:
    identity = make_identity("GREEN", time.time_ns() // 1_000_000)
    blue, green = SealingKey.generate(), SealingKey.generate()
    ours, theirs = multiprocessing.Pipe()
    args = (theirs, uvloop, identity, green.to_bytes(), blue.public(), len(what.frames))
    process = multiprocessing.get_context("spawn").Process(target=serve_green, args=args)
    process.start()
    try:
        port = ours.recv()
        keys = ring(blue, "BLUE", "GREEN", green.public())
        floors = hpke_alone(0.5, what)
        drive(port, 0.5, what, uvloop, identity.certificate_pem, keys)
        times = drive(port, seconds, what, uvloop, identity.certificate_pem, keys)
        floors += hpke_alone(0.5, what)
    finally:
        ours.send(None)
        process.join()
    floor = statistics.median(floors)
    p50, p99 = statistics.median(times), sorted(times)[int(len(times) * 0.99)]
    print(
        f"{name:30} {len(times) / sum(times):6.0f}/s   p50 {p50 * 1e3:5.2f} ms   p99 {p99 * 1e3:5.2f} ms   "
        f"HPKE alone {floor * 1e3:5.2f} ms   beyond {(p50 - floor) * 1e3:5.2f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--frames", type=int, default=1, help="frames per delivery (at most 100 go together)")
    given = parser.parse_args()
    what = request(given.frames)
    gc.freeze()
    print(f"{given.frames} frame(s) of {frame(0).size} bytes, reply with one receipt of {len(RECEIPT)} bytes")
    for name, drive in (("PeerLine", by_line), ("http.client", by_http_client)):
        for uvloop in (True, False):
            row(f"{name}, {'uvloop' if uvloop else 'asyncio'}", uvloop, given.seconds, what, drive)


if __name__ == "__main__":
    main()
