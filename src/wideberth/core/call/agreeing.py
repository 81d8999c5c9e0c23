# SPDX-License-Identifier: Apache-2.0
"""From what an officer commands about the agreement to the word that will be signed, or the reason why not."""

from __future__ import annotations

from typing import Any

from wideberth.core import events as ev
from wideberth.core.call.accord import NO_TEXT, Accord, AccordWord, Proposed
from wideberth.core.say.standing import Exit, Operational, Proposal, Reinstatement, Signing, Suspension
from wideberth.errors import BadInput, NotFound


def agreement_word(
    command: ev.AgreementCommand, accord: Accord, us: str, now_ms: int, *, supervisor: bool
) -> tuple[AccordWord, dict[str, Any]]:
    """The word, and facts for the officer. Raises BadInput or NotFound; nothing has changed then."""
    match command:
        case ev.ProposeVersion():
            return Proposal(command.agreement, command.counters, command.text), {}
        case ev.SignVersion():
            return Signing(_may_sign(command.of, accord, us), command.sig), {}
        case ev.Suspend():
            _need(supervisor, "suspends an agreement")
            return Suspension(_from(command.from_ms, accord, now_ms), command.text), _warned(command.text)
        case ev.Reinstate():
            _need(supervisor, "ends a suspension")
            return Reinstatement(command.text), {}
        case ev.Leave():
            _need(supervisor, "leaves a mechanism")
            return Exit(_from(command.from_ms, accord, now_ms), command.text), _warned(command.text)
        case ev.DeclareReady():
            if command.red:
                _need(supervisor, "declares a mechanism operational while something is red")
                if not command.text.strip():
                    raise BadInput(
                        f"not ready: {', '.join(command.red)}. To go on all the same, say why (`--text`)", field="text"
                    )
            return Operational(accord.newest(now_ms), command.red, command.text), {}


def _need(supervisor: bool, what: str) -> None:
    if not supervisor:
        raise BadInput(f"only a supervisor's post {what}; name it with `--as`", field="by")


def _from(from_ms: int, accord: Accord, now_ms: int) -> int:
    return from_ms or now_ms + accord.versions.rules_at(now_ms).suspend_notice_ms


def _warned(text: str) -> dict[str, Any]:
    warning = f"this goes out marked {NO_TEXT!r}: the agreement asks for a written reason"
    return {} if text.strip() else {"warnings": [warning]}


def _may_sign(of: str, accord: Accord, us: str) -> str:
    """The full hash. Two versions that both follow one must never both be signed by all (core/call/accord.py)."""
    found = [hash_ for hash_ in accord.proposals if hash_.startswith(of)] if len(of) >= 8 else []
    if len(found) != 1:
        raise NotFound("no such version was proposed; `agreement status` lists them", of=of)
    proposed = accord.proposals[found[0]]
    if us in proposed.signatures:
        raise BadInput("we have signed this version already", field="of")
    if accord.versions.newest_hash != proposed.agreement.previous:
        raise BadInput(
            "another version is in force since that was proposed; propose it anew on top of that one", field="of"
        )
    for hash_, other in accord.proposals.items():
        if hash_ != found[0] and _stands(other, proposed, us):
            raise BadInput(
                f"we have signed version {other.agreement.version} as proposed by {other.party} ({hash_[:12]}), and it "
                "can still come into force; the others must counter that one first",
                field="of",
            )
    return found[0]


def _stands(other: Proposed, proposed: Proposed, us: str) -> bool:
    rival = other.agreement.previous == proposed.agreement.previous
    return rival and us in other.signatures and not other.declined
