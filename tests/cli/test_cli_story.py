# SPDX-License-Identifier: Apache-2.0
"""A day between two real nodes, by the command line only."""

import json

import pytest

from tests.cli.cliworld import NOTICE, T0_MS, WINDOW, wideberth
from wideberth.core.say.reference import spell
from wideberth.core.say.words import RECEIPT_ONLY, SCOPE


def test_an_alert_needs_nothing_but_the_verb(world):
    said = world.do("BLUE", "alert", "--json")
    assert said.code == 0
    (answer,) = said.data
    assert answer["kind"] == "alert"
    # The first keystroke was when the process began; the node's own clock is the one that is signed.
    assert T0_MS - 3_600_000 < answer["facts"]["started_ms"] <= T0_MS
    assert world.heard("GREEN", answer["ref"])["precedence"] == "FLASH"


def test_an_alert_takes_words_without_quotes(world):
    ref = world.do("BLUE", "alert", "turning", "back", "--json").data[0]["ref"]
    assert world.heard("GREEN", ref)["versions"][0]["text"] == "turning back"


def test_a_notice_is_given_acknowledged_and_read_back(world):
    ref = world.give()
    acked = world.do("GREEN", "ack", ref)
    assert acked.code == 0
    assert RECEIPT_ONLY in acked.out
    times = ("--from", "2031-05-14T09:40Z", "--until", "11:00Z")
    same = world.do("GREEN", "readback", ref, "--point", "411200N0383600W", *times)
    assert same.code == 0
    assert "0 m" in same.out
    steps = [r["step"] for r in world.heard("BLUE", ref)["versions"][0]["ladder"]["GREEN"]]
    assert steps == ["SENT", "DELIVERED", "ACKNOWLEDGED", "READ_BACK"]


def test_a_wrong_read_back_shows_both_places_and_exits_with_1(world):
    ref = world.give()
    wrong = world.do("GREEN", "readback", ref, "--point", "41.30N 38.60W")
    assert wrong.code == 1
    assert "MISMATCH" in wrong.out
    assert "41.2N 38.6W" in wrong.out
    assert "41.3N 38.6W" in wrong.out
    assert "11.2 km" in wrong.out
    assert world.until(lambda: world.heard("BLUE", ref)["standing"]["GREEN"] == "MISMATCH")


def test_a_reference_is_taken_as_it_is_said_and_a_slip_is_caught(world):
    ref = world.give()
    assert world.do("GREEN", "ack", ref.lower().replace("-", " ")).code == 0
    letter = "B" if ref[-1] != "B" else "C"
    slip = world.do("GREEN", "ack", ref[:-1] + letter)
    assert slip.code == 3
    assert "check letter" in slip.err


def test_a_notice_with_only_a_place_name_is_not_signed_and_is_kept(world):
    """SC1: `north` is no place. Every missing field is named at once, the draft is kept, an ALERT is offered."""
    before = len(world.client("BLUE").get("/v1/notices", all=1))
    vague = world.do("BLUE", "notice", "give", "--place-name", "north", "--from", "+1m", "--json")
    assert vague.code == 3
    fault = json.loads(vague.err)
    assert fault["details"]["fields"] == ["type", "hazard", "circle", "low", "high", "until"]
    assert fault["details"]["offer"] == "alert"
    draft = fault["details"]["draft"]
    assert len(world.client("BLUE").get("/v1/notices", all=1)) == before
    kept = {d["id"]: d["draft"] for d in world.do("BLUE", "notice", "draft", "list", "--json").data}
    # A time that counted from then still means then.
    assert kept[draft] == {"place_name": "north", "from": "2031-05-14T09:01:00Z"}
    assert draft in world.do("BLUE", "notice", "draft", "list").out

    half = world.do("BLUE", "notice", "draft", "send", draft, "--type", "HAZARD", "--until", "+2h", "--json")
    assert json.loads(half.err)["details"]["draft"] == draft
    sent = world.do(
        "BLUE", "notice", "draft", "send", draft, "--hazard", "FALLING_OBJECTS", "--circle", "41N 38W",
        "--radius", "10km", "--low", "SFC", "--high", "UNL", "--json",
    )  # fmt: skip
    assert sent.code == 0, sent.err
    assert sent.data[0]["facts"]["lead_given"] == {"lead_ms": 60_000, "shortfall_ms": 540_000, "late": True}
    assert draft not in {d["id"] for d in world.do("BLUE", "notice", "draft", "list", "--json").data}


def test_a_late_notice_says_so_and_is_sent(world):
    said = world.do("BLUE", "notice", "give", *NOTICE, "--from", "+1m", "--until", "+2h")
    assert said.code == 0
    assert "LATE by 540 s" in said.out
    assert world.heard("GREEN", said.out.split(":")[0])["precedence"] == "IMMEDIATE"


def test_how_much_a_notice_says_is_shown_in_the_draft_the_preview_the_answer_and_at_the_other_side(world):
    """SC6: what came by radio names no coordinates, no heights, no extent. It is scored, flagged, and answered."""
    vague = ("notice", "give", "--type", "TRANSIT", "--hazard", "CREWED_AIRCRAFT", "--place-name", "south of the ship",
             "--from", "+50m", "--until", "+7h")  # fmt: skip
    fault = json.loads(world.do("BLUE", *vague, "--json").err)["details"]
    assert fault["complete"]["below"]
    assert fault["complete"]["missing"] == ["area", "extent", "vertical", "scale"]
    assert (
        "complete to 40 % (80 % agreed); it does not say: area, extent, vertical, scale" in world.do("BLUE", *vague).err
    )
    kept = next(d for d in world.do("BLUE", "notice", "draft", "list", "--json").data if d["id"] == fault["draft"])
    assert kept["complete"] == fault["complete"]
    assert "40 %" in world.do("BLUE", "notice", "draft", "list").out

    # It waits for nobody: the ALERT goes out, and the other side can say by the same names what it lacks.
    alert = world.do("BLUE", "alert", "flying", "south", "of", "the", "ship", "--json").data[0]["ref"]
    world.heard("GREEN", alert)
    assert world.do("GREEN", "ack", alert).code == 0
    assert (
        world.do("GREEN", "insufficient", alert, "--field", "area", "--field", "vertical", "--field", "extent").code
        == 0
    )
    seen = world.until(
        lambda: world.heard("BLUE", alert)["standing"]["GREEN"] == "INSUFFICIENT" and world.heard("BLUE", alert)
    )
    steps = [rung["step"] for rung in seen["versions"][0]["ladder"]["GREEN"]]
    assert {"ACKNOWLEDGED", "INSUFFICIENT"} <= set(steps), "received and sufficient are two words"

    whole = (*NOTICE, "--from", "+50m", "--until", "+7h")
    looked = world.do("BLUE", "notice", "give", *whole, "--preview", "--json").data[0]
    assert looked["view"]["complete"]["missing"] == ["scale"]
    assert looked["release"].startswith("Not for release beyond BLUE and GREEN")
    assert "Not for release beyond BLUE and GREEN" in world.do("BLUE", "notice", "give", *whole, "--preview").out
    given = world.do("BLUE", "notice", "give", *whole, "--scale", "FEW", "--refines", alert, "--json").data[0]
    assert given["facts"]["complete"]["permille"] == 1000
    assert given["facts"]["lead_given"]["lead_ms"] == 3_000_000
    assert world.heard("GREEN", given["ref"])["versions"][0]["complete"]["permille"] == 1000
    bare = ("--type", "TRANSIT", "--hazard", "UNSPECIFIED", "--circle", "41N 38W", "--radius", "20km", "--low", "SFC",
            "--high", "UNL")  # fmt: skip
    flagged = world.do("BLUE", "notice", "give", *bare, "--from", "+50m", "--until", "+7h")
    assert flagged.code == 0
    assert "complete to 72 % (80 % agreed); it does not say: vertical, hazard, scale" in flagged.err
    shown = world.do("GREEN", "notice", "show", world.heard("GREEN", flagged.out.split(":")[0])["ref"]).out
    assert "INCOMPLETE: complete to 72 %" in shown


def test_an_area_that_moves_and_windows_that_come_again_go_out_as_volumes(world):
    given = ("notice", "give", "--type", "TRANSIT", "--hazard", "CREWED_AIRCRAFT", "--low", "SFC", "--high", "FL300")
    ship = world.do("BLUE", *given, "--moving", "41.5N 38.5W", "--radius", "60km", "--sector", "S", "--speed", "15kt",
                    "--from", "+50m", "--until", "+410m", "--json")  # fmt: skip
    assert ship.code == 0, ship.err
    assert len(world.heard("GREEN", ship.data[0]["ref"])["versions"][0]["terms"]["volumes"]) == 6
    daily = world.do("BLUE", *given, "--circle", "41N 38W", "--radius", "20km", "--from", "2031-05-15T04:00Z",
                     "--until", "2031-05-15T06:00Z", "--days", "daily", "--last", "2031-05-19T00:00Z",
                     "--json")  # fmt: skip
    assert daily.code == 0, daily.err
    volumes = world.heard("GREEN", daily.data[0]["ref"])["versions"][0]["terms"]["volumes"]
    assert [(v["start_ms"] - T0_MS) % 86_400_000 for v in volumes] == [19 * 3_600_000] * 4


def test_a_template_is_filled_from_options_and_what_is_missing_is_named(world):
    names = [each["name"] for each in world.do("BLUE", "notice", "templates", "--json").data]
    assert "medevac" in names
    survey = ("notice", "give", "--template", "drone-survey", "--circle", "41.2N 38.6W", "--radius", "20km", "--high",
              "120m AGL", "--from", "+15m")  # fmt: skip
    missing = world.do("BLUE", *survey, "--json")
    assert json.loads(missing.err)["details"]["fields"] == ["until"]
    given = world.do("BLUE", *survey, "--until", "+3h", "--scale", "ONE", "--json")
    assert given.code == 0, given.err
    assert given.data[0]["facts"]["complete"]["permille"] == 1000
    terms = world.heard("GREEN", given.data[0]["ref"])["versions"][0]["terms"]
    assert terms["hazard"] == "UNCREWED_AIRCRAFT"


def test_a_form_that_is_keyed_in_again_has_the_number_of_the_notice_and_a_slip_is_caught(world, tmp_path):
    ref = world.give("--text", "keep 5 km away", "--scale", "FEW")
    form = world.do("GREEN", "notice", "form", ref).out
    (number,) = [line.split(":")[1].strip() for line in form.splitlines() if line.startswith("CHECK NUMBER")]
    keyed = tmp_path / "keyed.txt"
    keyed.write_text(form)
    same = world.do("BLUE", "notice", "rekey", str(keyed), "--json").data[0]
    assert (same["check"], same["stated"]) == (number, number)
    assert f"Check number {number}, as the form says." in world.do("BLUE", "notice", "rekey", str(keyed)).out
    voice = "".join(line for line in form.splitlines(True) if not line.startswith("CHECK NUMBER"))
    assert world.do("BLUE", "notice", "rekey", "-", "--json", stdin=voice).data[0]["check"] == number
    script = world.do("GREEN", "notice", "script", ref).out
    assert spell(number) in script, "who hears it read compares the same number"
    for right, wrong in (("41.2N", "41.3N"), ("radius 7 NM", "radius 8 NM"), ("5000 ft", "6000 ft"), ("FEW", "ONE"),
                         ("keep 5 km", "keep 6 km"), ("11:00:00Z", "11:10:00Z")):  # fmt: skip
        assert right in form
        keyed.write_text(form.replace(right, wrong))
        slip = world.do("BLUE", "notice", "rekey", str(keyed))
        assert slip.code == 3
        assert f"the form says {number}" in slip.err


def test_a_refused_notice_offers_the_alert(world):
    said = world.do("BLUE", "notice", "give", "--circle", "41N 38W")
    assert said.code == 3
    assert "wideberth alert" in said.err
    assert "kept as draft" in said.err


def test_a_draft_is_dropped(world):
    fault = json.loads(world.do("BLUE", "notice", "give", "--json").err)
    draft = fault["details"]["draft"]
    assert world.do("BLUE", "notice", "draft", "drop", draft).code == 0
    assert world.do("BLUE", "notice", "draft", "drop", draft).code == 4
    assert world.do("BLUE", "notice", "draft", "send", draft).code == 4


def test_versions_amend_correct_extend_start_finish_cancel(world):
    ref = world.give()
    world.do("GREEN", "ack", ref)
    world.until(lambda: world.heard("BLUE", ref)["standing"]["GREEN"] == "ACKNOWLEDGED")
    amended = world.do("BLUE", "notice", "amend", ref, "--high", "FL060", "--json")
    assert amended.data[0]["version"] == 2
    corrected = world.do("BLUE", "notice", "correct", ref, "--circle", "41.30,-38.60,7nm", "--json")
    assert corrected.data[0]["version"] == 3
    assert corrected.data[0]["facts"]["void"] == ["GREEN"]
    extended = world.do("BLUE", "notice", "extend", ref, "--until", "12:00Z", "--json")
    assert extended.data[0]["version"] == 4
    assert world.do("BLUE", "notice", "start", ref).code == 0
    assert world.do("BLUE", "notice", "finish", ref, "--at", "now").code == 0
    view = world.do("BLUE", "notice", "show", ref, "--json").data[0]
    assert [v["kind"] for v in view["versions"]] == ["notice", "amend", "correct", "extend"]
    volume = view["versions"][-1]["terms"]["volumes"][0]
    assert volume["shape"]["centre"] == [41_300_000_000, -38_600_000_000]
    assert volume["upper"]["ref"] == "FL"
    assert volume["end_ms"] == T0_MS + 3 * 3_600_000
    assert view["life"] == "FINISHED"
    other = world.give()
    assert world.do("BLUE", "notice", "cancel", other, "--text", "not needed").code == 0
    assert world.do("BLUE", "notice", "show", other, "--json").data[0]["life"] == "CANCELLED"


def test_an_alert_is_made_precise_by_a_notice(world):
    alert = world.do("BLUE", "alert", "--json").data[0]["ref"]
    ref = world.give("--refines", alert)
    assert world.do("BLUE", "notice", "show", alert, "--json").data[0]["refined_by"] == ref


def test_an_accident_has_three_fields(world):
    said = world.do("GREEN", "accident", "--kind", "fire-and-smoke", "--at", "41.5N 38.2W", "--until", "+6h", "--json")
    assert said.code == 0, said.err
    seen = world.heard("BLUE", said.data[0]["ref"])
    assert seen["precedence"] == "FLASH"
    terms = seen["versions"][0]["terms"]
    assert (terms["type"], terms["hazard"], terms["expires_ms"]) == ("ACCIDENT", "FIRE_AND_SMOKE", T0_MS + 21_600_000)


def test_the_other_answers_and_words(world):
    ref = world.give()
    for args in (
        ("insufficient", ref, "--field", "area", "--field", "time", "--text", "which cape?"),
        ("object", ref, "--text", "we disagree"),
        ("refuse", ref),
        ("relay", ref, "--count", "3/4"),
        ("nil", "--until", "+8h"),
        ("outage", "--from", "+1h", "--until", "+2h", "--text", "new cable"),
        ("voice", "nobody answered", "--by", "guard radio", "--ref", ref),
    ):
        said = world.do("GREEN", *args)
        assert said.code == 0, (args, said.err)
    steps = {s["step"] for s in world.heard("GREEN", ref)["versions"][0]["ladder"]["GREEN"]}
    assert {"INSUFFICIENT", "OBJECTED", "REFUSED", "RELAYED"} <= steps


def test_the_post_that_speaks_is_the_one_named_or_the_first(world):
    assert world.do("BLUE", "nil", "--until", "+1h", "--json").data[0]["by"] == "BLUE/watch-1"
    assert world.do("BLUE", "nil", "--until", "+1h", "--json", "--as", "watch-2").data[0]["by"] == "BLUE/watch-2"
    stranger = world.do("BLUE", "--as", "admiral", "nil", "--until", "+1h")
    assert stranger.code == 4
    assert "BLUE/admiral is not a post" in stranger.err


def test_own_plans_are_weighed_here_and_stay_here(world):
    ref = world.give()
    before = world.client("BLUE").get("/v1/status")["told"]
    made = world.do(
        "GREEN", "plan", "add", "--id", "survey", "--label", "our survey", "--circle", "41.25,-38.5,3nm",
        "--low", "SFC", "--high", "2000ft AMSL", "--from", "10:00Z", "--until", "10:20Z", "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert made.data[0]["mode"] == "EXERCISE"
    found = world.until(lambda: [e for e in world.do("GREEN", "plan", "exposures", "--json").data if e["ref"] == ref])
    assert found[0]["plan"] == "survey"
    assert "our survey" in world.do("GREEN", "plan", "exposures").out
    assert "our survey" in world.do("GREEN", "plan", "list").out
    assert world.do("GREEN", "plan", "drop", "survey").code == 0
    assert [e for e in world.do("GREEN", "plan", "exposures", "--json").data if e["plan"] == "survey"] == []
    assert world.client("BLUE").get("/v1/status")["told"] == before


def test_a_plan_is_a_track_by_legs_or_by_file(world, tmp_path):
    legs = ("--leg", "41.0N 38.9W; FL050; 10:00Z", "--leg", "41.5N 38.3W; FL050; 10:20Z")
    made = world.do("GREEN", "plan", "add", *legs, "--id", "ferry", "--json")
    assert made.code == 0, made.err
    assert [leg[2] for leg in made.data[0]["track"]["legs"]] == [T0_MS + 3_600_000, T0_MS + 4_800_000]
    file = tmp_path / "track.json"
    points = [("41N 38.9W", "+10m"), ("41.5N 38.3W", "+20m")]
    file.write_text(json.dumps({"track": [{"at": p, "altitude": "300m AGL", "time": t} for p, t in points]}))
    assert world.do("GREEN", "plan", "add", str(file), "--json").data[0]["id"].startswith("plan-")


ASTM = {
    "volume": {"outline_circle": {"center": {"lat": 41.2, "lng": -38.6}, "radius": {"value": 12000, "units": "M"}}},
    "time_start": {"value": "2031-05-14T09:40:00Z", "format": "RFC3339"},
    "time_end": {"value": "2031-05-14T11:00:00Z", "format": "RFC3339"},
}
GEOJSON = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [-38.6, 41.2]},
    "properties": {"radius": "12km", "lower": "SFC"},
}


def test_volumes_come_from_astm_and_geojson_files(world, tmp_path):
    file = tmp_path / "volumes.json"
    kind = ("--type", "AREA_ACTIVITY", "--hazard", "CREWED_AIRCRAFT")
    file.write_text(json.dumps([ASTM]))
    assert world.do("BLUE", "notice", "give", *kind, "--volumes", str(file)).code == 0
    # What a GeoJSON feature lacks is taken from the options.
    filled = world.do(
        "BLUE", "notice", "give", *kind, "--volumes", "-", "--high", "FL100", *WINDOW, "--json",
        stdin=json.dumps(GEOJSON),
    )  # fmt: skip
    assert filled.code == 0, filled.err
    (volume,) = world.heard("GREEN", filled.data[0]["ref"])["versions"][0]["terms"]["volumes"]
    assert volume["shape"]["radius_mm"] == 12_000_000
    assert volume["start_ms"] == T0_MS + 2_400_000
    both = world.do("BLUE", "notice", "give", *kind, "--volumes", str(file), "--low", "SFC")
    assert both.code == 3
    assert "in the file itself" in both.err


def test_a_time_in_another_zone_is_shown_in_utc_before_it_goes(world):
    said = world.do(
        "BLUE", "notice", "give", *NOTICE, "--from", "2031-05-14T12:40+03:00", "--until", "2031-05-14T11:00Z"
    )
    assert said.code == 0
    assert "2031-05-14T12:40+03:00 is 2031-05-14T09:40:00Z" in said.err
    assert "11:00" not in said.err


def test_a_local_time_without_zone_is_refused(world):
    said = world.do("BLUE", "notice", "give", *NOTICE, "--from", "2031-05-14T09:40", "--until", "2031-05-14T11:00Z")
    assert said.code == 3
    assert "no zone" in said.err


@pytest.mark.parametrize("place", ["41.20N 38.60W", "41°12'00\"N 038°36'00\"W", "24TWL3353861036"])
def test_places_are_decimal_dms_or_mgrs(world, place):
    options = ("--type", "AREA_ACTIVITY", "--hazard", "CREWED_AIRCRAFT", "--low", "SFC", "--high", "FL300")
    said = world.do("BLUE", "notice", "give", *options, "--circle", place, "--radius", "12km", *WINDOW, "--json")
    assert said.code == 0, said.err
    (volume,) = world.heard("BLUE", said.data[0]["ref"])["versions"][0]["terms"]["volumes"]
    lat, lng = volume["shape"]["centre"]
    assert (lat, lng) == (pytest.approx(41.2e9, abs=1e5), pytest.approx(-38.6e9, abs=1e5))


def test_a_notice_goes_onto_paper(world):
    ref = world.give()
    script = world.do("BLUE", "notice", "script", ref)
    assert script.code == 0
    assert "EXERCISE" in script.out.splitlines()[0]
    form = world.do("BLUE", "notice", "form", ref)
    from wideberth.formats.paper import read_form

    assert read_form(form.out).volumes[0].start_ms == T0_MS + 2_400_000
    mail = world.do("BLUE", "notice", "mail", ref, "--json").data[0]
    assert "NOT REAL" in mail["subject"]
    for text in (script.out, form.out, mail["text"]):
        assert SCOPE in text
        assert RECEIPT_ONLY in text


def test_every_screen_says_what_the_line_is_not(world):
    ref = world.give()
    for args in (("status",), ("watch",), ("notice", "show", ref)):
        assert SCOPE in world.do("BLUE", *args).out.replace("\n", ""), args
    assert RECEIPT_ONLY in world.do("BLUE", "notice", "show", ref).out
    assert "[EXERCISE]" in world.do("GREEN", "notice", "list").out


def test_showing_the_board_tells_the_peer_that_a_machine_showed_it(world):
    ref = world.give()
    assert world.do("GREEN", "watch").code == 0
    world.until(lambda: "SEEN" in [s["step"] for s in world.heard("BLUE", ref)["versions"][0]["ladder"]["GREEN"]])


def test_options_of_every_verb_may_stand_anywhere(world):
    folder = str(world.folder("BLUE"))
    for args in (
        ("--json", "--dir", folder, "status"),
        ("status", "--dir", folder, "--json"),
        ("status", f"--dir={folder}", "--json", "--line=Cape"),
    ):
        assert wideberth(*args).data[0]["party"] == "BLUE"


def test_a_line_is_named_by_its_mechanism(world):
    assert world.do("BLUE", "--line", "Cape", "nil", "--until", "+1h").code == 0
    unknown = world.do("BLUE", "--line", "Bay", "nil", "--until", "+1h")
    assert unknown.code == 4
    assert "'Bay'" in unknown.err


def test_a_peer_cannot_steer_the_terminal(world):
    ref = world.give("--text", "quiet \x1b[2J\x07 words ‮ [red]loud[/red]")
    shown = world.do("GREEN", "notice", "show", ref)
    assert "\x1b" not in shown.out
    assert "\x07" not in shown.out
    assert "‮" not in shown.out
    assert "[red]loud[/red]" in shown.out
