# SPDX-License-Identifier: Apache-2.0
"""Words of the hotline: messages between the liaison cells of a line, and questions about a notice (domain.md N3, Q6).

Everybody writes in their own tongue; a translation stands beside that text and never in its place, signed by the post
that made it. A message may name a phrase of the book (`say/phrases`) with its values: then each side reads it in its
own language without a translator. What is read back, translated or answered is one exact entry, by its hash.

None of them warns of anything: what occupies space and time is a notice. There is no field for a purpose.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

from wideberth.core.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX
from wideberth.core.say.base import Precedence, WordBase, short
from wideberth.core.say.live import WhoseWord
from wideberth.core.say.tongue import check_tag
from wideberth.errors import BadInput

HASH_CHARS: Final = 64
# The longest phrase of the book takes three values.
VALUES_MAX: Final = 8
_ID: Final = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)


class Question(StrEnum):
    """What may be asked about a notice: whose or what traffic it is, how far it reaches, how long, whether it goes on.

    The list is short and closed.
    """

    IDENTITY = "IDENTITY"
    EXTENT = "EXTENT"
    DURATION = "DURATION"
    STILL_ACTIVE = "STILL_ACTIVE"


class Message(WordBase, frozen=True, tag="message"):
    """One cell to the others on its line. Either `text` in `language` (a BCP 47 tag), or a `phrase` of the book with
    its `values`. `reply_to` is the hash of the message that it answers, `about` of a version of a notice; or empty.

    A phrase that the reader's book does not have is a message all the same: its id and values are shown.
    """

    precedence: Precedence = Precedence.ROUTINE
    text: str = ""
    language: str = "en"
    phrase: str = ""
    values: dict[str, str] = msgspec.field(default_factory=dict)
    reply_to: str = ""
    about: str = ""

    def __post_init__(self) -> None:
        if bool(self.text.strip()) == bool(self.phrase):
            raise BadInput("a message has a text, or a phrase of the book", field="text")
        short(self.text, TEXT_CHARS_MAX, "text")
        check_tag(self.language)
        if self.phrase and (_ID.fullmatch(self.phrase) is None or self.text):
            raise BadInput("a phrase is named by its id, such as line_check, and needs no text", field="phrase")
        if self.values and not self.phrase:
            raise BadInput("values are put into a phrase; this message has none", field="values")
        if len(self.values) > VALUES_MAX:
            raise BadInput(f"a phrase takes at most {VALUES_MAX} values", field="values")
        for name, value in self.values.items():
            if _ID.fullmatch(name) is None:
                raise BadInput("values of a phrase have names such as ref or time", field="values")
            short(value, NAME_CHARS_MAX, "value")
        short(self.reply_to, HASH_CHARS, "reply_to")
        short(self.about, HASH_CHARS, "about")


class Translation(WordBase, frozen=True, tag="translation"):
    """What a person of the speaker's cell makes of a text: in `language`, beside the original, never in its place.

    The post that signs answers for it; `translator` is a pseudonym of who did it, or empty.
    """

    of: str
    language: str
    text: str
    translator: str = ""

    def __post_init__(self) -> None:
        _written(self.text, self.language)
        short(self.translator, NAME_CHARS_MAX, "translator")


class HeardAs(WordBase, frozen=True, tag="heardas"):
    """Read-back of a message: the reader repeats that exact entry in their own words, for its author to compare."""

    of: str
    text: str
    language: str = "en"

    def __post_init__(self) -> None:
        _written(self.text, self.language)


class Clarification(WordBase, frozen=True, tag="ask"):
    """Questions about one exact version of a notice, to its author. They hold nothing up."""

    of: str
    questions: tuple[Question, ...]
    text: str = ""
    language: str = "en"

    def __post_init__(self) -> None:
        _each_once(self.questions)
        short(self.text, TEXT_CHARS_MAX, "text")
        check_tag(self.language)


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to one question."""

    question: Question
    text: str


class ClarificationAnswer(WordBase, frozen=True, tag="answer"):
    """The author of the notice answers questions of one exact `ask`. What changes the notice is a new version of it."""

    of: str
    replies: tuple[Reply, ...]
    language: str = "en"

    def __post_init__(self) -> None:
        _each_once(tuple(reply.question for reply in self.replies))
        for reply in self.replies:
            _written(reply.text, self.language)


TalkWord = Message | Translation | HeardAs | Clarification | ClarificationAnswer | WhoseWord


def _written(text: str, language: str) -> None:
    if not text.strip():
        raise BadInput("this needs a text", field="text")
    short(text, TEXT_CHARS_MAX, "text")
    check_tag(language)


def _each_once(questions: tuple[Question, ...]) -> None:
    if not questions or len(set(questions)) != len(questions):
        raise BadInput(f"name at least one of {', '.join(Question)}, each once", field="questions")
