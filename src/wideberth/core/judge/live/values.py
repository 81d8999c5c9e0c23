# SPDX-License-Identifier: Apache-2.0
"""What a picture is asked with, and what it answers."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from wideberth.core.judge.separation import Answer
from wideberth.core.say.volume import Volume4D


class Meeting(NamedTuple):
    """Two volumes that are not separate: number `theirs` of the operation `key` in the picture, and number `ours` of
    the one that asked. `answer` is CONFLICT or TOO_CLOSE_TO_CALL; both are acted on."""

    key: str
    theirs: int
    ours: int
    answer: Answer


class Prepared(Protocol):
    """An operation made ready once, for one kind of picture: `key` is the owner's name for it."""

    @property
    def key(self) -> str: ...
    @property
    def volumes(self) -> tuple[Volume4D, ...]: ...
