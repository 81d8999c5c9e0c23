# SPDX-License-Identifier: Apache-2.0
"""Who received which of our notices, and when (domain.md J1): from receipts that peers signed, and calls we logged."""

from __future__ import annotations

from typing import Any

from wideberth.core.call.board import Board, Thread, Version
from wideberth.core.call.sentences import describe
from wideberth.core.carry.channel import Channel
from wideberth.core.say.words import VoiceContact


def disclosed(board: Board, channel: Channel) -> list[dict[str, Any]]:
    """Every version of every notice and ALERT of ours: for each other member of the line when its node stored it, by
    its own clock (None: it has not signed so), and when a call about it was logged."""
    return [
        {
            "ch": channel.ch,
            "ref": thread.ref,
            "version": version.number,
            "kind": version.kind,
            "given_ms": version.t_ms,
            "says": describe(version),
            "to": [_to(board, thread, version, m, channel) for m in channel.terms.members if m != channel.us],
        }
        for thread in board
        if thread.author == channel.us
        for version in thread.versions
    ]


def _to(board: Board, thread: Thread, version: Version, member: str, channel: Channel) -> dict[str, Any]:
    steps = {s.step: s.t_ms for s in thread.steps_of(version.entry, member)}
    alone = len(channel.terms.members) == 2
    called = [
        what.at_ms
        for author, _, _, what in board.words
        if isinstance(what, VoiceContact)
        and author == channel.us
        and what.of == version.entry
        and (what.party == member or (alone and not what.party))
    ]
    return {
        "party": member,
        "by_voice": member in channel.by_voice,
        "received_ms": steps.get("DELIVERED"),
        "shown_ms": steps.get("SEEN"),
        "called_ms": min(called, default=None),
    }
