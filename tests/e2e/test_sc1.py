# SPDX-License-Identifier: Apache-2.0
"""SC1, the late and vague notice (domain.md §5 and §8), between two real processes on a hand-set clock, row by row.

Distances in domain.md are of a sphere; on the ellipsoid they hold within 0.5 %. Leads are *as given* where nothing else
is said (§8, C3). The read-back tolerance of an area is 10 % of its diameter (§8, E3): 2 km here.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.e2e.nodes import NodeProcess, Two, until
from wideberth.core.judge.exposure import Exposure, expose
from wideberth.core.say import instant
from wideberth.core.say.minima import RULE_OF_THREES
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Circle, Leg, Track, Volume4D
from wideberth.core.tells import Level
from wideberth.core.warned import Exposed
from wideberth.errors import BadInput

DAY = "2018-09-17"
NORTH = {"circle": "36.20N 37.15E", "radius": "10km"}
RIGHT = {"circle": "35.53N 35.78E", "radius": "10km"}
WINDOW = {"from": f"{DAY}T18:40:00Z", "until": f"{DAY}T19:10:00Z"}
# GREEN's own, slow, returning track at 5,000 m; it never leaves GREEN's node.
TRACK = (
    ("18:30", 35.80, 36.40), ("18:48", 35.62, 35.70), ("18:58", 35.35, 35.60), ("19:08", 35.401, 35.949)
)  # fmt: skip
PLAN = {
    "id": "homebound", "label": "slow bird home",
    "track": [
        {"at": f"{lat}N {lng}E", "altitude": "5000m AMSL", "time": f"{DAY}T{at}:00Z"} for at, lat, lng in TRACK
    ],
}  # fmt: skip


def at(clock: str) -> int:
    return instant.parse(f"{DAY}T{clock}Z")


def about(value: float, said: float) -> bool:
    """Within the half per cent that domain.md allows between sphere and ellipsoid."""
    return value == pytest.approx(said, rel=0.005)


def judged(lat: float, lng: float) -> Exposure:
    """The judge's own words on GREEN's track and a circle of the notice: what the node must have told."""
    legs = tuple(Leg(Point.at(a, b), Altitude.metres(5000, VerticalRef.AMSL), at(f"{t}:00")) for t, a, b in TRACK)
    volume = Volume4D(
        Circle.at(lat=lat, lng=lng, radius_km=10), Altitude.surface(), Altitude.flight_level(300),
        at("18:40:00"), at("19:10:00"),
    )  # fmt: skip
    return expose(Track(legs), (volume,), RULE_OF_THREES)


def step(notice: dict[str, Any], version: int, member: str, name: str) -> dict[str, Any]:
    (found,) = [s for s in notice["versions"][version - 1]["ladder"][member] if s["step"] == name]
    return dict(found)


class Story:
    """The evening, told once for all tests of this file: each keeps what it saw when it was there to see."""

    def __init__(self, two: Two) -> None:
        self.two, self.blue, self.green = two, two.blue, two.green
        self.green.post("/v1/plans", PLAN)
        self._vague()
        self._late()
        self._corrected()
        self._read_back()
        self._accounts()

    def _vague(self) -> None:
        self.two.clock("18:38:00")
        self.before = (self.blue.line["seq"], len(self.blue.outbound()))
        with pytest.raises(BadInput) as refused:
            self.blue.give(**WINDOW, place_name="activity in the north")
        self.refusal = refused.value
        self.after = (self.blue.line["seq"], len(self.blue.outbound()))
        self.drafts = self.blue.get("/v1/drafts")
        self.alert = self.blue.command("alert", text="activity in the north", started_ms=at("18:37:55"))
        self.two.settle()
        self.alert_rings = self.green.rings()
        until(lambda: self.green.get("/v1/exposures"), "the ALERT is weighed: it covers the whole area")
        self.exposed_to_alert = self.green.get("/v1/exposures")

    def _late(self) -> None:
        self.two.clock("18:38:50")
        self.v1 = self.blue.give(
            **NORTH, **WINDOW, draft=self.refusal.details["draft"], refines=self.alert["ref"]
        )  # fmt: skip
        self.ref = self.v1["ref"]
        self.two.settle()
        self.drafts_after = self.blue.get("/v1/drafts")
        self.v1_rings = [r for r in self.green.rings() if r["ref"] == self.ref]
        self.green.waits_for("eased", plan="homebound")
        self.exposed_to_v1 = self.green.get("/v1/exposures")
        self.v1_views = [n.notice(self.ref) for n in (self.blue, self.green)]
        self.two.clock("18:39:10")
        self.green.command("ack", ref=self.ref)
        self.two.settle()
        self.acknowledged = [n.notice(self.ref) for n in (self.blue, self.green)]

    def _corrected(self) -> None:
        self.two.clock("18:39:30")
        self.v2 = self.blue.give(ref=self.ref, how="correct", **RIGHT)
        self.two.settle()
        self.exposed = self.green.waits_for("exposed", ref=self.ref, version=2)
        self.exposed_now = self.green.get("/v1/exposures")
        self.v2_rings = [r for r in self.green.rings() if r.get("version") == 2]
        self.v2_views = [n.notice(self.ref) for n in (self.blue, self.green)]

    def _read_back(self) -> None:
        self.two.clock("18:39:40")
        times = {"start_ms": at("18:40:00"), "end_ms": at("19:10:00")}
        self.ack = self.green.command("ack", ref=self.ref)
        self.wrong = self.green.command(
            "readback", ref=self.ref, as_read="35.5N 35.8E", point=[35_500_000_000, 35_800_000_000], **times
        )
        self.two.settle()
        self.mismatch_views = [n.notice(self.ref) for n in (self.blue, self.green)]
        self.mismatch_tells = [n.told("climbed", step="MISMATCH") + n.told("said", kind="readback")
                               for n in (self.blue, self.green)]  # fmt: skip
        self.right = self.green.command(
            "readback", ref=self.ref, as_read="35.53/35.78", point=[35_530_000_000, 35_780_000_000], **times
        )
        self.two.clock("18:40:00")
        self.blue.command("report", ref=self.ref, state="STARTED")
        self.two.settle()
        self.final = [n.notice(self.ref) for n in (self.blue, self.green)]

    def _accounts(self) -> None:
        self.two.clock("20:00:00")
        for node, time in ((self.blue, "18:36:00"), (self.green, "18:39:00")):
            node.command("voice", ref=self.ref, medium="statement", answer=f"notice at {time[:5]}Z", at_ms=at(time))
        self.two.settle()
        self.heard_accounts = {
            n.party: [t["sentence"] for t in n.told("heard", kind="voice")] for n in (self.blue, self.green)
        }
        self.said_accounts = {n.party: n.told("said", kind="voice") for n in (self.blue, self.green)}


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with Two(clock=f"{DAY}T18:25:00Z", mode=Mode.SIMULATED, tap=True) as two:
        yield Story(two)


# --- 18:38:00 "activity in the north" ---


def test_a_name_is_no_place_so_the_vague_notice_is_refused_and_nothing_is_sent(story: Story) -> None:
    assert story.refusal.details["field"] == "circle"
    assert "a name is not a location" in story.refusal.sentence
    assert story.refusal.details["offer"] == "alert"
    assert story.after == story.before


def test_what_was_typed_is_kept_as_a_draft_until_it_goes_out(story: Story) -> None:
    (draft,) = story.drafts
    assert draft["id"] == story.refusal.details["draft"]
    assert draft["draft"]["place_name"] == "activity in the north"
    assert story.drafts_after == []


def test_an_alert_goes_out_instead_and_rings_at_green_before_any_notice(story: Story) -> None:
    (ring,) = story.alert_rings
    assert (ring["kind"], ring["level"], ring["recorded"]) == ("alert", "RING", False)
    assert ring["facts"]["started_ms"] == at("18:37:55")
    assert ring["t_ms"] == ring["at_ms"] == at("18:38:00")


def test_the_alert_covers_the_whole_area_until_the_notice_makes_it_precise(story: Story) -> None:
    (met,) = story.exposed_to_alert
    assert (met["ref"], met["plan"]) == (story.alert["ref"], "homebound")
    (eased,) = [t for t in story.green.told("eased") if t["ref"] == story.alert["ref"]]
    assert eased["at_ms"] == at("18:38:50")
    assert story.final[1]["refines"] == story.alert["entry"]


# --- 18:38:50 the late notice ---


def test_the_late_notice_is_delivered_late_by_530_s_with_a_lead_of_70_s_on_both_sides(story: Story) -> None:
    lead = {"lead_ms": 70_000, "shortfall_ms": 530_000, "late": True}
    assert story.v1["facts"]["lead_given"] == lead
    (ring,) = story.v1_rings
    assert ring["facts"]["lead_given"] == lead
    assert "LATE by 530 s (lead 70 s)" in ring["sentence"]
    for view in story.v1_views:
        assert view["versions"][0]["lead_given"] == lead


def test_the_lead_as_delivered_is_shown_on_both_sides_too(story: Story) -> None:
    for view in story.v1_views:
        assert step(view, 1, "GREEN", "DELIVERED")["facts"]["lead_delivered"] == {
            "lead_ms": 70_000, "shortfall_ms": 530_000, "late": True
        }  # fmt: skip


def test_a_late_notice_is_urgent_of_itself(story: Story) -> None:
    assert story.v1_views[0]["precedence"] == "IMMEDIATE"
    assert [(r["level"], r["recorded"]) for r in story.v1_rings] == [("RING", False)]


def test_the_first_circle_does_not_meet_greens_track(story: Story) -> None:
    """116.6 km is from the circle's centre to the nearest point of the track while the notice holds: at its start."""
    assert story.exposed_to_v1 == []
    assert not story.green.told("exposed", ref=story.ref, version=1)
    exposure = judged(36.20, 37.15)
    assert not exposure.open
    assert exposure.core_mm is not None
    assert about(exposure.core_mm / 1e6, 116.6)
    assert exposure.closest_at_ms == at("18:40:00")


# --- 18:39:30 the correction ---


def test_the_correction_shows_a_shift_of_144_km_on_both_sides(story: Story) -> None:
    (ring,) = story.v2_rings
    assert about(ring["facts"]["shift_mm"] / 1e6, 144.2)
    assert about(story.v2["facts"]["shift_mm"] / 1e6, 144.2)
    assert "Moved 144." in ring["sentence"]


def test_the_correction_voids_every_earlier_acknowledgement(story: Story) -> None:
    for view in story.acknowledged:
        assert view["standing"]["GREEN"] == "ACKNOWLEDGED"
    assert story.v2_rings[0]["facts"]["void"] == ["GREEN"]
    for view in story.v2_views:
        assert view["standing"]["GREEN"] == "DELIVERED"
        assert [s["step"] for s in view["versions"][1]["ladder"]["GREEN"]] == ["SENT", "DELIVERED"]


def test_the_correction_rings_at_once(story: Story) -> None:
    (ring,) = story.v2_rings
    assert (ring["kind"], ring["level"], ring["recorded"], ring["at_ms"]) == ("correct", "RING", False, at("18:39:30"))


def test_green_learns_that_its_own_track_goes_through_the_true_circle(story: Story) -> None:
    told, exposure = story.exposed, judged(35.53, 35.78)
    assert (told["plan"], told["answer"]) == ("homebound", "conflict")
    assert msgspec.convert(told, Exposed).level is Level.RING
    assert exposure.core_mm is not None
    assert about(exposure.core_mm / 1e6, 9.8)
    # 5.29 NM is 9.79 km: the sentence for the officer has the same number.
    assert f"({exposure.core_mm / 1e6:.2f} km) from its centre" in told["sentence"]
    assert abs(told["closest_at_ms"] - at("18:50:00")) <= 60_000
    assert told["closest_at_ms"] == exposure.closest_at_ms
    assert tuple(map(tuple, told["inside"])) == exposure.inside
    (span,) = told["inside"]
    assert abs(span[0] - at("18:44:00")) <= 60_000
    assert abs(span[1] - at("18:54:00")) <= 60_000


def test_green_has_about_five_minutes_to_turn_away(story: Story) -> None:
    assert story.exposed["at_ms"] == at("18:39:30")
    assert story.exposed["start_ms"] - story.exposed["at_ms"] == pytest.approx(300_000, abs=60_000)


def test_the_exposure_says_what_the_mechanism_does_not_cover(story: Story) -> None:
    assert story.exposed["not_covered"] == ["non-party air defence in the area"]
    (now,) = story.exposed_now
    assert now["not_covered"] == ["non-party air defence in the area"]


# --- 18:39:40 acknowledgement and read-back ---


def test_the_acknowledgement_of_version_two_binds_to_version_two(story: Story) -> None:
    for view in story.final:
        assert step(view, 2, "GREEN", "ACKNOWLEDGED")["t_ms"] == at("18:39:40")
        assert step(view, 1, "GREEN", "ACKNOWLEDGED")["t_ms"] == at("18:39:10")


def test_a_read_back_3_8_km_off_is_a_mismatch_at_both_ends(story: Story) -> None:
    for view in story.mismatch_views:
        found = step(view, 2, "GREEN", "MISMATCH")
        assert about(found["facts"]["off_mm"] / 1e6, 3.8)
        assert found["facts"]["tolerance_mm"] == 2_000_000
        assert view["standing"]["GREEN"] == "MISMATCH"
    (at_blue,) = story.blue.told("climbed", step="MISMATCH")
    assert at_blue["level"] == "RING"
    assert story.wrong["facts"]["step"] == "MISMATCH"


def test_the_second_read_back_is_taken(story: Story) -> None:
    for view in story.final:
        assert step(view, 2, "GREEN", "READ_BACK")["facts"]["off_mm"] == 0
        assert view["standing"]["GREEN"] == "READ_BACK"


# --- 18:40:00 and later ---


def test_the_lead_of_version_two_is_30_s_and_two_of_two_were_late(story: Story) -> None:
    for view in story.final:
        leads = [v["lead_given"] for v in view["versions"]]
        assert [lead["lead_ms"] for lead in leads] == [70_000, 30_000]
        assert [lead["late"] for lead in leads] == [True, True]
        assert view["reports"] == [{"state": "STARTED", "at_ms": at("18:40:00"), "by": "BLUE/watch-1"}]


def test_the_two_accounts_of_the_clock_stand_side_by_side(story: Story) -> None:
    """Each side's own word about when it was is kept on both; neither changes what the record says passed here."""
    (blues,) = story.heard_accounts["GREEN"]
    (greens,) = story.heard_accounts["BLUE"]
    assert "18:36" in blues
    assert "18:39" in greens
    assert len(story.said_accounts["BLUE"]) == len(story.said_accounts["GREEN"]) == 1
    for node in (story.blue, story.green):
        assert [v["given_ms"] for v in node.notice(story.ref)["versions"]] == [at("18:38:50"), at("18:39:30")]


def test_both_sides_show_the_same_notice_word_for_word(story: Story) -> None:
    blue, green = ({k: v for k, v in n.notice(story.ref).items() if k != "words"} for n in (story.blue, story.green))
    assert blue == green


def test_nothing_ever_says_that_something_is_approved(story: Story) -> None:
    shown = json.dumps([story.final, story.blue.tells, story.green.tells]).upper()
    for word in ("APPROV", "AUTHORI", "GRANTED", "PERMITTED"):
        assert word not in shown


def test_no_plan_of_green_ever_left_green(story: Story) -> None:
    """Everything that GREEN's node gave out in plain text, before sealing, headers decoded: no name and no number of
    the plan is in it."""
    plain = plaintext(story.green)
    assert "acknowledge" not in plain  # sentences are for own people
    assert "[35530000000,35780000000]" in plain  # the tap does see numbers: here GREEN's own read-back
    # 35.8 E is what GREEN's officer read back; 35.80 N is in the plan: so latitudes are looked for as such.
    places = [f"[{round(lat * 10**9)}," for _, lat, _ in TRACK] + [f",{round(lng * 10**9)}]" for _, _, lng in TRACK]
    times = [str(at(f"{t}:00")) for t, _, _ in TRACK]
    for secret in ("homebound", "slow bird", "exposed", "inside", '"mm":5000000', *places, *times):
        assert secret not in plain, secret


def plaintext(node: NodeProcess) -> str:
    """All that the tap saw, with the payloads inside the envelopes decoded as well."""
    parts: list[str] = []
    for out in node.outbound():
        for envelope in (*(e for frame in out.get("frames", ()) for e in frame), *out.get("sidecars", ())):
            parts.append(envelope)
            with_payload = json.loads(envelope) if envelope else {}
            if "payload" in with_payload:
                parts.append(base64.b64decode(with_payload["payload"]).decode())
    assert parts
    return "\n".join(parts)


# --- a real line ---


def test_a_real_line_refuses_a_hand_set_clock() -> None:
    """When it would be opened under one, and when a node that already has one would be started under one."""
    two = Two(clock=f"{DAY}T18:30:00Z", mode=Mode.REAL)
    try:
        for _ in range(2):
            two.blue.begin(f"{DAY}T18:30:00Z")
            with contextlib.suppress(AssertionError):
                two.blue.is_up()
            assert two.blue.ends() != 0
            assert "REAL line does not run on a clock that is set by hand" in two.blue.said_at_the_end()
            two.blue.forget_what_it_said()
            two.blue.start()
            with pytest.raises(BadInput, match="only a drill's clock can be set"):
                two.blue.post("/v1/clock", {"t_ms": at("18:38:50")})
            two.blue.stop()
    finally:
        two.__exit__()
