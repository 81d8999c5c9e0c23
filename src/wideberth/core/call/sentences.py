# SPDX-License-Identifier: Apache-2.0
"""One plain English sentence for each thing said, for terminals, logs and alarms. A peer's words are only quoted."""

from __future__ import annotations

from typing import Any, Final

from wideberth.core.call import activity, clashviews, talkviews
from wideberth.core.call.board import Change, Version
from wideberth.core.say import instant
from wideberth.core.say.arcs import sector_of
from wideberth.core.say.conflict import ConflictWord
from wideberth.core.say.protect import CareWord, CheckIn, Confirmation, Verification
from wideberth.core.say.standing import (
    CardChanged,
    Exit,
    KeyRevoked,
    LineCheck,
    LineCheckAnswer,
    LineWord,
    Operational,
    Proposal,
    Reinstatement,
    Signing,
    Statement,
    Suspension,
)
from wideberth.core.say.talk import TalkWord
from wideberth.core.say.volume import Circle, Corridor, Polygon, Volume4D
from wideberth.core.say.words import CARED_FOR, RECEIPT_ONLY, NilReturn, NoticeType, Outage, VoiceContact, Word


def place(volume: Volume4D) -> str:
    """`10.0 km round 36.2000 37.1500`, for a person; exact values are in the notice."""
    match volume.shape:
        case Circle(centre, radius_mm):
            return f"{radius_mm / 1e6:.1f} km round {centre.lat:.4f} {centre.lng:.4f}"
        case Polygon(corners):
            part = sector_of(Polygon(corners))
            if part is not None:
                return (
                    f"{part.radius_mm / 1e6:.1f} km round {part.centre.lat:.4f} {part.centre.lng:.4f}, "
                    f"from {part.first:03d} to {part.last:03d} true"
                )
            return f"{len(corners)} corners from {corners[0].lat:.4f} {corners[0].lng:.4f}"
        case Corridor(route, half_width_mm):
            return (
                f"corridor of {2 * half_width_mm / 1e6:.1f} km from {route[0].lat:.4f} {route[0].lng:.4f} "
                f"to {route[-1].lat:.4f} {route[-1].lng:.4f}"
            )


def window(volume: Volume4D) -> str:
    return f"{instant.show(volume.start_ms)} to {instant.show(volume.end_ms)}"


def describe(version: Version) -> str:
    """Where, how high and when."""
    if version.terms is None:
        return version.text
    first = version.terms.volumes[0]
    more = f" and {len(version.terms.volumes) - 1} more" if len(version.terms.volumes) > 1 else ""
    return f"{version.terms.type}: {place(first)}{more}, {first.lower} to {first.upper}, {window(first)}"


def late(facts: dict[str, Any]) -> str:
    """`LATE by 530 s (lead 70 s)`, for the lead as given; empty when it is not late."""
    lead = facts.get("lead_given")
    if not lead or not lead.get("late"):
        return ""
    return f"LATE by {lead['shortfall_ms'] / 1000:.0f} s (lead {lead['lead_ms'] / 1000:.0f} s)"


def given(author: str, ref: str, version: Version) -> str:
    """How the first version of a notice is told: what is so already by its own name (domain.md G1, G3, G8)."""
    match version.terms.type if version.terms is not None else None:
        case NoticeType.HOLD_OFF:
            return f"HOLD-OFF {ref} from {author}: people of theirs are there, please stay clear. Answer: `ack {ref}`."
        case NoticeType.UNANNOUNCED_TRAFFIC:
            whose = "Somebody outside the mechanism, who may be there by right."
            return f"UNANNOUNCED TRAFFIC seen by {author}: {ref}. {whose}"
        case NoticeType.ACCIDENT:
            return f"ACCIDENT declared by {author}: {ref}."
        case NoticeType.DISTRESS:
            return f"DISTRESS declared by {author}: {ref}. People need help."
        case _:
            return f"{author} gives notice {ref}."


def refused(author: str, why: str, version: Version | None) -> str:
    """For an urgent word that has no effect on the board. `version`: what it says, as far as it can be read."""
    says = f" It says: {describe(version)}." if version is not None and describe(version) else ""
    return f"URGENT from {author}, and not understood: {why}.{says} Ask {author} by telephone what is meant."


def of_change(author: str, by: str, change: Change, what: Word) -> str:
    thread, version = change.thread, change.version
    if change.what == "version" and thread is not None and version is not None:
        head = {
            "alert": f"DISTRESS of {author}: somebody needs help now, place unknown; whole area of the mechanism."
            if thread.distress
            else f"ALERT from {author}: something is about to happen, place unknown; whole area of the mechanism.",
            "notice": given(author, thread.ref, version),
            "amend": f"{author} amends {thread.ref}: version {version.number} holds.",
            "correct": f"{author} CORRECTS {thread.ref}: version {version.number} holds, earlier answers are void.",
            "extend": f"{author} extends {thread.ref}: version {version.number} holds.",
            "offnominal": f"OFF-NOMINAL, {change.facts.get('cause', '')}: {author}'s {thread.ref} may reach farther; "
            f"version {version.number} holds.",
            "cancel": f"{author} cancels {thread.ref}.",
        }[version.kind]
        if thread.terms is not None and thread.terms.type is NoticeType.PRESENCE and version.number > 1:
            head += " What it said of its presence before stays beside it, and says nothing of who else is there."
        shift = change.facts.get("shift_mm")
        moved = f" Moved {shift / 1e6:.1f} km." if shift else ""
        if version.kind == "cancel" and thread.terms is not None and thread.terms.type in CARED_FOR:
            head = f"{author} withdraws {thread.ref}: it will tell no more of it. What was said of it stays."
        ahead = "" if version.kind == "offnominal" else late(change.facts)
        told = (head, describe(version) + "." * bool(version.terms), moved, ahead)
        standing = thread.terms.standing_text if thread.terms is not None else ""
        return " ".join(x for x in (*told, standing) if x)
    if change.what == "report" and thread is not None:
        facts = change.facts
        return activity.sentence(author, thread.ref, facts["state"], facts["at_ms"], facts.get("why", ""))
    if change.step is not None and thread is not None and version is not None:
        return _of_step(change, by)
    if isinstance(what, CareWord):
        return _of_care(by, change, what)
    if isinstance(what, ConflictWord):
        return clashviews.sentence(by, change.facts, change.ref, what)
    if isinstance(what, TalkWord):
        return talkviews.sentence(by, change, what)
    if change.what == "agreement":
        return of_agreement(author, by, change.facts, what)
    match what:
        case NilReturn():
            return f"{author} says: nothing planned until {instant.show(what.until_ms)}, as far as is known now."
        case Outage():
            return f"{author} plans a line outage {instant.show(what.start_ms)} to {instant.show(what.end_ms)}."
        case VoiceContact():
            return contact(by, what)
        case LineCheck():
            return (
                f"{by} asks whether a person is there (line check). Answer it: `linecheck answer`.{_quoted(what.text)}"
            )
        case LineCheckAnswer():
            asked = f"the line check that {change.facts['asked_by']} asked at {instant.show(change.facts['asked_ms'])}"
            return f"{by} answers {asked}: a person is there.{_quoted(what.text)}"
        case LineWord():
            return f"{by} {_LINE_WORDS[what.state]}.{_quoted(what.text)} No state of a line stops a warning."
        case Statement():
            marked = (
                " It came on a line that is not for statements, and is marked." if change.facts["misplaced"] else ""
            )
            return f"{author} states its position: “{what.text}”. It changes nothing.{marked}"
        case CardChanged():
            return f"{author} has a new card: from here on its keys hold, and what it no longer names does not."
        case KeyRevoked():
            text = f" “{what.text}”" if what.text else ""
            key = f"the key of {author}/{what.post}"
            return f"{by} takes {key} out of use: nothing signed with it has any effect from here on.{text}"
        case _:
            return f"{author} opened its strand."


def _of_care(by: str, change: Change, what: CareWord) -> str:
    assert change.thread is not None
    assert change.version is not None
    ref, facts = f"{change.thread.ref} version {change.version.number}", change.facts
    match what:
        case Verification() if facts["differs"]:
            off = f"{facts['off_mm'] / 1e6:.1f} km"
            return f"PLACE DIFFERS: {by} looked at {ref}, and found it {off} from where it says.{_quoted(what.text)}"
        case Verification():
            return f"{by} looked, and found {ref} where it says.{_quoted(what.text)}"
        case Confirmation():
            return f"{by} confirms {ref}: it is still there.{_quoted(what.text)}"
        case CheckIn():
            return f"{by}: {ref} was heard of at {instant.show(what.at_ms)}, and goes on.{_quoted(what.text)}"


_LINE_WORDS: Final = {
    "REFUSED": "refuses to talk on this line",
    "SUSPENDED": "takes this line out of use",
    "CLOSED": "closes this line",
    "OPEN": "is back on this line",
}


# Of a call in which the other side gave the response code of a notice (domain.md E9).
VOICE_CHECKED: Final = "Acknowledged by voice, code checked: one side's word, and no acknowledgement that they signed."


def contact(by: str, what: VoiceContact) -> str:
    """What was said off this system, or that nobody answered."""
    whom = f" to {what.party}" if what.party else ""
    how = f"{what.medium} {what.frequency}".rstrip()
    rung = f" ({what.rung} of the fallback ladder)" if what.rung is not None else ""
    outcome = {"ANSWERED": "answered", "NO_ANSWER": "no answer", "REFUSED": "refused"}[what.outcome]
    checked = f" {VOICE_CHECKED}" if what.code_checked else ""
    said = f"{outcome}: “{what.answer}”.{checked}"
    return f"{by} logged a call{whom} by {how} at {instant.show(what.at_ms)}{rung}, {said}"


def _quoted(text: str) -> str:
    return f" “{text}”." if text else ""


def of_agreement(author: str, by: str, facts: dict[str, Any], what: Word) -> str:
    """What became of the agreement by one word of a member."""
    said = what.text if isinstance(what, Proposal | Suspension | Reinstatement | Exit | Operational) else ""
    text = f" “{said}”" if said else ""
    marks = f" Marked: {', '.join(facts['marks'])}." if facts.get("marks") else ""
    match what:
        case Proposal():
            counters = f", instead of {facts['counters'][:12]}" if facts["counters"] else ""
            name = f"{facts['agreement'][:12]}{counters}"
            return f"{by} proposes version {facts['version']} of the agreement ({name}).{text}"
        case Signing():
            missing = facts["missing"]
            rest = f"still missing: {', '.join(missing)}" if missing else "every member has signed it"
            return f"{author} signed version {facts['version']} of the agreement ({facts['agreement'][:12]}); {rest}."
        case Suspension():
            return (
                f"{by} suspends the agreement from {instant.show(facts['from_ms'])}.{text}{marks} The lines stay open; "
                "what is said meanwhile is delivered, and marked."
            )
        case Reinstatement():
            return f"{by} ends its suspension of the agreement.{text}"
        case Exit():
            return (
                f"{by} leaves the mechanism from {instant.show(facts['from_ms'])}.{text}{marks} The record stays; "
                "distress passes always."
            )
        case _:
            red = f", although: {', '.join(facts['red'])}" if facts.get("red") else ""
            return f"{by} declares {author} ready under this agreement{red}.{text}"


def glass_broken(by: str, kind: str) -> str:
    """For our own people, whenever one of our break-glass posts speaks."""
    return (
        f"The break-glass post {by} was used ({kind}). Its envelope is open: find out who and why, and put a fresh key "
        "into another envelope (`wideberth keys rotate`)."
    )


def _of_step(change: Change, by: str) -> str:
    assert change.step is not None
    assert change.thread is not None
    assert change.version is not None
    step, ref = change.step, f"{change.thread.ref} version {change.version.number}"
    facts = step.facts
    stale = f" That is not the newest version ({facts['stale']})." if "stale" in facts else ""
    match step.step:
        case "ACKNOWLEDGED":
            return f"{by} acknowledges {ref}. {RECEIPT_ONLY}{stale}"
        case "READ_BACK":
            return f"{by} reads back {ref} correctly: {facts['as_read']}.{stale}"
        case "MISMATCH":
            return f"MISMATCH: {by} reads back {ref} as {facts['as_read']}. {facts.get('sentence', '')}{stale}"
        case "INSUFFICIENT":
            return f"{by} finds {ref} not usable as given; missing: {', '.join(facts['fields'])}.{stale}"
        case "OBJECTED":
            return f"{by} records an objection to {ref}: “{facts['text']}”. It has no effect on the notice.{stale}"
        case "REFUSED":
            return f"{by} would not take {ref}: “{facts['text']}”.{stale}"
        case "RELAYED":
            return f"{by}: {facts['relayed']} of {facts['units']} units have {ref}.{stale}"
        case _:
            return f"{step.member}: {step.step} {ref}."
