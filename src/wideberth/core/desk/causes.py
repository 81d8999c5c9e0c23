# SPDX-License-Identifier: Apache-2.0
"""What rings, and what ends it: the one spelling, for the desk (`desk.py`) and for the bell of a terminal.

    cause(tell)     why something rings, or None: it only concerns screens or programs
    end(tell)       what this tell answers or makes an end of, or None

A tell is plain data here, as it comes out of the node's stream: `{"tell": "heard", "ch": …}`, defaults left out. Causes
are grouped (domain.md N9): all that rings about one notice, one message, one line to a peer or one fault is one item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec

from wideberth.core.desk.escalation import Event, Urgency
from wideberth.core.warned import Warned

# Own answers that show that a person has the notice.
ANSWERS: Final = frozenset({"ack", "readback", "insufficient", "objection", "refused", "relay"})
# Own words on the hotline that may answer a message or a question; `answers` in their facts says which.
TALK: Final = frozenset({"message", "heardas", "answer", "owner"})
# What is said of a site or movement that was missed.
CARES: Final = frozenset({"checkin", "confirm"})
REVISIONS: Final = frozenset({"amend", "correct", "extend", "offnominal"})

_OF_PRECEDENCE: Final = {"FLASH": Urgency.FLASH, "IMMEDIATE": Urgency.URGENT}
# Of what carries no precedence of its own. What own plans meet is a matter of minutes.
_OF_KIND: Final = dict.fromkeys(
    ("exposed", "crossed", "nearer", "glass", "ring", "climbed", "overdue"), Urgency.URGENT
)  # fmt: skip
# `level` is left out of the JSON where it is the default of its kind (core/tells.py, core/warned.py).
_LEVELS: Final = {
    "overdue": "RING", "disk": "RING", "exposed": "RING", "crossed": "RING", "nearer": "RING", "glass": "RING",
    "delivered": "QUIET", "keys": "QUIET",
}  # fmt: skip
# What was found by looking at own plans, units or reports: whoever sees that somebody is called for it learns of them.
_INSIDE: Final = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Warned))
# What own people have not done in time.
_OURS: Final = frozenset({"UNACKNOWLEDGED", "NOT_READ_BACK", "UNANSWERED"})


class Cause(msgspec.Struct, frozen=True):
    """`key` is this exact cause, `group` what it is about, `name` short and for people.

    `inside`: it was found by comparing with own plans or units. `until_ms`: when it is over by itself (0: not known).
    `out_of_time`: own people have not answered in time what they had heard of before. `again`: it rings again, whoever
    heard it before. `version`: of the notice, where it is about one.
    """

    key: str
    group: str
    name: str
    urgency: Urgency
    sentence: str
    inside: bool = False
    until_ms: int = 0
    out_of_time: bool = False
    again: bool = False
    version: int = 0


class End(msgspec.Struct, frozen=True):
    """Which causes it ends: those that begin with one of `starts` (and end with `tail`), or contain `holds`.

    ANSWERED: somebody said what was to be said. OVER, or EXPIRED by itself: nothing is left to do. `by` says who, `why`
    what happened; `group` is over as a whole. `gone`: should it come back it is a new cause, whoever heard the old one.
    `version`: it ends nothing that a newer version began, which may have rung before this one could be recorded.
    """

    event: Event
    starts: tuple[str, ...] = ()
    holds: str = ""
    tail: str = ""
    spares: tuple[str, ...] = ()
    by: str = ""
    why: str = ""
    group: str = ""
    gone: bool = False
    version: int = 0

    def covers(self, key: str) -> bool:
        if any(spared in key for spared in self.spares):
            return False
        return (key.startswith(self.starts) and key.endswith(self.tail)) or bool(self.holds and self.holds in key)


def level(tell: Mapping[str, Any]) -> str:
    """RING, NOTE or QUIET."""
    return str(tell.get("level", _LEVELS.get(str(tell["tell"]), "NOTE")))


def cause(tell: Mapping[str, Any]) -> Cause | None:
    """Why it rings; None when it does not."""
    return as_cause(tell) if level(tell) == "RING" else None


def missed(tell: Mapping[str, Any], us: str) -> Cause | None:
    """What our own people did not answer in time, however routine: counted and paged (domain.md E8)."""
    late = tell["tell"] == "overdue" and tell["what"] in _OURS and tell["member"] == us
    if not late:
        return None
    urgency = Urgency.URGENT if level(tell) == "RING" else Urgency.OTHER
    return msgspec.structs.replace(as_cause(tell), out_of_time=True, urgency=urgency)


def as_cause(tell: Mapping[str, Any]) -> Cause:
    """Of a tell that rings, whatever its level says."""
    kind = str(tell["tell"])
    urgency = _OF_PRECEDENCE.get(str(tell.get("precedence", "")), _OF_KIND.get(kind, Urgency.OTHER))
    # What has no effect is no version that an answer could be to.
    understood = "not_understood" not in tell.get("facts", {})
    return Cause(
        _key(tell), _group(tell), _name(tell), urgency, str(tell.get("sentence", "")) or _name(tell),
        inside=kind in _INSIDE, until_ms=int(tell.get("until_ms", 0)),
        again=bool(tell.get("again", 0)), version=int(tell.get("version", 0)) if understood else 0,
    )  # fmt: skip


def end(tell: Mapping[str, Any]) -> End | None:
    """What it answers, or what is over with it; None when it ends nothing."""
    kind, ch, ref = tell["tell"], str(tell.get("ch", "")), str(tell.get("ref", ""))
    match kind:
        case "said":
            return _said(tell, ch, ref)
        case "heard":
            return _heard(tell, ch, ref)
        case "overdue" if tell["what"] == "EXPIRED":
            # A movement that is missed is still out there when its notice is over.
            expired = _over(ch, ref, "its time is over")
            return msgspec.structs.replace(expired, event=Event.EXPIRED, version=int(tell.get("version", 0)))
        case "eased":
            return End(Event.OVER, (_exposed(tell), _near(tell)), gone=True, why="the plan no longer meets it")
        case "uncrossed":
            one = tell["one"]
            near = f"nearer|{one['ch']}|{one['ref']}|{_other(tell)}"
            return End(Event.OVER, (_crossed(tell), near), gone=True, why="the two no longer meet")
        case "exposed" if tell.get("change") == "GREW":
            return End(Event.OVER, (_exposed(tell),), gone=True, why="it grew")
        case "crossed" if tell.get("change") == "GREW":
            return End(
                Event.OVER, (_crossed(tell),), gone=True, why="it grew"
            )  # it rings again, whoever heard it before
        case "disk" if not tell["low"]:
            return End(Event.OVER, ("disk",), gone=True, why="the disk has room again")
        case "link" if tell["state"] == "WORKS":
            return End(Event.OVER, (_link(tell),), gone=True, why="what we say gets there again")
        case "ring" if tell["advice"] != "NO_COMM":
            return End(Event.OVER, (_ring(tell),), gone=True, why="it has called in, or left")
        case "line":
            return End(Event.OVER, (_line(tell),), gone=True, why="the line is in another state")
        case _:
            return None


def urgency_of(precedence: str) -> Urgency:
    """Of what is signed with a precedence."""
    return _OF_PRECEDENCE.get(precedence, Urgency.OTHER)


def thread(ch: str, ref: str) -> str:
    """The group of one notice, ALERT, message or question."""
    return f"word|{ch}|{ref}"


def _said(tell: Mapping[str, Any], ch: str, ref: str) -> End | None:
    what, by, facts = tell["kind"], str(tell.get("by", "")), tell.get("facts", {})
    if what in TALK:
        ref = str(facts.get("answers", ""))
        return _answered(ch, ref, by) if ref else None
    if what == "voice":
        # The telephone took the place of a receipt or an answer that did not come (domain.md B8, E9).
        ref = str(facts.get("about", ""))
        if not ref or facts.get("outcome") != "ANSWERED":
            return None
        return End(Event.ANSWERED, (f"overdue|{ch}|{ref}|",), tail=f"|{facts.get('called', '')}", by=by, why="by voice")
    if what == "checked":
        return End(Event.ANSWERED, (f"check_due|{ch}|",), by=by, why="the line check was answered")
    if what == "outcome":
        # Whatever it is: a person has looked, and said so.
        return End(Event.ANSWERED, (f"overdue|{ch}|{ref}|UNRESOLVED|",), by=by, why="an outcome was recorded")
    if what in CARES:
        return End(Event.OVER, (_missing(ch, ref),), by=by, why="it was heard of", gone=True)
    if what in ANSWERS and _counts(facts):
        # An answer owns the notice, not an exposure of our own plans to it.
        answered = _answered(ch, ref, by, *(("|NOT_READ_BACK|",) if what == "ack" else ()))
        misread = (f"climbed|{ch}|{ref}|MISMATCH|",) if what == "readback" else ()
        # Not of a newer version, which rang before it could be recorded: nobody has answered that one.
        return msgspec.structs.replace(
            answered, starts=(*answered.starts, *misread), group=thread(ch, ref), version=int(tell.get("version", 0))
        )
    if what in REVISIONS:
        return End(Event.OVER, _words(ch, ref), by=by, why="a new version was given")
    if what == "cancel" or (what == "report" and facts.get("ended")):
        over = _over(ch, ref, "it was cancelled" if what == "cancel" else "it is finished", by)
        return msgspec.structs.replace(over, starts=(_missing(ch, ref),))
    return None


def _heard(tell: Mapping[str, Any], ch: str, ref: str) -> End | None:
    what, by, facts = tell["kind"], str(tell.get("by", "")), tell.get("facts", {})
    if not tell.get("recorded", True):
        return None
    if what == "checked":
        return End(Event.ANSWERED, (f"check_due|{ch}|",), by=by, why="the line check was answered")
    if what in CARES:
        return End(Event.OVER, (_missing(ch, ref),), by=by, why="it was heard of", gone=True)
    if what in TALK and facts.get("answers"):
        # Of our own message or question: that member answered.
        late = (f"overdue|{ch}|{facts['answers']}|",)
        return End(Event.ANSWERED, late, tail=f"|{tell['author']}", by=by, why=f"{what} by {by}")
    if what in ANSWERS and _counts(facts):
        # Of our own notice: that member has it.
        starts = (f"overdue|{ch}|{ref}|", f"climbed|{ch}|{ref}|MISMATCH") if what == "readback" else _late(ch, ref)
        return End(Event.ANSWERED, starts, tail=f"|{tell['author']}", by=by, why=f"{what} by {by}")
    if what in REVISIONS and tell.get("precedence") not in _OF_PRECEDENCE:
        return End(
            Event.OVER, _words(ch, ref), by=by, why="a newer version is not urgent", group=thread(ch, ref),
            version=int(tell.get("version", 0)),
        )  # fmt: skip
    if what == "cancel" or (what == "report" and facts.get("ended")):
        over = _over(ch, ref, "it was cancelled" if what == "cancel" else "it is finished", by)
        return msgspec.structs.replace(over, starts=(_missing(ch, ref),))
    return None


def _counts(facts: Mapping[str, Any]) -> bool:
    """Whether an answer is one to the version that holds (domain.md E2), and no read-back that is wrong."""
    return facts.get("step") != "MISMATCH" and "stale" not in facts


def _late(ch: str, ref: str) -> tuple[str, ...]:
    return tuple(f"overdue|{ch}|{ref}|{what}|" for what in ("UNDELIVERED", "UNACKNOWLEDGED"))


def _words(ch: str, ref: str) -> tuple[str, ...]:
    return tuple(f"{kind}|{ch}|{ref}|" for kind in ("heard", "overdue", "climbed"))


def _answered(ch: str, ref: str, by: str, *spares: str) -> End:
    return End(Event.ANSWERED, (f"heard|{ch}|{ref}|", f"overdue|{ch}|{ref}|"), spares=spares, by=by)


def _over(ch: str, ref: str, why: str, by: str = "") -> End:
    return End(Event.OVER, holds=f"|{ch}|{ref}|", by=by, why=why, group=thread(ch, ref))


def _key(tell: Mapping[str, Any]) -> str:
    match tell["tell"]:
        case "heard":
            return f"heard|{tell['ch']}|{tell.get('ref', '')}|{tell['entry']}"
        case "overdue" if tell["what"] == "OVERDUE":
            return _missing(tell["ch"], tell["ref"])
        case "overdue":
            return f"overdue|{tell['ch']}|{tell['ref']}|{tell['what']}|{tell['version']}|{tell['member']}"
        case "climbed":
            return f"climbed|{tell['ch']}|{tell['ref']}|{tell['step']}|{tell['version']}|{tell['member']}"
        case "exposed":
            return _exposed(tell)
        case "crossed":
            return _crossed(tell)
        case "nearer":
            return f"{_near(tell)}{tell['before_ms']}"
        case "disk":
            return "disk"
        case "link":
            return _link(tell)
        case "check_due":
            return f"check_due|{tell['ch']}|{tell['slot_ms']}"
        case "line":
            return _line(tell)
        case "ring":
            return _ring(tell)
        case kind:
            return f"{kind}|{tell.get('sentence', tell)}"


def _group(tell: Mapping[str, Any]) -> str:
    ch = str(tell.get("ch", ""))
    match tell["tell"]:
        case "overdue" if tell["what"] == "OVERDUE":
            return _missing(ch, str(tell["ref"]))
        case "heard" | "overdue" | "climbed":
            return thread(ch, str(tell.get("ref") or tell.get("entry", "")))
        case "exposed" | "nearer" if not tell.get("other_ref"):
            return f"exposed|{ch}|{tell['ref']}"
        case "nearer":
            return f"crossed|{ch}|{tell['ref']}|{tell['other_ch']}|{tell['other_ref']}|"
        case "link" | "line":
            return f"line|{ch}|{tell['peer']}"
        case "check_due":
            return f"check_due|{ch}"
        case "fault":
            return f"fault|{ch}|{tell.get('peer', '')}|{tell['fault']}"
        case _:
            return _key(tell)


def _missing(ch: str, ref: str) -> str:
    """Of a movement that did not check in: an item of its own, which the end of the notice does not end."""
    return f"missing|{ch}|{ref}"


def _exposed(tell: Mapping[str, Any]) -> str:
    return f"exposed|{tell['ch']}|{tell['ref']}|{tell['plan']}"


def _near(tell: Mapping[str, Any]) -> str:
    """Of a `nearer`, and of the `eased` that ends it: each threshold is a cause of its own."""
    other = tell.get("plan") or f"{tell.get('other_ch', '')}|{tell.get('other_ref', '')}"
    return f"nearer|{tell['ch']}|{tell['ref']}|{other}|"


def _other(tell: Mapping[str, Any]) -> str:
    return f"{tell['other']['ch']}|{tell['other']['ref']}|"


def _line(tell: Mapping[str, Any]) -> str:
    return f"line|{tell['ch']}|{tell['peer']}"


def _ring(tell: Mapping[str, Any]) -> str:
    return f"ring|{tell['area']}|{tell['aircraft']}"


def _crossed(tell: Mapping[str, Any]) -> str:
    one, other = tell["one"], tell["other"]
    return f"crossed|{one['ch']}|{one['ref']}|{other['ch']}|{other['ref']}|"


def _link(tell: Mapping[str, Any]) -> str:
    return f"link|{tell['ch']}|{tell['peer']}"


def _name(tell: Mapping[str, Any]) -> str:
    if tell["tell"] == "crossed":
        return f"{tell['one']['ref']} with {tell['other']['ref']}"
    if tell["tell"] == "ring":
        return f"{tell['aircraft']} at {tell['area']}"
    names = {"check_due": "line check due", "line": f"line with {tell.get('peer')}"}
    return str(tell.get("ref") or names.get(str(tell["tell"]), tell["tell"]))
