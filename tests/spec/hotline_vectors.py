# SPDX-License-Identifier: Apache-2.0
"""The examples of spec/9: words of the hotline in their one spelling, a reference, and check codes.

`python tests/spec/hotline_vectors.py` writes them into `spec/9-hotline.md` (the block after `<!-- hotline: NAME -->`).
"""

from __future__ import annotations

import re

from first_notice import SPEC, build, wrapped

from wideberth.core.call.hotline import MESSAGE, reference_of
from wideberth.core.say import codes
from wideberth.core.say.base import Precedence
from wideberth.core.say.talk import (
    Clarification,
    ClarificationAnswer,
    HeardAs,
    Message,
    Question,
    Reply,
    TalkWord,
    Translation,
)
from wideberth.core.seal import canonical

PAGE = SPEC / "9-hotline.md"
BLOCK = re.compile(r"(<!-- hotline: (\w+) -->\n```\w*\n)(.*?)(\n```)", re.DOTALL)

HEARD = "5e" * 32
ASKED = "a5" * 32


def words() -> dict[str, TalkWord]:
    notice = build()["strands"]["BLUE"][1]["hash"]
    return {
        "message": Message(Precedence.FLASH, "שני כלי טיס חוזרים", "he", about=notice),
        "phrase": Message(phrase="how_long", values={"ref": "BLU-0001-E"}, reply_to=HEARD),
        "translation": Translation(HEARD, "en", "Two aircraft are coming back", "linguist-7"),
        "heardas": HeardAs(HEARD, "two of yours return"),
        "ask": Clarification(notice, (Question.EXTENT, Question.STILL_ACTIVE), "for our log"),
        "answer": ClarificationAnswer(ASKED, (Reply(Question.EXTENT, "7 NM round the middle"),)),
    }


def examples() -> dict[str, str]:
    notice = build()["strands"]["BLUE"][1]["hash"]
    found = {name: canonical.encode(word).decode() for name, word in words().items()}
    found["reference"] = reference_of(MESSAGE, HEARD)
    found["codes"] = f"{codes.challenge(notice)} {codes.response(notice)}"
    return found


if __name__ == "__main__":
    made, text = examples(), PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda m: m[1] + wrapped(made[m[2]]) + m[4], text), encoding="utf-8")
