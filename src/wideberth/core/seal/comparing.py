# SPDX-License-Identifier: Apache-2.0
"""What differs between two agreements, in words and units that people use: before anybody signs the second one."""

from __future__ import annotations

import msgspec

from wideberth.core.say import instant
from wideberth.core.say.rule_words import differences as numbers
from wideberth.core.seal.agreement import Agreement, LineTerms, Member


class Difference(msgspec.Struct, frozen=True):
    """`what` is a number's name, or `members`, `lines`, `clauses` …; empty `before`: it is new; empty `after`: gone."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"{self.what}: {self.after} is new"
        return f"{self.what}: {self.before} becomes {self.after}" if self.after else f"{self.what}: {self.before} goes"


def differences(before: Agreement, after: Agreement) -> list[Difference]:
    """Everything but version, `previous` and nonce, which say no more than that it is another version."""
    found = [
        Difference(what, str(one), str(other))
        for what, one, other in (
            ("mechanism", before.mechanism, after.mechanism),
            ("mode", before.mode.value, after.mode.value),
            ("begins", instant.show(before.from_ms), instant.show(after.from_ms)),
            ("scope", before.scope, after.scope),
        )
        if one != other
    ]
    found += [Difference(*each) for each in numbers(before.rules, after.rules)]
    found += _lists("members", tuple(map(member_words, before.members)), tuple(map(member_words, after.members)))
    found += _lists("lines", tuple(map(line_words, before.lines)), tuple(map(line_words, after.lines)))
    found += _lists("clauses", before.clauses, after.clauses)
    return found + _lists("see also", before.see_also, after.see_also)


def _lists(what: str, before: tuple[str, ...], after: tuple[str, ...]) -> list[Difference]:
    gone = [Difference(what, each, "") for each in before if each not in after]
    new = [Difference(what, "", each) for each in after if each not in before]
    if not gone and not new and before != after:
        return [Difference(what, "; ".join(before), "; ".join(after))]
    return gone + new


def line_words(line: LineTerms) -> str:
    """`GROUND with BLUE, GREEN`"""
    return f"{line.purpose.value} with {', '.join(line.members)}"


def member_words(member: Member) -> str:
    """`GREEN, who speaks for ALFA, BRAVO`; a member without a node says so, a key is named by its beginning."""
    key = f"key {member.root[:12]}" if member.root else "by voice"
    speaks = f", who speaks for {', '.join(member.speaks_for)}" if member.speaks_for else ""
    return f"{member.party} ({key}){speaks}"
