# SPDX-License-Identifier: Apache-2.0
"""From what an officer commands about a site or movement to the word that will be signed; and what to look at again
before one is given (domain.md K2): a flag for the officer, never a reason to hold it back."""

from __future__ import annotations

from typing import Any

from wideberth.core import events as ev
from wideberth.core.call import care
from wideberth.core.call.board import Board
from wideberth.core.call.thread import Thread
from wideberth.core.say import notice
from wideberth.core.say.coordinates import parse_point, show_distance
from wideberth.core.say.geodesy import distance_mm, middle
from wideberth.core.say.place import Point
from wideberth.core.say.protect import CareWord, CheckIn, Confirmation, Verification
from wideberth.core.say.rules import Rules
from wideberth.core.say.scan import scan
from wideberth.core.say.words import CARED_FOR, NoticeType, Terms
from wideberth.errors import BadInput


def care_word(
    command: ev.CareCommand, thread: Thread, board: Board, now_ms: int
) -> tuple[CareWord, dict[str, Any]]:  # fmt: skip
    """The word about our own notice, and facts for the officer. Raises BadInput; nothing has changed then."""
    terms, of = thread.terms, thread.newest.entry
    if thread.cancelled is not None:
        raise BadInput(f"{thread.ref} was withdrawn; give it anew if it is there again", field="ref")
    if terms is None or terms.type not in CARED_FOR:
        raise BadInput(f"{thread.ref} is no site and no movement", field="ref")
    facts = {"warnings": [finding.sentence for finding in scan(command.text)]} if scan(command.text) else {}
    match command:
        case ev.VerifyPlace():
            if command.by == thread.newest.by:
                raise BadInput(
                    f"{command.by} gave this version: somebody at another post must have looked (`--as`)", field="by"
                )
            off_mm = care.off(terms, command.point)
            if off_mm > board.rules_of(thread.newest).pin_mm:
                told = (
                    f"that is {show_distance(off_mm)} from the place of {thread.ref}: correct the notice if it is wrong"
                )
                facts = {"warnings": [*facts.get("warnings", ()), told]}
            return Verification(thread.ref, of, command.point, command.text), facts
        case ev.ConfirmSite():
            if terms.type is not NoticeType.STATIC_SITE:
                raise BadInput(f"{thread.ref} is a movement: it checks in", field="ref")
            return Confirmation(thread.ref, of, command.text), facts
        case ev.CheckInNow():
            if terms.type is not NoticeType.MOVEMENT:
                raise BadInput(f"{thread.ref} is a site: it is confirmed anew", field="ref")
            at_ms = command.at_ms or now_ms
            if at_ms > now_ms:
                raise BadInput("a check-in says when the movement was heard of, which is past", field="at")
            return CheckIn(thread.ref, of, at_ms, command.point, command.text), facts


def look_again(terms: Terms, board: Board, rules: Rules, now_ms: int, before: Thread | None) -> list[str]:
    """What about the place of a site or movement should be looked at before it goes out."""
    if terms.type not in CARED_FOR:
        return []
    return [*_address(terms, rules), *_moved(terms, rules, before), *_twice(terms, board, rules, now_ms, before)]


def _address(terms: Terms, rules: Rules) -> list[str]:
    """An address that is a place in numbers, or a name of the agreement's gazetteer, is compared with the pin."""
    text = terms.protected.address if terms.protected is not None else ""
    point = _place_in(text, rules)
    if point is None:
        unknown = (
            f"“{text}” could not be compared with the place: it is no place in numbers, nor in the agreement's list"
        )
        return [unknown] if text else []
    off_mm = care.off(terms, point)
    if off_mm <= rules.pin_mm:
        return []
    return [f"“{text}” is {show_distance(off_mm)} from the place given; one of the two may be wrong"]


def _place_in(text: str, rules: Rules) -> Point | None:
    folded = " ".join(text.casefold().split())
    for named in rules.gazetteer:
        if folded == " ".join(named.name.casefold().split()):
            return named.point
    try:
        return parse_point(text)
    except BadInput:
        return None


def _moved(terms: Terms, rules: Rules, before: Thread | None) -> list[str]:
    was = before.terms if before is not None else None
    if was is None or was.type is not NoticeType.STATIC_SITE:
        return []
    moved_mm = notice.shift(was, terms).place_mm
    if moved_mm <= rules.pin_mm:
        return []
    return [f"the site moves by {show_distance(moved_mm)}: have somebody look at the new place, and verify it"]


def _twice(terms: Terms, board: Board, rules: Rules, now_ms: int, before: Thread | None) -> list[str]:
    """Another live site of our own at the same place. Sites of others are never looked through (M4, M5)."""
    if terms.type is not NoticeType.STATIC_SITE:
        return []
    here = middle(terms.volumes[0].shape)
    found = []
    for thread in board.cared:
        other = thread.terms
        if thread is before or thread.author != board.us or other is None or not thread.live(now_ms):
            continue
        if other.type is NoticeType.STATIC_SITE and distance_mm(here, middle(other.volumes[0].shape)) <= rules.pin_mm:
            found.append(f"{thread.ref} of ours is a site at the same place: is this one and the same?")
    return found
