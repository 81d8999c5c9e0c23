# SPDX-License-Identifier: Apache-2.0
"""What the members of a line would see if a command were carried out now; nothing is signed, stored, sent or changed.

    seen = preview(node.lines, command, now)        # raises BadInput or NotFound, as the command itself would

The word is made by the same rules, put into a body and a header of the same length as the real ones (signatures and
salt are zeros: neither a key nor entropy is touched), and told in the sentence that a member's node would show. So an
officer of a party on two lines can look at either before choosing one (domain.md SC9).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from wideberth.core import events as ev
from wideberth.core.batch import Now
from wideberth.core.call import marks, sentences, speak, views
from wideberth.core.call.board import Board, Version
from wideberth.core.call.elsewhere import Spoken, names_elsewhere
from wideberth.core.call.fault import NotUnderstood
from wideberth.core.effects import is_urgent
from wideberth.core.line import Line
from wideberth.core.say import release
from wideberth.core.say.words import Word
from wideberth.core.seal import canonical
from wideberth.core.seal import entry as entries
from wideberth.errors import BadInput, NotFound, Stranger

_SIGNATURE: Final = bytes(64)


class Preview(msgspec.Struct, frozen=True):
    """`audience` are the members whose nodes would get it, `by_voice` those who have no node and must be called.

    `sentence` is what their watch would be told, `says` the exact words as they would be signed, `header` what goes
    with it, `frame_bytes` the size of the entry (a delivery adds its seal and padding), `outside` why it would be
    marked as said outside the agreement (empty: it is not), `release` how far a copy may travel, `look_again` what
    about its place should be looked at first. `names` are warnings
    about names that do not belong on this line, `warnings` those of the notice's own rules; neither is sent. `view` is
    the version as a member's `notice show` would show it; None for what is no version of a notice.
    """

    ch: str
    mechanism: str
    mode: str
    audience: tuple[str, ...]
    by_voice: tuple[str, ...]
    kind: str
    ref: str
    urgent: bool
    sentence: str
    says: dict[str, Any]
    header: dict[str, Any]
    frame_bytes: int
    outside: str
    release: str
    look_again: tuple[str, ...]
    names: tuple[str, ...]
    warnings: tuple[str, ...]
    view: dict[str, Any] | None


class _Blank:
    """Stands where a key would: it signs with zeros."""

    def __init__(self, public: str) -> None:
        self.public = public

    def sign(self, message: bytes) -> bytes:
        return _SIGNATURE


def preview(lines: Mapping[str, Line], command: ev.Command, now: Now) -> Preview:
    """Raises BadInput or NotFound as the command itself would; nothing changes either way."""
    line = lines.get(command.ch)
    if line is None:
        raise NotFound("this node has no such line; `status` lists them", ch=command.ch)
    channel, board = line.channel, line.board
    card = channel.cards[channel.us]
    try:
        post = card.post(command.by)
    except Stranger:
        raise NotFound(f"{command.by} is not a post of this node; `status` lists them", post=command.by) from None
    if isinstance(command, ev.AgreementCommand):
        raise BadInput("what concerns the agreement itself has no preview", field="command")
    what, facts = line.word_for(command, now, bytes)  # zeros, for entropy
    line.mechanism.check_may_say(what, channel.us, now.t_ms, distress=speak.in_distress(what, board))
    said, sig = entries.state(command.by, channel.ch, now.t_ms, what, _Blank(post.key))
    body = entries.pack_body(said, sig, bytes(entries.SALT_BYTES))
    kind = entries.kind_of(what)
    entry = entries.seal(channel.header(kind, command.by, now.t_ms, body), body, _Blank(card.node))
    apart = _apart(board, what)
    try:
        change = apart.apply(entry.header, entry.hash, what, now.t_ms)
    except NotUnderstood as why:
        raise BadInput(f"this cannot be said: {why}") from None
    thread, version = change.thread, change.version
    ref = "" if thread is None or thread.kind == "alert" else thread.ref
    view = None
    if thread is not None and version is not None and change.what == "version":
        view = views.version_view(apart, thread, version, ())
    return Preview(
        ch=channel.ch,
        mechanism=channel.agreement.mechanism,
        mode=channel.agreement.mode.value,
        audience=channel.peers,
        by_voice=channel.by_voice,
        kind=kind,
        ref=ref,
        urgent=is_urgent(what),
        sentence=sentences.of_change(channel.us, command.by, change, what),
        says=msgspec.json.decode(said),
        header=msgspec.json.decode(canonical.encode(entry.header)),
        frame_bytes=len(entry.envelope) + len(entry.body),
        outside=line.mechanism.outside(channel.us, now.t_ms, entry.header.agr),
        release=_release(line, apart, version, now),
        look_again=tuple(facts.get("look_again", ())),
        names=named_elsewhere(lines, command),
        warnings=tuple(facts.get("warnings", ())),
        view=view,
    )


def _release(line: Line, board: Board, version: Version | None, now: Now) -> str:
    members = line.channel.terms.members
    if version is not None:
        return str(marks.of_version(board, line.channel.us, version, members)["release"])
    return release.sentence(board.rules_at(now.t_ms).onward, members)


def named_elsewhere(lines: Mapping[str, Line], command: ev.Command) -> tuple[str, ...]:
    """Warnings for our own officer: names in the command's free text that belong to another line of ours."""
    line = lines.get(command.ch)
    if line is None or len(lines) < 2:
        return ()
    return names_elsewhere(command, _spoken(line), (_spoken(other) for other in lines.values()))


def _spoken(line: Line) -> Spoken:
    return Spoken(line.channel, line.board)


def _apart(board: Board, what: Word) -> Board:
    """A board with copies of the threads that the word is about, and of nothing else: to try it on."""
    fields = ("of", "refines", "why", "about", "reply_to", "one", "other", "amended")
    named = [cited for field in fields if (cited := getattr(what, field, ""))]
    threads = {(t.author, t.ref): t for t in map(board.find, named) if t is not None}
    apart = Board(board.ch, board.versions, board.us, positions=board.statements.here)
    apart.lines = copy.deepcopy(board.lines)
    for talk in filter(None, map(board.hotline.find, named)):
        apart.hotline.apart(talk)
    for thread in threads.values():
        apart.adopt(copy.deepcopy(thread))
    return apart
