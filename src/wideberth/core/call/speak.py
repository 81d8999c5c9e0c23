# SPDX-License-Identifier: Apache-2.0
"""From what an officer commands to the word that will be signed, or the reason why not.

Nothing here waits for anybody: any post on the card may say anything at once (domain.md B5). A late notice is flagged
and goes out; only a notice that would not be a warning at all (no place, no time, no contact) is held back, with the
field named, and the officer is told that ALERT needs none of them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from wideberth.core import events as ev
from wideberth.core.call.board import Board, Thread
from wideberth.core.call.carework import care_word, look_again
from wideberth.core.say import complete, notice, reference
from wideberth.core.say.live import Owner
from wideberth.core.say.talk import Clarification, ClarificationAnswer, HeardAs, Message, Translation
from wideberth.core.say.volume import Volume4D
from wideberth.core.say.words import (
    Acknowledgement,
    ActivityReport,
    Alert,
    Amendment,
    Cancellation,
    Cause,
    Correction,
    Extension,
    Insufficient,
    NilReturn,
    Notice,
    NoticeType,
    Objection,
    OffNominal,
    Outage,
    Precedence,
    ReadBack,
    Refusal,
    RelayCount,
    Terms,
    Word,
)
from wideberth.errors import BadInput, NotFound

# The most urgent first.
_ORDER: Final = list(Precedence).index


def word_for(command: ev.Command, board: Board, now_ms: int) -> tuple[Word, dict[str, Any]]:
    """The word, and facts for the officer (warnings). Raises BadInput or NotFound; nothing has changed then."""
    match command:
        case ev.RaiseAlert():
            return Alert(command.started_ms or now_ms, command.text, command.distress), {}
        case ev.GiveNotice():
            return _give(command, board, now_ms)
        case ev.Revise():
            thread = own_notice(board, command.ref)
            kind = Amendment if command.how == "amend" else Correction
            terms, facts = _checked(command.terms, board, now_ms, before=thread)
            return kind(thread.ref, thread.newest.entry, thread.newest.number + 1, terms), facts
        case ev.DeclareOffNominal():
            thread = own_notice(board, command.ref)
            least = Precedence.FLASH if command.cause is Cause.EMERGENCY else Precedence.IMMEDIATE
            asked = msgspec.structs.replace(command.terms, precedence=min(command.terms.precedence, least, key=_ORDER))
            terms, facts = _checked(asked, board, now_ms, spare="J3")
            return OffNominal(thread.ref, thread.newest.entry, thread.newest.number + 1, command.cause, terms), facts
        case ev.Extend():
            thread = own_notice(board, command.ref)
            terms, facts = _checked(_extended(thread, command.until_ms), board, now_ms)
            return Extension(thread.ref, thread.newest.entry, thread.newest.number + 1, terms), facts
        case ev.Cancel():
            thread = own_notice(board, command.ref)
            return Cancellation(thread.ref, thread.newest.entry, thread.newest.number + 1, command.text), {}
        case ev.Report():
            thread = own_notice(board, command.ref)
            why = _sighting(board, command.why) if command.why else ""
            return ActivityReport(thread.ref, thread.newest.entry, command.state, command.at_ms or now_ms, why), {}
        case ev.VerifyPlace() | ev.ConfirmSite() | ev.CheckInNow():
            return care_word(command, own_notice(board, command.ref), board, now_ms)
        case ev.SayNil():
            return NilReturn(command.until_ms), {}
        case ev.PlanOutage():
            return Outage(command.start_ms, command.end_ms, command.text), {}
        case _:
            return _answer(command, board), {}


def in_distress(what: Word, board: Board) -> bool:
    """Whether somebody is in distress by this word, or it answers one by which somebody is (domain.md G8)."""
    match what:
        case Alert():
            return what.distress
        case Notice() | Amendment() | Correction() | Extension() | OffNominal():
            return what.terms.type is NoticeType.DISTRESS
        case Cancellation() | ActivityReport() | Acknowledgement() | Insufficient() | ReadBack() | RelayCount():
            thread = board.find(what.of)
            return thread is not None and thread.distress
        case Message() | Translation() | HeardAs() | Clarification() | ClarificationAnswer() | Owner():
            thread = board.find(board.hotline.about(what))
            return thread is not None and thread.distress
        case _:
            return False


def own_notice(board: Board, ref: str) -> Thread:
    """Our own notice by its reference; typing errors are caught by the check character."""
    thread = board.find(ref, board.us) or board.find(canonical(ref), board.us)
    if thread is None or thread.author != board.us:
        raise NotFound(f"we have no notice {ref} on this line; `notice list` shows them", ref=ref)
    if thread.kind != "notice":
        raise BadInput("an ALERT is made precise by a notice (`notice give --refines …`), not revised", field="ref")
    return thread


def _sighting(board: Board, ref: str) -> str:
    thread = board.find(ref) or board.find(canonical(ref))
    if thread is None:
        raise NotFound(f"there is no notice {ref} on this line; `notice list` shows them", ref=ref)
    # One that was cancelled since was a sighting all the same.
    return next((v.entry for v in reversed(thread.versions) if v.terms is not None), thread.newest.entry)


def canonical(ref: str) -> str:
    """As references are written; what is none, or misspelled, as it is."""
    try:
        return reference.check(ref)
    except BadInput:
        return ref


def _give(command: ev.GiveNotice, board: Board, now_ms: int) -> tuple[Word, dict[str, Any]]:
    terms, facts = _checked(command.terms, board, now_ms)
    refines = ""
    if command.refines:
        alert = board.find(command.refines, board.us)
        if alert is None or alert.kind != "alert" or alert.author != board.us:
            raise NotFound(f"we raised no ALERT {command.refines} on this line", ref=command.refines)
        refines = alert.newest.entry
    return Notice(reference.make(board.us, board.next_number(board.us)), terms, refines), facts


def _checked(
    terms: Terms, board: Board, now_ms: int, *, before: Thread | None = None, spare: str = ""
) -> tuple[Terms, dict[str, Any]]:
    """The terms with the precedence that their lateness asks for, and the warnings that do not hold them back.
    `before`: the notice as it was; `spare`: a rule that holds nothing back either."""
    flaws = notice.check_terms(terms, board.rules_at(now_ms), now_ms=now_ms)
    fatal = [f for f in flaws if f.fatal and f.rule != spare]
    if fatal:
        raise BadInput(
            " ".join(f.sentence for f in fatal)
            + " Nothing was sent. If it cannot wait, send an ALERT: it needs no field.",
            field=fatal[0].field,
            fields=[f.field for f in fatal],
        )
    precedence = notice.precedence_for(terms, board.rules_at(now_ms), now_ms)
    if _ORDER(precedence) < _ORDER(terms.precedence):
        terms = msgspec.structs.replace(terms, precedence=precedence)
    again = look_again(terms, board, board.rules_at(now_ms), now_ms, before)
    warnings = [*(f.sentence for f in flaws), *again, *_coverage(terms, board, now_ms)]
    facts: dict[str, Any] = {"warnings": warnings} if warnings else {}
    if again:
        facts["look_again"] = again
    if (score := complete.of_terms(terms, board.rules_at(now_ms))) is not None:
        facts["complete"] = complete.view(score)
    return terms, facts


def _coverage(terms: Terms, board: Board, now_ms: int) -> list[str]:
    """Names of a coalition that the agreement does not have, or that this notice leaves out (domain.md A6)."""
    speaks_for = board.versions.speaks_for(board.versions.at(now_ms)[1], board.us)
    strange = [name for name in terms.covers if name not in speaks_for]
    left_out = [name for name in speaks_for if name not in terms.covers]
    found = []
    if strange:
        found.append(f"{', '.join(strange)}: not covered, for the agreement does not name them for {board.us}")
    if left_out:
        found.append(f"not covered by this notice: {', '.join(left_out)} (`--covers` names whose presence it is about)")
    return found


def _extended(thread: Thread, until_ms: int) -> Terms:
    terms = thread.terms
    assert terms is not None
    last = terms.ends_ms
    if until_ms <= last:
        raise BadInput(
            "an extension must end later than the notice does; to end earlier, amend or finish", field="until"
        )

    def later(volume: Volume4D) -> Volume4D:
        return msgspec.structs.replace(volume, end_ms=until_ms) if volume.end_ms == last else volume

    volumes = tuple(later(v) for v in terms.volumes)
    return msgspec.structs.replace(terms, volumes=volumes, expires_ms=max(until_ms, terms.expires_ms))


def _answer(command: ev.Command, board: Board) -> Word:
    assert isinstance(
        command,
        ev.Acknowledge | ev.FindInsufficient | ev.ReadBackAs | ev.Object | ev.Refuse | ev.CountRelays,
    )
    ref = command.ref
    thread = board.find(command.of) if command.of else (board.find(ref) or board.find(canonical(ref)))
    if thread is None:
        raise NotFound(f"there is no notice {ref} on this line; `notice list` shows them", ref=ref)
    if thread.author == board.us:
        raise BadInput(f"{ref} is our own; only the other side can answer it", field="ref")
    ref, of = thread.ref, command.of or thread.newest.entry
    match command:
        case ev.Acknowledge():
            return Acknowledgement(ref, of)
        case ev.FindInsufficient():
            return Insufficient(ref, of, command.fields, command.text)
        case ev.ReadBackAs():
            return ReadBack(ref, of, command.as_read, command.point, command.start_ms, command.end_ms)
        case ev.Object():
            return Objection(ref, of, command.text)
        case ev.Refuse():
            return Refusal(ref, of, command.text)
        case ev.CountRelays():
            return RelayCount(ref, of, command.relayed, command.units)
