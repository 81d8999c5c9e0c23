# SPDX-License-Identifier: Apache-2.0
"""What rings at a terminal, and until when. Pure: tells go in, whether to ring comes out.

A ring lasts until somebody owns it: a key pressed here, an answer given from any terminal of this node, or the cause
gone (cancelled, eased, room on the disk again). What rings and what ends it is `core/desk/causes.py`, for the desk and
for every terminal alike. Any number of causes ring as one bell, and a repeat of one cause adds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wideberth.core.desk.causes import cause, end


class Alarm:
    """The causes that ring now, by a key for each."""

    def __init__(self) -> None:
        self._ringing: dict[str, str] = {}
        self._owned: set[str] = set()
        self._early: set[str] = set()

    @property
    def ringing(self) -> tuple[str, ...]:
        """One short name per cause, in the order in which they began."""
        return tuple(self._ringing.values())

    def take(self, tell: Mapping[str, Any]) -> bool:
        """One tell. True when it is the beginning of a ring."""
        if (over := end(tell)) is not None:
            for key in [key for key in self._ringing if over.covers(key)]:
                del self._ringing[key]
            if over.gone:
                self._owned = {key for key in self._owned if not over.covers(key)}
        found = cause(tell)
        if found is not None and found.again:
            self._owned.discard(found.key)  # whoever heard it before has not answered it
        if found is None or found.key in self._ringing or found.key in self._owned:
            return False
        self._ringing[found.key] = found.name
        return True

    def rang_early(self, tell: Mapping[str, Any]) -> bool:
        """Whether this entry was told before it was recorded, and is told again now that it is."""
        if tell["tell"] != "heard":
            return False
        if not tell.get("recorded", True):
            self._early.add(str(tell["entry"]))
            return False
        return tell["entry"] in self._early

    def own(self) -> None:
        """A key was pressed: an officer has heard it. What rings now is silent; what comes later rings again."""
        self._owned |= self._ringing.keys()
        self._ringing.clear()
