# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wideberth.core.say.scan import scan

SEEDED = [
    ("Aim point is the bridge, JDAM at 1840Z", ["aim point", "jdam"]),
    ("Targeting the depot east of town", ["targeting"]),
    ("TARGET: convoy of three trucks", ["target"]),
    ("two GBU-39 and a Hellfire", ["gbu-39", "hellfire"]),
    ("airstrike in ten minutes", ["airstrike"]),
    ("we will strike the north ridge", ["strike"]),
    ("missile launch from the coast", ["missile"]),
    ("Artillery and mortar until 1900Z", ["artillery", "mortar"]),
    ("our intel says your radar is at the port", ["intel", "your radar"]),
    ("SIGINT shows troop movements", ["sigint", "troop movements"]),
    ("enemy position at hill 402", ["enemy"]),
    ("request your permission to enter", ["request your permission", "permission to"]),
    ("you are cleared hot", ["you are cleared hot"]),
    ("We approve your plan", ["we approve"]),
    ("clearance granted", ["clearance granted"]),
    ("expect kill box K4 active", ["kill box"]),
    ("BDA to follow", ["bda"]),
    ("aim at 36.2034N 37.1512E", ["36.2034n 37.1512e"]),
    ("see 37SCA3367707717", ["37sca3367707717"]),
    ("house at 36.20341, 37.15120", ["36.20341, 37.15120"]),
    ("at 361200N0370900E", ["361200n0370900e"]),
    ("36°12 north", ["36°12"]),
]
DISGUISED = [
    "ｔａｒｇｅｔ", "tar\u200bget",
    "t a r g e t", "t.a.r.g.e.t", "T4RG3T", "b0mb", "TÁRGET", "w-e-a-p-o-n", "1nte1 s1gint",
]  # fmt: skip
OTHER_TONGUES = ["ракетный удар по порту", "цель у моста", "frappe sur la cible", "صاروخ", "פצצה", "разведка сообщает"]
ORDINARY = [
    "",
    "Bird strike reported, aircraft returning",
    "Lightning strike damage, one engine shut down",
    "Crew engaging autopilot at FL200; engaged gear",
    "Parachute drop of food, winds 10 kt",
    "Unlit barges under tow, keep clear by two miles",
    "Runway cleared of snow at 0600Z",
    "Live-fire hazard area, keep out until we report finished",
    "Fire and smoke below 2000 ft",
    "Medical evacuation by helicopter; please keep your traffic above FL100",
    "Signal rocket flares may be seen",
    "Sounding rocket debris, falling objects",
    "Uncrewed aircraft lost link, descending slowly, heading 270",
    "Target time of arrival 1840Z",
    "Emergency squawk 7700, frequency 121.5 and 243.0",
    "Contact our watch on 121.500 or 282.800",
    "Delayed 15 min; new start 18:55Z; level FL300 to FL340",
    "Angle of attack sensor failed",
    "Kill switch of the drone did not work",
    "We aim to finish by 1900Z",
    "Bombardier Q400 in transit",
    "Convoy of 4 white trucks with lights on, 40 km/h",
    "Search and rescue: two people in the water",
    "Wind turbines, 180 m high, lit",
    "A balloon at 12.5 km, drifting 3.2 m/s",
    "Laser light show, 500 m around the harbour",
    "Please acknowledge; this records receipt only",
    "Поисково-спасательные работы, вертолёт на высоте 300 м",
    "Вода целая, продукты целы",
    "Exercice de sauvetage en mer",
]


@pytest.mark.parametrize(("text", "words"), SEEDED)
def test_what_does_not_belong_on_a_safety_line_is_found(text: str, words: list[str]) -> None:
    assert [f.words for f in scan(text)] == words


@pytest.mark.parametrize("text", DISGUISED + OTHER_TONGUES)
def test_disguises_and_other_tongues_do_not_hide_it(text: str) -> None:
    assert scan(text)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_safety_text_raises_no_alarm(text: str) -> None:
    assert scan(text) == ()


def test_every_finding_says_what_to_do() -> None:
    findings = scan("aim point 36.2034N 37.1512E, weapon, sigint, permission to fire")
    assert len({f.sentence.split(":", 1)[1] for f in findings}) == 5
    assert all(f.words in f.sentence for f in findings)


@given(st.text(max_size=280))
def test_no_text_breaks_the_scan(text: str) -> None:
    scan(text)


@given(st.sampled_from(["target", "missile", "sigint", "weapons"]), st.text(alphabet=" .,;\n", min_size=1, max_size=3))
def test_a_word_is_found_wherever_it_stands(word: str, gap: str) -> None:
    assert word in [f.words for f in scan(f"north{gap}{word.upper()}{gap}soon")]
