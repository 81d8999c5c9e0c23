# SPDX-License-Identifier: Apache-2.0
"""What the members of a line would see, before it is said (domain.md SC9); and names that belong to another line."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from tests.core.hub import Hub
from wideberth.core import events as ev
from wideberth.core.call.views import version_view
from wideberth.core.preview import named_elsewhere, preview
from wideberth.core.say.conflict import How
from wideberth.core.say.words import Precedence
from wideberth.core.seal import entry as entries
from wideberth.core.tells import Heard
from wideberth.errors import BadInput, NotFound

Made = Callable[[Hub, str, str], ev.Command]
BY = "HUB/watch-1"
# Every kind of command that reaches the other side, about our own notice `ours` or WEST's `theirs`, on NORTH.
COMMANDS: dict[str, Made] = {
    "alert": lambda h, ours, theirs: ev.RaiseAlert(h.ch["NORTH"], BY, 0, "something"),
    "notice": lambda h, ours, theirs: ev.GiveNotice(h.ch["NORTH"], BY, h.terms(lat=35.6)),
    "late": lambda h, ours, theirs: ev.GiveNotice(h.ch["NORTH"], BY, h.terms(start_ms=60_000)),
    "amend": lambda h, ours, theirs: ev.Revise(h.ch["NORTH"], BY, ours, "amend", h.terms(text="lower now")),
    "correct": lambda h, ours, theirs: ev.Revise(h.ch["NORTH"], BY, ours, "correct", h.terms(lat=35.9)),
    "extend": lambda h, ours, theirs: ev.Extend(h.ch["NORTH"], BY, ours, h.now.t_ms + 9_000_000),
    "cancel": lambda h, ours, theirs: ev.Cancel(h.ch["NORTH"], BY, ours, "not flown"),
    "report": lambda h, ours, theirs: ev.Report(h.ch["NORTH"], BY, ours, "STARTED"),
    "ack": lambda h, ours, theirs: ev.Acknowledge(h.ch["NORTH"], BY, theirs),
    "objection": lambda h, ours, theirs: ev.Object(h.ch["NORTH"], BY, theirs, "too near the strait"),
    "nil": lambda h, ours, theirs: ev.SayNil(h.ch["NORTH"], BY, h.now.t_ms + 3_600_000),
    "line": lambda h, ours, theirs: ev.SayOfLine(h.ch["NORTH"], BY, "SUSPENDED", "the mast is down"),
    "voice": lambda h, ours, theirs: ev.LogVoice(h.ch["NORTH"], BY, "telephone", "they have it", 0, theirs),
    "remedy": lambda h, ours, theirs: ev.ProposeRemedy(
        h.ch["NORTH"], BY, ours, theirs, theirs, How.LATER, h.terms(start_ms=9_000_000).volumes, "later?"),
    "outcome": lambda h, ours, theirs: ev.RecordOutcome(h.ch["NORTH"], BY, ours, theirs, "UNRESOLVED", text="not yet"),
}  # fmt: skip


def told() -> tuple[Hub, str, str]:
    hub = Hub()
    ours, theirs = hub.give("HUB", "NORTH"), hub.give("WEST", "NORTH", lat=35.0)
    hub.give("EAST", "SOUTH", lat=35.05)
    return hub, ours, theirs


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_preview_is_what_the_other_side_then_sees(kind: str) -> None:
    hub, ours, theirs = told()
    command = COMMANDS[kind](hub, ours, theirs)
    seen = preview(hub.hub.node.lines, command, hub.now)
    hub.do("HUB", command)
    (heard,) = [t for t in hub.west.told if isinstance(t, Heard) and t.by == BY][-1:]
    if kind != "alert":  # an ALERT is known by its hash, which only its signature's place and salt decide
        assert seen.ref == heard.ref or seen.view is None
    assert (seen.sentence, seen.kind) == (heard.sentence, heard.kind)
    record = hub.west.store.entry(heard.entry)
    assert record is not None
    assert seen.frame_bytes == len(record.envelope) + len(record.body)
    _, _, payload = entries.read(record.envelope, record.body)
    header = msgspec.json.decode(payload)
    assert {**seen.header, "body_sha256": ""} == {**header, "body_sha256": ""}
    assert seen.says == msgspec.json.decode(record.body)["body"]["said"]
    assert seen.audience == ("WEST",)
    assert (seen.mechanism, seen.mode) == ("NORTH", "EXERCISE")
    if seen.view is not None:
        board = hub.west.node.lines[hub.ch["NORTH"]].board
        thread = board.find(heard.entry)
        assert thread is not None
        version = thread.version(heard.entry)
        assert version is not None
        assert {**seen.view, "entry": ""} == {**version_view(board, thread, version, ()), "entry": ""}


def test_previews_touch_neither_keys_nor_entropy_nor_any_state() -> None:
    """The same life with and without previews in between: the same bytes in the same order."""
    lives = []
    for curious in (False, True):
        hub, ours, theirs = told()
        for name in ("notice", "alert", "amend", "ack", "cancel"):
            if curious:
                for each in COMMANDS.values():
                    before = hub.hub.chance._n
                    preview(hub.hub.node.lines, each(hub, ours, theirs), hub.now)
                    assert hub.hub.chance._n == before
                with pytest.raises(NotFound):
                    preview(hub.hub.node.lines, ev.Cancel(hub.ch["NORTH"], BY, "HUB-0099-X"), hub.now)
            hub.do("HUB", COMMANDS[name](hub, ours, theirs))
            hub.later(1000)
        lives.append(hub.sent)
    assert lives[0] == lives[1]
    assert len(lives[0]) > 10


def test_a_preview_refuses_what_the_command_would_refuse_and_says_the_same() -> None:
    hub, ours, theirs = told()
    ch = hub.ch["NORTH"]
    wrong: tuple[ev.Command, ...] = (
        ev.Cancel(ch, BY, theirs),
        ev.Acknowledge(ch, BY, ours),
        ev.Extend(ch, BY, ours, hub.now.t_ms),
        ev.GiveNotice(ch, BY, hub.terms(start_ms=-7_200_000)),
        ev.SayNil(ch, "HUB/nobody", hub.now.t_ms),
        ev.SayNil("e" * 64, BY, hub.now.t_ms),
    )
    for command in wrong:
        with pytest.raises((BadInput, NotFound)) as looked:
            preview(hub.hub.node.lines, command, hub.now)
        with pytest.raises(type(looked.value)) as tried:
            hub.hub.step(command, hub.now)
        assert looked.value.sentence == tried.value.sentence


def test_what_is_urgent_is_shown_as_urgent() -> None:
    hub, ours, theirs = told()
    for command, urgent in (
        (COMMANDS["alert"](hub, ours, theirs), True),
        (ev.GiveNotice(hub.ch["NORTH"], BY, hub.terms(precedence=Precedence.FLASH)), True),
        (COMMANDS["notice"](hub, ours, theirs), False),
    ):
        assert preview(hub.hub.node.lines, command, hub.now).urgent is urgent


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("keep clear of EAST on your way", "names EAST, which is not on this line (NORTH)"),
        ("keep clear of east on your way", "names EAST"),
        ("keep clear of E A S T on your way", "names EAST"),
        ("keep clear of \uff25\uff21\uff33\uff34", "names EAST"),
        ("as agreed in South", "names SOUTH, a mechanism that the members of NORTH may not know of"),
        ("because of EAS-0001-{check}", "a notice of another line than NORTH"),
        ("because of eas 0001 {check}", "a notice of another line than NORTH"),
        ("because of EAS-0042-X", "a notice of another line than NORTH"),
    ],
)
def test_a_text_that_names_what_belongs_to_another_line_is_warned_of(text: str, words: str) -> None:
    hub, ours, _ = told()
    (east,) = [t.ref for t in hub.east.node.lines[hub.ch["SOUTH"]].board]
    text = text.format(check=east[-1])
    lines = hub.hub.node.lines
    for command in (
        ev.GiveNotice(hub.ch["NORTH"], BY, hub.terms(text=text)),
        ev.Cancel(hub.ch["NORTH"], BY, ours, text),
        ev.RaiseAlert(hub.ch["NORTH"], BY, 0, text),
        ev.LogVoice(hub.ch["NORTH"], BY, "telephone", text),
    ):
        found = named_elsewhere(lines, command)
        assert any(words in each for each in found), found
    assert preview(lines, ev.RaiseAlert(hub.ch["NORTH"], BY, 0, text), hub.now).names == found


def test_what_belongs_here_is_not_warned_of() -> None:
    hub, ours, theirs = told()
    mine = hub.give("HUB", "SOUTH")
    assert mine == ours, "each line counts our notices by itself, so a reference says nothing of other lines"
    for text in (f"as {theirs} says", f"after {ours}", "WEST knows of it", "we of HUB", "feast and southern beast", ""):
        assert named_elsewhere(hub.hub.node.lines, ev.RaiseAlert(hub.ch["NORTH"], BY, 0, text)) == ()
    # A party with one line has nothing to mix up.
    assert named_elsewhere(hub.west.node.lines, ev.RaiseAlert(hub.ch["NORTH"], "WEST/watch-1", 0, "EAST")) == ()


def test_a_conflict_of_another_line_is_known_by_its_reference() -> None:
    hub, ours, _ = told()
    mine = hub.give("HUB", "SOUTH")
    (east,) = [t.ref for t in hub.east.node.lines[hub.ch["SOUTH"]].board if t.author == "EAST"]
    hub.do("HUB", ev.RecordOutcome(hub.ch["SOUTH"], BY, mine, east, "UNRESOLVED"))
    (clash,) = hub.hub.node.lines[hub.ch["SOUTH"]].board.dialogue
    command = ev.Cancel(hub.ch["NORTH"], BY, ours, f"because of {clash.ref}")
    assert named_elsewhere(hub.hub.node.lines, command) == (
        f"this text names {clash.ref}, a conflict of another line than NORTH",
    )


def test_our_own_second_notice_of_another_line_is_known_by_its_number() -> None:
    hub, _, _ = told()
    hub.give("HUB", "SOUTH")
    second = hub.give("HUB", "SOUTH", lat=35.5)
    (found,) = named_elsewhere(hub.hub.node.lines, ev.RaiseAlert(hub.ch["NORTH"], BY, 0, f"see {second}"))
    assert second in found
