# SPDX-License-Identifier: Apache-2.0
"""How many bytes a routine notice is on the wire (domain.md N1: under 4,000), counted at the socket."""

from __future__ import annotations

from tests.e2e.nodes import Two

DAY = "2030-01-01"
NOTICE_BYTES_MOST = 4_000


def test_a_routine_notice_is_at_most_4000_bytes_on_the_wire_with_http_and_tls() -> None:
    """On a line that is open. Everything is in the number: TLS records, HTTP head, sealing and its post-quantum key,
    padding, header, body and two signatures; and the same again for the receipt that comes back."""
    with Two(clock=f"{DAY}T12:00:00Z", weather=True) as two:
        there = two.weather["GREEN"]
        sizes = []
        for n in range(5):
            before = len(there.turn_bytes)
            given = two.blue.give(
                circle=f"36.2012{n}N 36.45678E", radius="12.345km", place_name="Cape Amal" if n > 9 else "",
                text="A full sentence that tells what an officer would add here.", **{
                    "from": f"{DAY}T20:00Z", "until": f"{DAY}T21:00Z"},
            )  # fmt: skip
            two.settle()
            assert two.green.notice(given["ref"])["version"] == 1
            sizes.append(there.turn_bytes[before:])
        # One delivery each, on the connection that was there: no handshake, nothing else.
        assert all(len(turns) == 1 for turns in sizes), sizes
        assert max(size for (size,) in sizes) <= NOTICE_BYTES_MOST, sizes
        assert min(size for (size,) in sizes) > 1_000  # it was counted at all
