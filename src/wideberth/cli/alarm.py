# SPDX-License-Identifier: Apache-2.0
"""What rings at a terminal, and until when. Pure: tells go in, whether to ring comes out.

A ring lasts until somebody owns it: a key pressed here, an answer given from any terminal of this node, or the cause
gone (cancelled, eased, room on the disk again). Any number of causes ring as one bell, and a repeat of one cause adds
nothing (domain.md N9: repeated alarms are grouped).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Own answers that show that a person has the notice.
ANSWERS: Final = frozenset({"ack", "readback", "insufficient", "objection", "refused", "relay"})
# Own words on the hotline that may answer a message or a question; `answers` in their facts says which.
TALK: Final = frozenset({"message", "heardas", "answer"})
ENDS: Final = frozenset({"cancel"})


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
        self._end(tell)
        if tell.get("level", _DEFAULTS.get(str(tell["tell"]), "NOTE")) != "RING":
            return False
        key = _key(tell)
        if key in self._ringing or key in self._owned:
            return False
        self._ringing[key] = _name(tell)
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

    def _end(self, tell: Mapping[str, Any]) -> None:
        kind = tell["tell"]
        ref = str(tell.get("ref", ""))
        over: list[str] = []
        talk = kind == "said" and tell["kind"] in TALK
        if talk:
            ref = str(tell.get("facts", {}).get("answers", ""))
        if (talk and ref) or (kind == "said" and tell["kind"] in ANSWERS):
            # An answer owns the notice, not an exposure of our own plans to it: that one is owned by a key.
            over = [
                k for k in self._ringing if k.startswith((f"heard|{tell['ch']}|{ref}|", f"overdue|{tell['ch']}|{ref}|"))
            ]
        elif kind in ("said", "heard") and tell["kind"] in ENDS:
            over = [k for k in self._ringing if f"|{tell['ch']}|{ref}|" in k]
        elif kind == "overdue" and tell.get("again"):
            self._owned.discard(_key(tell))  # whoever heard it before has not answered it
        elif kind == "eased":
            over = [_exposed(tell)]
        elif kind == "uncrossed" or (kind == "crossed" and tell.get("change") == "GREW"):
            over = [_crossed(tell)]  # what grew rings again, whoever heard it before
        elif kind == "disk" and not tell["low"]:
            over = ["disk"]
        elif kind == "link" and tell["state"] == "WORKS":
            over = [_link(tell)]
        elif kind in ("said", "heard") and tell["kind"] == "checked":
            over = [k for k in self._ringing if k.startswith(f"check_due|{tell['ch']}|")]
        elif kind == "line":
            over = [_line(tell)]  # another state is another cause
        for key in over:
            self._ringing.pop(key, None)
            if kind in ("eased", "crossed", "uncrossed", "disk", "link", "line"):
                self._owned.discard(key)


# `level` is left out of the JSON where it is the default of its kind (core/tells.py).
_DEFAULTS: Final = {"overdue": "RING", "disk": "RING", "exposed": "RING", "crossed": "RING", "glass": "RING"}


def level(tell: Mapping[str, Any]) -> str:
    """RING, NOTE or QUIET."""
    return str(tell.get("level", {**_DEFAULTS, "delivered": "QUIET", "keys": "QUIET"}.get(str(tell["tell"]), "NOTE")))


def _key(tell: Mapping[str, Any]) -> str:
    match tell["tell"]:
        case "heard":
            return f"heard|{tell['ch']}|{tell.get('ref', '')}|{tell['entry']}"
        case "overdue":
            return f"overdue|{tell['ch']}|{tell['ref']}|{tell['version']}|{tell['what']}|{tell['member']}"
        case "exposed":
            return _exposed(tell)
        case "crossed":
            return _crossed(tell)
        case "disk":
            return "disk"
        case "link":
            return _link(tell)
        case "check_due":
            return f"check_due|{tell['ch']}|{tell['slot_ms']}"
        case "line":
            return _line(tell)
        case kind:
            return f"{kind}|{tell.get('sentence', tell)}"


def _exposed(tell: Mapping[str, Any]) -> str:
    return f"exposed|{tell['ch']}|{tell['ref']}|{tell['plan']}"


def _line(tell: Mapping[str, Any]) -> str:
    return f"line|{tell['ch']}|{tell['peer']}"


def _crossed(tell: Mapping[str, Any]) -> str:
    one, other = tell["one"], tell["other"]
    return f"crossed|{one['ch']}|{one['ref']}|{other['ch']}|{other['ref']}|"


def _link(tell: Mapping[str, Any]) -> str:
    return f"link|{tell['ch']}|{tell['peer']}"


def _name(tell: Mapping[str, Any]) -> str:
    if tell["tell"] == "crossed":
        return f"{tell['one']['ref']} with {tell['other']['ref']}"
    names = {"check_due": "line check due", "line": f"line with {tell.get('peer')}"}
    return str(tell.get("ref") or names.get(str(tell["tell"]), tell["tell"]))
