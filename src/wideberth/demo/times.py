# SPDX-License-Identifier: Apache-2.0
"""Times of day of the stories as full times."""

from __future__ import annotations

from wideberth.core.say import instant
from wideberth.demo.stories import DAY


def full_time(text: str) -> str:
    """`05:40:00` or `06:40Z` of the story as a full time."""
    clock = text.rstrip("Z")
    return f"{DAY}T{clock}{':00' if len(clock) == 5 else ''}Z"


def at_ms(text: str) -> int:
    return instant.parse(full_time(text))
