# SPDX-License-Identifier: Apache-2.0
"""What officers command about two notices that meet; all other commands are in `core/events.py`, which names these too.

A person gives them. No machine proposes anything to the other side, and none records what became of a conflict.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wideberth.core.say.conflict import How
from wideberth.core.say.volume import Volume4D


class CommandBase(msgspec.Struct, frozen=True, tag_field="command", forbid_unknown_fields=True, omit_defaults=True):
    """Its `command` says which; `ch` is a line, `by` the post that speaks."""


class ProposeRemedy(CommandBase, frozen=True, tag="remedy"):
    """Propose to the other side how two notices could be kept apart.

    `ref` and `other` are the two notices, by reference (then the newest version is meant) or by the hash of a version;
    `moves` is the one of them that would change to `volumes`. `language` empty: our own.
    """

    ch: str
    by: str
    ref: str
    other: str
    moves: str
    how: How
    volumes: tuple[Volume4D, ...]
    text: str = ""
    language: str = ""


class RecordOutcome(CommandBase, frozen=True, tag="outcome"):
    """Record what became of two notices that meet, for our own side. `ref` and `other` as in a proposal.

    `amended`: with RESOLVED_BY_AMEND the notice whose newest version resolved it; empty: whichever has a newer one.
    """

    ch: str
    by: str
    ref: str
    other: str
    outcome: Literal["RESOLVED_BY_AMEND", "ACCEPTED_RISK", "UNRESOLVED", "EXPIRED"]
    amended: str = ""
    text: str = ""
    language: str = ""


ConflictCommand = ProposeRemedy | RecordOutcome
