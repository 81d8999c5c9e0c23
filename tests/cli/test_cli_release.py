# SPDX-License-Identifier: Apache-2.0
"""How far a copy may travel stands on every copy: screens, JSON, papers, exports, evidence (domain.md J2)."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import msgspec
import pytest

from tests.cli.cliworld import NOTICE, WINDOW
from wideberth.core.say.place import Altitude
from wideberth.core.say.release import narrowest, sentence
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Onward
from wideberth.formats import astm, geojson

BEYOND = "Not for release beyond BLUE and GREEN."


def copies(world, ref, path):
    """Every copy of a notice that this program makes, by what it is."""
    made = {
        f"{party} {kind}": world.do(party, *args).out
        for party in ("BLUE", "GREEN")
        for kind, args in {
            "screen": ("notice", "show", ref),
            "json": ("notice", "show", ref, "--json"),
            "list": ("notice", "list", "--json"),
            "script": ("notice", "script", ref),
            "form": ("notice", "form", ref),
            "mail": ("notice", "mail", ref),
        }.items()
    }
    bundle = path / "case.zip"
    assert world.do("BLUE", "evidence", "--notice", ref, "--out", str(bundle)).code == 0
    with zipfile.ZipFile(io.BytesIO(bundle.read_bytes())) as files:
        made["evidence manifest"] = base64.b64decode(json.loads(files.read("manifest.json"))["payload"]).decode()
        for name in files.namelist():
            if name.startswith("report."):
                made[f"evidence {name}"] = files.read(name).decode()
    view = world.client("GREEN").get(f"/v1/notices/{ref}")
    volume = msgspec.convert(view["versions"][0]["terms"]["volumes"][0], Volume4D)
    made["GeoJSON"] = json.dumps(geojson.collection([(ref, volume)], release=view["release"]))
    made["ASTM"] = json.dumps(astm.to_json(volume, release=view["release"]))
    return made


def test_the_sentence_is_on_every_copy(world, tmp_path):
    made = copies(world, world.give(), tmp_path)
    assert len([kind for kind in made if kind.startswith("evidence")]) >= 3
    without = [kind for kind, text in made.items() if BEYOND[:-1] not in " ".join(text.split())]
    assert not without, without


def test_a_notice_may_be_for_an_inquiry_and_says_so_on_every_copy_of_its_own(world, tmp_path):
    made = copies(world, world.give("--release", "INQUIRY"), tmp_path)
    own = [kind for kind in made if not kind.startswith("evidence") and "list" not in kind]
    without = [kind for kind in own if "except to an inquiry" not in " ".join(made[kind].split())]
    assert not without, without


def test_a_bundle_for_somebody_names_them_instead(world, tmp_path):
    bundle = tmp_path / "case.zip"
    assert (
        world.do("BLUE", "evidence", "--notice", world.give(), "--for", "the inquiry", "--out", str(bundle)).code == 0
    )
    assert "Not for release beyond the inquiry" in bundle_report(bundle)


def bundle_report(bundle):
    with zipfile.ZipFile(bundle) as files:
        (name,) = [n for n in files.namelist() if n.startswith("report.") and n.endswith(".txt")]
        return files.read(name).decode()


def test_before_anything_is_sent_the_officer_reads_who_will_be_told(world):
    given = world.do("BLUE", "notice", "give", *NOTICE, *WINDOW)
    assert "Will be told to: GREEN (Cape, FLIGHT_SAFETY)." in given.err
    assert BEYOND in given.err


@pytest.mark.parametrize(
    ("onward", "says"),
    [
        (Onward.MEMBERS, "Not for release beyond A, B and C."),
        (Onward.INQUIRY, "Not for release beyond A, B and C, except to an inquiry."),
        (Onward.PUBLIC, "May be passed on to anybody; first told to A, B and C."),
    ],
)
def test_the_sentence_of_each_mark(onward, says):
    assert sentence(onward, ("A", "B", "C")) == says


def test_a_copy_of_several_things_travels_as_far_as_the_narrowest():
    assert narrowest([Onward.PUBLIC, Onward.INQUIRY]) is Onward.INQUIRY
    assert narrowest([Onward.INQUIRY, Onward.MEMBERS]) is Onward.MEMBERS
    assert narrowest([]) is Onward.PUBLIC


def test_exports_with_the_sentence_are_read_again():
    volume = Volume4D(Circle.at(lat=41, lng=-38, radius_km=10), Altitude.surface(), Altitude.flight_level(100), 0, 1000)
    assert astm.from_json(astm.to_json(volume, release=BEYOND)) == volume
    ((_, (again,)),) = geojson.features(geojson.collection([("x", volume)], release=BEYOND))
    assert again == volume
