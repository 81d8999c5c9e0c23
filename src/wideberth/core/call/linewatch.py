# SPDX-License-Identifier: Apache-2.0
"""What one node tells its officers about the state of its line, and when: checks due, missed, states, the next rung.

Nothing here is said to anybody else, and nothing follows from it but that people are told. After a long time without
a look, or a restart, the state is told as it is then: one tell per run of missed checks, not one per check.
"""

from __future__ import annotations

from typing import Any, Final

from wideberth.core.call.board import Board, Thread
from wideberth.core.call.carewatch import CareWatch
from wideberth.core.call.clashwatch import ClashWatch
from wideberth.core.call.contacts import Calls, Rung, calls, next_rung, rate_view
from wideberth.core.call.linelog import LineItem, LineLog
from wideberth.core.call.lines import CHECK_EARLY_MS, NO_CHECKS, LineState, LineStates, PairState, worst
from wideberth.core.call.talkwatch import TalkWatch
from wideberth.core.say.instant import show
from wideberth.core.seal.agreement import LineTerms, Versions
from wideberth.core.tells import CheckDue, CheckMissed, FallbackDue, Level, LineChanged, Tell

# At the agreed time, and again after 5 and after 15 minutes (domain.md §8, B2).
ASK_AFTER_MS: Final = (0, 300_000, 900_000)
# From here on it is not to be relied on that somebody hears.
DOUBTFUL: Final = frozenset({LineState.SILENT, LineState.REFUSED, LineState.SUSPENDED, LineState.CLOSED})


class LineWatch:
    """`states` are for anybody to ask; what was told is kept in memory only. `talk` watches the hotline beside it,
    `care` the sites and movements, `clash` notices that meet."""

    def __init__(self, ch: str, us: str, peers: tuple[str, ...], versions: Versions, terms: LineTerms) -> None:
        self.states = LineStates(versions, terms)
        self.talk = TalkWatch(ch, us, peers, versions)
        self.care = CareWatch(ch, us)
        self.clash = ClashWatch(ch, us)
        self._ch, self._us, self._peers = ch, us, peers
        self._versions, self._terms = versions, terms
        self._told: dict[str, PairState] = {}
        self._proposed: dict[str, Rung | None] = {}
        self._asked: dict[int, int] = {}
        # What was looked at last, and when there is something to look at again.
        self._seen: tuple[LineLog, int, int] | None = None
        self._next_ms: int | None = None

    # --- what the line asks of it ---

    def tell(self, board: Board, now_ms: int) -> list[Tell]:
        """What to tell now, after something was said or time has passed. Costs nothing where neither is so."""
        beside = (self.talk, self.care, self.clash)
        return [*self._of_line(board, now_ms), *(tell for each in beside for tell in each.tell(board, now_ms))]

    def _of_line(self, board: Board, now_ms: int) -> list[Tell]:
        log, seen = board.lines, self._mark(board)
        unchanged = self._seen is not None and self._seen[0] is log and self._seen[1:] == seen[1:]
        if unchanged and (self._next_ms is None or now_ms < self._next_ms):
            return []
        self._seen = seen
        told: list[Tell] = []
        for peer in self._peers:
            told += self._changes(log, peer, now_ms)
        told += self._prompts(log, now_ms)
        self._next_ms = self._next(log, now_ms)
        return told

    def next_ms(self, board: Board, now_ms: int) -> int | None:
        """When `tell` has something to look at again; now, where it has not looked since something was said."""
        seen, new = self._seen, self._mark(board)
        if seen is None or seen[0] is not new[0] or seen[1:] != new[1:]:
            return now_ms if self._peers else None
        beside = (self.talk, self.care, self.clash)
        times = (self._next_ms, *(each.next_ms(board, now_ms) for each in beside))
        return min((t_ms for t_ms in times if t_ms is not None), default=None)

    def _mark(self, board: Board) -> tuple[LineLog, int, int]:
        """What a state follows from, beside the time: the words of the line, and the versions of the agreement."""
        return board.lines, board.lines.count, sum(1 for _ in self._versions)

    def before(self, board: Board, thread: Thread, now_ms: int) -> list[Tell]:
        """A notice becomes active soon: is a person there? Nothing where one answered a moment ago."""
        terms = thread.terms
        if terms is None or not thread.live(now_ms) or terms.starts_ms <= now_ms:
            return []
        missing = [
            peer for peer in self._peers
            if (state := self.states.of(board.lines, self._us, peer, now_ms)).state not in NO_CHECKS
            and state.answered_ms < now_ms - CHECK_EARLY_MS
        ]  # fmt: skip
        if not missing:
            return []
        sentence = (
            f"{thread.ref} of {thread.author} becomes active at {show(terms.starts_ms)}: check now that a person of "
            f"{' and of '.join(missing)} is there, with `linecheck ask`."
        )
        return [CheckDue(self._ch, tuple(missing), terms.starts_ms, 1, sentence, thread.ref)]

    def warned(self, facts: dict[str, Any], board: Board, now_ms: int) -> dict[str, Any]:
        """Facts for whoever says something now: where it is doubtful that anybody hears."""
        doubts = [
            f"the line with {peer} is {state.state} since {show(state.since_ms)}: this is stored, and delivered when "
            f"{peer}'s node takes it; use the telephone as well"
            for peer in self._peers
            if (state := self.states.of(board.lines, self._us, peer, now_ms)).state in DOUBTFUL
        ]
        return {**facts, "warnings": [*facts.get("warnings", ()), *doubts]} if doubts else facts

    # --- states ---

    def _changes(self, log: LineLog, peer: str, now_ms: int) -> list[Tell]:
        state, before = self.states.of(log, self._us, peer, now_ms), self._told.get(peer)
        self._told[peer] = state
        told: list[Tell] = []
        if before is not None and state.last_missed_ms > before.last_missed_ms:
            told.append(self._missed(peer, state))
        was = before.state if before is not None else LineState.OPEN
        if state.state is not was:
            level = Level.RING if state.state is LineState.SILENT else Level.NOTE
            told.append(
                LineChanged(
                    self._ch, peer, state.state.value, was.value, state.since_ms, state.cause, state.reason,
                    changed(peer, state), level,
                )
            )  # fmt: skip
        return told + self._rung(log, peer, state, now_ms)

    def _missed(self, peer: str, state: PairState) -> CheckMissed:
        many = f"{state.missed} line checks with {peer} in a row" if state.missed > 1 else f"A line check with {peer}"
        since = f", the first at {show(state.first_missed_ms)}," if state.missed > 1 else ""
        verb = "were" if state.missed > 1 else "was"
        sentence = f"{many}{since} {verb} missed, the newest at {show(state.last_missed_ms)}. Why is not known."
        return CheckMissed(self._ch, peer, state.last_missed_ms, state.missed, state.first_missed_ms, sentence)

    def _rung(self, log: LineLog, peer: str, state: PairState, now_ms: int) -> list[Tell]:
        rung = self.rung(log, peer, state, now_ms)
        if rung == self._proposed.get(peer):
            return []
        self._proposed[peer] = rung
        if rung is None:
            return []
        sentence = (
            f"The line with {peer} is silent. Try {rung.fallback.kind} next: {rung.fallback.how}. Log it with "
            f"`voice --rung {rung.fallback.kind}`, whatever comes of it."
        )
        return [FallbackDue(self._ch, peer, rung.fallback.kind.value, rung.fallback.how, rung.at, sentence)]

    def rung(self, log: LineLog, peer: str, state: PairState, now_ms: int) -> Rung | None:
        """What to try next, while the line to a peer is silent."""
        rules = self._versions.rules_at(now_ms)
        return next_rung(log, self._us, peer, self._terms.members, state, rules)

    # --- prompts ---

    def _prompts(self, log: LineLog, now_ms: int) -> list[Tell]:
        due: dict[int, list[str]] = {}
        for peer in self._peers:
            for slot, _ in self.states.due(log, self._us, peer, now_ms):
                due.setdefault(slot, []).append(peer)
        told: list[Tell] = []
        for slot, missing in due.items():
            attempt = sum(1 for wait in ASK_AFTER_MS if slot + wait <= now_ms)
            if attempt > self._asked.get(slot, 0):
                self._asked[slot] = attempt
                told.append(self._due(log, slot, attempt, missing))
        self._asked = {slot: attempt for slot, attempt in self._asked.items() if slot in due}
        return told

    def _due(self, log: LineLog, slot: int, attempt: int, missing: list[str]) -> CheckDue:
        asking = [peer for peer in missing if log.unanswered(peer, self._us)]
        do = f"{' and '.join(asking)} asked: answer with `linecheck answer`." if asking else "Ask with `linecheck ask`."
        again = f" (prompt {attempt} of {len(ASK_AFTER_MS)})" if attempt > 1 else ""
        sentence = f"The line check of {show(slot)} with {' and '.join(missing)} is due{again}. {do}"
        level = Level.RING if attempt == len(ASK_AFTER_MS) else Level.NOTE
        return CheckDue(self._ch, tuple(missing), slot, attempt, sentence, level=level)

    def _next(self, log: LineLog, now_ms: int) -> int | None:
        times = []
        for peer in self._peers:
            if (next_ms := self.states.next_ms(log, self._us, peer, now_ms)) is not None:
                times.append(next_ms)
            for slot, _ in self.states.due(log, self._us, peer, now_ms):
                times += [slot + wait for wait in ASK_AFTER_MS if slot + wait > now_ms]
        return min(times, default=None)

    # --- views ---

    def view(self, board: Board, at_ms: int) -> dict[str, Any]:
        """The line at a time, as plain data: the worst state, and every peer."""
        peers = {peer: self.peer_view(board, peer, at_ms) for peer in self._peers}
        state = worst(LineState(each["state"]) for each in peers.values())
        return {"state": state.value, "at_ms": at_ms, "peers": peers}

    def peer_view(self, board: Board, peer: str, at_ms: int) -> dict[str, Any]:
        log, us = board.lines, self._us
        state = self.states.of(log, us, peer, at_ms)
        rung = self.rung(log, peer, state, at_ms)
        found = calls(log, self._terms.members).get((us, peer), Calls())
        return {
            "state": state.state.value,
            "since_ms": state.since_ms,
            "cause": state.cause,
            "reason": state.reason,
            "missed": state.missed,
            "first_missed_ms": state.first_missed_ms,
            "last_missed_ms": state.last_missed_ms,
            "answered_ms": state.answered_ms,
            "due_ms": [slot for slot, _ in self.states.due(log, us, peer, at_ms)],
            "asked_us": [_check(i) for i in log.unanswered(peer, us)],
            "we_asked": [_check(i) for i in log.unanswered(us, peer)],
            "fallback": {"kind": rung.fallback.kind.value, "how": rung.fallback.how, "rung": rung.at} if rung else None,
            "calls": rate_view(found),
        }

    def turns_view(self, board: Board, peer: str, at_ms: int) -> list[dict[str, Any]]:
        """Every change of state between us and a peer up to a time."""
        turns = self.states.turns(board.lines, self._us, peer, at_ms)
        return [{"t_ms": t.t_ms, "state": t.state.value, "cause": t.cause} for t in turns]


def _check(item: LineItem) -> dict[str, Any]:
    return {"entry": item.entry, "by": item.by, "t_ms": item.t_ms}


def changed(peer: str, state: PairState) -> str:
    """The sentence for a state that a line has come into."""
    head = f"The line with {peer} is {state.state} since {show(state.since_ms)}"
    match state.cause:
        case "CHECKS" if state.state is LineState.OPEN:
            return f"{head}: a person answered." if state.since_ms == state.answered_ms else f"{head}."
        case "CHECKS":
            count = "a line check was" if state.missed == 1 else f"{state.missed} line checks in a row were"
            return f"{head}: {count} missed. Why is not known; it means nothing else."
        case "OUTAGE":
            why = "a planned outage"
        case "AGREEMENT":
            why = "the agreement in force has this line no more"
        case "CONTACT":
            why = "a logged call was refused"
        case _:
            why = "a member's own word"
    said = f" “{state.reason}”" if state.reason else ""
    return f"{head}: {why}{said}. Urgent and distress words pass all the same."
