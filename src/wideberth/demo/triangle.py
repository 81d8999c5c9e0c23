# SPDX-License-Identifier: Apache-2.0
"""The third story: GREEN keeps two lines, one with BLUE and one with AMBER, and nothing crosses from one to the other.

Three real nodes, two mechanisms over the same water. BLUE and AMBER warn GREEN of volumes that meet; GREEN's officer
alone is told (domain.md A10). Then GREEN suspends its agreement with BLUE in writing: what BLUE says is delivered all
the same, and marked; distress rings; the line to AMBER does not notice.
"""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from wideberth import home
from wideberth.core.records import EntryRecord
from wideberth.core.say.rules import Rules
from wideberth.demo import ledger
from wideberth.demo import stories as st
from wideberth.demo.nodes import Nodes, Seen
from wideberth.demo.screen import PRIVATE, Screen
from wideberth.demo.times import at_ms
from wideberth.store.sqlite import SqliteStore

NAME: Final = "triangle"
TITLE: Final = "Two lines, and nothing crosses"
OPENS: Final = "GREEN has a line with BLUE, and another with AMBER. BLUE and AMBER have none, and want none."
AMBER: Final = "AMBER"
PARTIES: Final = (st.BLUE, st.GREEN, AMBER)
STRAIT: Final = "Tern strait"
CONTACTS: Final = {**st.CONTACTS, AMBER: "AMBER watch room, line 300"}
STRAIT_RULES: Final = Rules(
    area=st.RULES.area, gazetteer=st.RULES.gazetteer, not_covered=("anybody who is in neither party",)
)

_Draft = dict[str, str]
_SURVEY: Final[_Draft] = {
    "type": "AREA_ACTIVITY", "hazard": "UNCREWED_AIRCRAFT", "circle": "41.40 -38.20", "radius": "12km", "low": "SFC",
    "high": "5000ft AMSL", "from": "18:30Z", "until": "20:00Z",
}  # fmt: skip
_CROSSING: Final[_Draft] = {
    "type": "TRANSIT", "hazard": "CREWED_AIRCRAFT", "corridor": "41.70 -38.60; 41.40 -38.20; 41.10 -37.80",
    "half_width": "6km", "low": "1000ft AMSL", "high": "4000ft AMSL", "from": "18:40Z", "until": "19:20Z",
}  # fmt: skip
_CAUTION: Final[_Draft] = {
    "type": "CAUTION_AREA", "hazard": "UNSPECIFIED", "circle": "41.40 -38.20", "radius": "15km", "low": "SFC",
    "high": "6000ft AMSL", "from": "18:25Z", "until": "20:05Z",
}  # fmt: skip
_LATER: Final[_Draft] = {"from": "18:50Z", "until": "20:20Z"}


class Three(Nodes):
    """BLUE and GREEN on the coast, GREEN and AMBER in the strait."""

    def __init__(self, folder: Path, clock_ms: int) -> None:
        super().__init__(folder, PARTIES, clock_ms)
        now_ms = time.time_ns() // 1_000_000
        homes = self._homes(CONTACTS, now_ms)
        self._invite(homes, st.BLUE, st.GREEN, st.MECHANISM, st.RULES, now_ms)
        self._invite(homes, st.GREEN, AMBER, STRAIT, STRAIT_RULES, now_ms)

    def _opened(self) -> None:
        for party in PARTIES:
            self.until(f"every line on {party}'s side is open", lambda p=party: self._open(p), within_s=30.0)  # type: ignore[misc]

    def _open(self, party: str) -> bool:
        lines = self.nodes[party].client.get("/v1/status")["lines"]
        wanted = 2 if party == st.GREEN else 1
        return len(lines) == wanted and all(
            p["outstanding"] == 0 and p["held"] > 0 for line in lines for p in line["peers"]
        )


class Scene:
    """Plays the story; `failed` is what was not as expected."""

    def __init__(self, three: Three, screen: Screen) -> None:
        self.failed: list[str] = []
        self.on_screen: list[float] = []
        self._three = three
        self._screen = screen
        self._printed = 0
        self._began_ns: int | None = None

    def play(self, up_s: float) -> None:
        three, screen = self._three, self._screen
        self._printed = len(three.seen)
        screen.measured(
            f"Three nodes are up, with two lines: {st.MECHANISM!r} and {STRAIT!r}: {up_s:.1f} s from nothing.",
            up_s=round(up_s, 3),
        )
        survey = self._say(
            "17:40:00", st.BLUE, st.GREEN, st.MECHANISM, "/v1/notices", _SURVEY, "BLUE will fly a survey."
        )
        since = len(three.seen)
        crossing = self._say(
            "17:42:00", AMBER, st.GREEN, STRAIT, "/v1/notices", _CROSSING,
            "AMBER will cross, and knows nothing of BLUE. GREEN has both.",
        )  # fmt: skip
        crossed: Seen = three.until(
            "GREEN's node finds that the two meet", lambda: three.first(since, st.GREEN, tell="crossed")
        )
        refs = {crossed.tell[side]["ref"] for side in ("one", "other")}
        self._expect(refs == {survey["ref"], crossing["ref"]}, "GREEN was told of two other notices")
        self._expect(crossed.tell["kind"] == "TRIANGLE", "GREEN's node took the two lines for one")
        self._say(
            "17:45:00", st.GREEN, AMBER, STRAIT, "/v1/notices", _CAUTION,
            "GREEN's officer decides what to do with it: a caution area, to AMBER alone, that names nobody.",
        )  # fmt: skip
        self._politics()
        self._expect_silence()

    def _politics(self) -> None:
        suspend: dict[str, Any] = {"command": "suspend", "text": "in protest at yesterday's statement"}
        self._say(
            "18:05:00", st.GREEN, st.BLUE, st.MECHANISM, "/v1/commands", suspend,
            "The capitals quarrel. GREEN suspends its agreement with BLUE, in writing. The line stays open.",
            post="supervisor",
        )  # fmt: skip
        later = self._say(
            "18:10:00", st.BLUE, st.GREEN, st.MECHANISM, "/v1/notices",
            {**_LATER, "ref": self._survey_ref(), "how": "amend"},
            "BLUE's survey is late. It says so all the same, and it is delivered.",
        )  # fmt: skip
        heard = self._three.first(0, st.GREEN, tell="heard", entry=later["entry"], first=False)
        marked = heard is not None and "outside the agreement" in heard.tell["facts"].get("outside", "")
        self._expect(marked, "what BLUE said while the agreement was suspended is not marked")
        distress = {"command": "alert", "text": "a boat is on fire, place unknown", "distress": True}
        raised = self._say(
            "18:20:00", st.BLUE, st.GREEN, st.MECHANISM, "/v1/commands", distress,
            "Somebody is in distress. That passes in every state, and rings.", urgent=True,
        )  # fmt: skip
        self._say(
            "18:20:30", st.GREEN, st.BLUE, st.MECHANISM, "/v1/commands", {"command": "ack", "ref": raised["ref"]},
            "GREEN's officer has it, and sends a boat.",
        )  # fmt: skip
        self._say(
            "18:30:00", st.GREEN, st.BLUE, st.MECHANISM, "/v1/commands", {"command": "reinstate"},
            "The quarrel is over.", post="supervisor",
        )  # fmt: skip

    def _survey_ref(self) -> str:
        found = self._three.nodes[st.BLUE].client.get("/v1/notices", all=1)
        return next(str(v["ref"]) for v in found if v["author"] == st.BLUE and v["kind"] == "notice")

    def _say(
        self, at: str, who: str, to: str, line: str, path: str, body: dict[str, Any], tell: str, *,
        post: str = "watch-1", urgent: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Say it, and wait until the other side has told of it. Returns what the node answered."""
        three = self._three
        three.set_clocks(at_ms(at))
        three.catch_up()
        self._flush()
        self._screen.narrate(at, tell)
        since, began_ns = len(three.seen), time.monotonic_ns()
        self._began_ns = began_ns
        said = {**body, "by": f"{who}/{post}", "line": line}
        answer: dict[str, Any] = three.nodes[who].client.post(path, said)
        heard: Seen = three.until(
            f"{to}'s node tells of what {who} said",
            lambda: three.first(since, to, tell="heard", entry=answer["entry"], first=urgent),
        )
        self.on_screen.append(ledger.in_ms(heard.at_ns - began_ns))
        three.catch_up()
        self._flush()
        self._began_ns = None
        return answer

    def _flush(self) -> None:
        while self._printed < len(self._three.seen):
            seen = self._three.seen[self._printed]
            self._printed += 1
            after = None
            if self._began_ns is not None and seen.at_ns >= self._began_ns:
                after = ledger.in_ms(seen.at_ns - self._began_ns)
            if seen.tell["tell"] == "fault":
                self.failed.append(f"{seen.node}'s node reports: {seen.tell['sentence']}")
            self._screen.tell(seen, after)

    def _expect(self, held: bool, otherwise: str) -> None:
        if not held:
            self.failed.append(otherwise)

    def _expect_silence(self) -> None:
        """Neither BLUE nor AMBER was told a word of the other; BLUE, whose line has no second notice, of no meeting."""
        for party, other in ((st.BLUE, AMBER), (AMBER, st.BLUE)):
            told = [seen.tell for seen in self._three.seen if seen.node == party]
            self._expect(other not in msgspec.json.encode(told).decode(), f"{party} was told of {other}")
        blue = [seen for seen in self._three.seen if seen.node == st.BLUE and seen.tell["tell"] in PRIVATE]
        self._expect(not blue, "BLUE was told that something meets its notice")

    def look_into_folders(self) -> None:
        """With the nodes down: nothing of one line is in the record of who is only on the other."""
        self._screen.heading("Afterwards", "All three are down. What BLUE and AMBER kept, from their folders:")
        for party, words in ((st.BLUE, (AMBER, STRAIT)), (AMBER, (st.BLUE, st.MECHANISM))):
            entries = list(self._entries(party))
            found = [word for word in words if any(word.encode() in data for data in entries)]
            self._expect(not found, f"{party}'s record names {', '.join(found)}")
            self._screen.measured(
                f"{party}'s record: {len(entries)} entries, and not one names {' or '.join(words)}."
                if not found else f"{party}'s record names {', '.join(found)}.",
                node=party, entries=len(entries), named=found,
            )  # fmt: skip

    def _entries(self, party: str) -> list[bytes]:
        store = SqliteStore(self._three.folders[party] / home.RECORD_NAME)
        try:
            return [
                base64.b64decode(msgspec.json.decode(r.envelope)["payload"]) + r.body
                for r in store.load()
                if isinstance(r, EntryRecord)
            ]
        finally:
            store.close()


def play(screen: Screen, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """The story from beginning to end, in a folder of its own. Returns what failed, and figures."""
    began = time.monotonic()
    screen.heading(TITLE, OPENS)
    three = Three(folder, at_ms("17:30:00"))
    scene = Scene(three, screen)
    with three:
        scene.play(time.monotonic() - began)
    scene.look_into_folders()
    return scene.failed, {"to_screen_ms": ledger.spread(scene.on_screen)}
