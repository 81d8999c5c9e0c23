# SPDX-License-Identifier: Apache-2.0
"""What is repeated, and when: found by killing real peers under traffic (`tests/chaos`)."""

from __future__ import annotations

import pytest

from wideberth.core.carry.outbox import Outbox
from wideberth.core.limits import RESEND_FIRST_MS


@pytest.mark.parametrize("urgent", [False, True])
def test_a_busy_line_does_not_push_a_repeat_away(urgent: bool) -> None:
    outbox = Outbox()
    outbox.wrote(1, urgent=False)
    outbox.fresh(1, 0)  # lost on its way
    for seq in range(2, 200):  # something new is said ten times a second, and parked by the peer behind the gap
        now_ms = 100 * (seq - 1)
        outbox.wrote(seq, urgent=urgent)
        outbox.fresh(seq, now_ms)
        assert outbox.due_mono_ms is not None
        if outbox.due_mono_ms <= now_ms:
            assert now_ms == RESEND_FIRST_MS
            assert 1 in [n for part in outbox.repeat(seq, now_ms) for n in part]
            return
    raise AssertionError("entry 1 was never repeated")
