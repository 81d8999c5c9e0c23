# SPDX-License-Identifier: Apache-2.0
"""Words of live safety: "is it yours?" about traffic that was seen, and its answer (domain.md G2 and its amendment).

The answer is OURS or UNKNOWN, and there is no third: what a party says is not its own would be read as leave to fire.
UNKNOWN is never inferred; while nobody has answered, nobody has said anything.
"""

from __future__ import annotations

from typing import Literal

from wideberth.core.limits import INTEGER_MAX, TEXT_CHARS_MAX
from wideberth.core.say.base import Hazard, WordBase, short
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.tongue import check_tag
from wideberth.core.say.volume import check_band
from wideberth.errors import BadInput


class Whose(WordBase, frozen=True, tag="whose"):
    """Traffic was seen at a point, in a height band, at a time: is it yours? To every other member of the channel.

    `at_ms`: when it was seen, ms UTC. `hazard`: what kind of traffic, of the list of notices. `text` in `language` (a
    BCP 47 tag). There is no field for what anybody would do about it.
    """

    point: Point
    lower: Altitude
    upper: Altitude
    at_ms: int
    hazard: Hazard = Hazard.UNSPECIFIED
    text: str = ""
    language: str = "en"

    def __post_init__(self) -> None:
        check_band(self.lower, self.upper)
        if not 0 <= self.at_ms <= INTEGER_MAX:
            raise BadInput("when it was seen is a time after 1970", field="at_ms")
        short(self.text, TEXT_CHARS_MAX, "text")
        check_tag(self.language)


class Owner(WordBase, frozen=True, tag="owner"):
    """A member's answer to one exact `whose`: the traffic is the speaker's, or the speaker does not know whose it is.

    A later answer of the same member holds from then on; both stay.
    """

    of: str
    whose: Literal["OURS", "UNKNOWN"]
    text: str = ""
    language: str = "en"

    def __post_init__(self) -> None:
        short(self.text, TEXT_CHARS_MAX, "text")
        check_tag(self.language)


WhoseWord = Whose | Owner
