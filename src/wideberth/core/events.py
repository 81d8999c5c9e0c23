# SPDX-License-Identifier: Apache-2.0
"""What can happen to a node. Each event is stamped by the shell, which hands `step` the time beside it.

`Command`s are what officers say through the command line, the console or a program: one spelling for all of them.
A command that cannot be carried out makes `step` raise a `Fault` of ours (or the world's), and nothing has changed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from wideberth.core.say.commands import CommandBase as _Command
from wideberth.core.say.commands import ConflictCommand as ConflictCommand
from wideberth.core.say.commands import ProposeRemedy as ProposeRemedy
from wideberth.core.say.commands import RecordOutcome as RecordOutcome
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.standing import KeySignature
from wideberth.core.say.talk import Question, Reply
from wideberth.core.say.words import Cause, FallbackKind, Hazard, Precedence, Terms


class RaiseAlert(_Command, frozen=True, tag="alert"):
    """`started_ms`: when the officer pressed the first key (0: now). `distress`: somebody needs help now."""

    ch: str
    by: str
    started_ms: int = 0
    text: str = ""
    distress: bool = False


class GiveNotice(_Command, frozen=True, tag="notice"):
    """`refines` may name an own ALERT (its hash or reference) that this notice makes precise."""

    ch: str
    by: str
    terms: Terms
    refines: str = ""


class Revise(_Command, frozen=True, tag="revise"):
    """A new version with these whole terms: AMEND or CORRECT."""

    ch: str
    by: str
    ref: str
    how: Literal["amend", "correct"]
    terms: Terms


class DeclareOffNominal(_Command, frozen=True, tag="offnominal"):
    """The activity went off its nominal course: `terms` are the whole notice as far as it may reach now."""

    ch: str
    by: str
    ref: str
    cause: Cause
    terms: Terms


class Extend(_Command, frozen=True, tag="extend"):
    """The same volumes until later: every volume that ended last, and the expiry, move to `until_ms`."""

    ch: str
    by: str
    ref: str
    until_ms: int


class Cancel(_Command, frozen=True, tag="cancel"):
    ch: str
    by: str
    ref: str
    text: str = ""


class Report(_Command, frozen=True, tag="report"):
    """`why`: the sighting, by its reference or hash, because of which it is suspended."""

    ch: str
    by: str
    ref: str
    state: Literal["STARTED", "SUSPENDED", "RESTORED", "FINISHED"]
    at_ms: int = 0
    why: str = ""


class Acknowledge(_Command, frozen=True, tag="ack"):
    """`of` (an entry's hash) binds to one exact version; empty: the newest one that this node shows."""

    ch: str
    by: str
    ref: str
    of: str = ""


class FindInsufficient(_Command, frozen=True, tag="insufficient"):
    ch: str
    by: str
    ref: str
    fields: tuple[str, ...]
    text: str = ""
    of: str = ""


class ReadBackAs(_Command, frozen=True, tag="readback"):
    ch: str
    by: str
    ref: str
    as_read: str
    point: Point
    start_ms: int
    end_ms: int
    of: str = ""


class Object(_Command, frozen=True, tag="objection"):
    ch: str
    by: str
    ref: str
    text: str
    of: str = ""


class Refuse(_Command, frozen=True, tag="refused"):
    ch: str
    by: str
    ref: str
    text: str = ""
    of: str = ""


class CountRelays(_Command, frozen=True, tag="relay"):
    ch: str
    by: str
    ref: str
    relayed: int
    units: int
    of: str = ""


class SayNil(_Command, frozen=True, tag="nil"):
    ch: str
    by: str
    until_ms: int


class PlanOutage(_Command, frozen=True, tag="outage"):
    ch: str
    by: str
    start_ms: int
    end_ms: int
    text: str = ""


class LogVoice(_Command, frozen=True, tag="voice"):
    """`ref` may be empty: a call about nothing on record. `party`, who was called, may be where there is one other.

    `code`: the response code of the notice `ref` as whoever answered said it (core/say/codes.py)."""

    ch: str
    by: str
    medium: str
    answer: str
    at_ms: int = 0
    ref: str = ""
    outcome: Literal["ANSWERED", "NO_ANSWER", "REFUSED"] = "ANSWERED"
    party: str = ""
    frequency: str = ""
    rung: FallbackKind | None = None
    code: str = ""


class AskCheck(_Command, frozen=True, tag="check"):
    """Ask whether a person is there. The nonce is the node's."""

    ch: str
    by: str
    text: str = ""


class AnswerCheck(_Command, frozen=True, tag="checked"):
    """`party`: whose newest check; empty where only one waits. `of` names an exact one by its entry's hash."""

    ch: str
    by: str
    party: str = ""
    of: str = ""
    text: str = ""


class SayOfLine(_Command, frozen=True, tag="line"):
    """Our word about the line itself: we refuse to talk on it, take it out of use, close it, or are back."""

    ch: str
    by: str
    state: Literal["REFUSED", "SUSPENDED", "OPEN", "CLOSED"]
    text: str = ""


class PostStatement(_Command, frozen=True, tag="statement"):
    """A statement of position; only on a working group's line. `language` is a BCP 47 tag."""

    ch: str
    by: str
    text: str
    language: str = "en"
    about: tuple[str, ...] = ()


class ProposeVersion(_Command, frozen=True, tag="propose"):
    """A new version of the agreement, in the bytes that will be signed. `counters`: the hash of the one it answers."""

    ch: str
    by: str
    agreement: str
    counters: str = ""
    text: str = ""


class SignVersion(_Command, frozen=True, tag="sign"):
    """Our root signed a proposed version (its hash); the key itself is in the hands of the shell."""

    ch: str
    by: str
    of: str
    sig: KeySignature


class Suspend(_Command, frozen=True, tag="suspend"):
    """`from_ms` 0: as soon as was agreed (`suspend_notice_ms` from now)."""

    ch: str
    by: str
    text: str = ""
    from_ms: int = 0


class Reinstate(_Command, frozen=True, tag="reinstate"):
    ch: str
    by: str
    text: str = ""


class Leave(_Command, frozen=True, tag="leave"):
    """`from_ms` 0: as soon as was agreed."""

    ch: str
    by: str
    text: str = ""
    from_ms: int = 0


class DeclareReady(_Command, frozen=True, tag="ready"):
    """`red` is what the checklist still shows as not ready: then `by` must be a supervisor's post, and says why."""

    ch: str
    by: str
    red: tuple[str, ...] = ()
    text: str = ""


class SendMessage(_Command, frozen=True, tag="message"):
    """A `text` in `language` (a BCP 47 tag; empty: our own), or a `phrase` of the book with its `values`. `reply_to`
    and `about` name a message and a notice, by reference or hash."""

    ch: str
    by: str
    text: str = ""
    precedence: Precedence = Precedence.ROUTINE
    language: str = ""
    phrase: str = ""
    values: dict[str, str] = msgspec.field(default_factory=dict)
    reply_to: str = ""
    about: str = ""


class Translate(_Command, frozen=True, tag="translation"):
    """Of a message or a question; `translator` is a pseudonym of who did it, or empty."""

    ch: str
    by: str
    ref: str
    text: str
    language: str
    translator: str = ""


class HearAs(_Command, frozen=True, tag="heardas"):
    """Read a message back in our own words."""

    ch: str
    by: str
    ref: str
    text: str
    language: str = ""


class AskAbout(_Command, frozen=True, tag="ask"):
    """Questions about a notice of another member. `of` binds them to one version; empty: the newest shown here."""

    ch: str
    by: str
    ref: str
    questions: tuple[Question, ...]
    text: str = ""
    language: str = ""
    of: str = ""


class AnswerAsked(_Command, frozen=True, tag="answer"):
    """`ref`: of the question, or of our notice where only one question about it waits."""

    ch: str
    by: str
    ref: str
    replies: tuple[Reply, ...]
    language: str = ""


class AskWhose(_Command, frozen=True, tag="whose"):
    """Traffic was seen: is it yours? `at_ms` 0: seen now. `language` empty: our own."""

    ch: str
    by: str
    point: Point
    lower: Altitude
    upper: Altitude
    at_ms: int = 0
    hazard: Hazard = Hazard.UNSPECIFIED
    text: str = ""
    language: str = ""


class SayWhose(_Command, frozen=True, tag="owner"):
    """The answer to a `whose`, by its reference or hash. There is no third value."""

    ch: str
    by: str
    ref: str
    whose: Literal["OURS", "UNKNOWN"]
    text: str = ""
    language: str = ""


class VerifyPlace(_Command, frozen=True, tag="verified"):
    """Somebody at another post than the one that gave it looked at a site or movement of ours, and found it here."""

    ch: str
    by: str
    ref: str
    point: Point
    text: str = ""


class ConfirmSite(_Command, frozen=True, tag="confirm"):
    """A site of ours is still there and still what it was."""

    ch: str
    by: str
    ref: str
    text: str = ""


class CheckInNow(_Command, frozen=True, tag="checkin"):
    """A movement of ours was heard of at `at_ms` (0: now), and maybe where."""

    ch: str
    by: str
    ref: str
    at_ms: int = 0
    point: Point | None = None
    text: str = ""


AgreementCommand = ProposeVersion | SignVersion | Suspend | Reinstate | Leave | DeclareReady

TalkCommand = SendMessage | Translate | HearAs | AskAbout | AnswerAsked | AskWhose | SayWhose

CareCommand = VerifyPlace | ConfirmSite | CheckInNow

LineCommand = LogVoice | AskCheck | AnswerCheck | SayOfLine | PostStatement

Command = (
    RaiseAlert | GiveNotice | Revise | DeclareOffNominal | Extend | Cancel | Report | Acknowledge | FindInsufficient
    | ReadBackAs | Object | Refuse | CountRelays | SayNil | PlanOutage | LineCommand | AgreementCommand
    | TalkCommand | CareCommand | ConflictCommand
)  # fmt: skip


class ChangeCard(msgspec.Struct, frozen=True):
    """Our root signed a new card: it is written on every line of the mechanisms that this root signed for.

    `by`: the post that says so, or empty for the node itself. `lines`: only these channels; empty: all of that root.
    Lines that have this card already are passed over.
    """

    by: str
    card: bytes
    lines: tuple[str, ...] = ()


class RevokeKey(msgspec.Struct, frozen=True):
    """A supervisor takes the key of a post (`watch-1`) of ours out of use, on every line on which it has one."""

    by: str
    post: str
    text: str = ""


class Arrived(msgspec.Struct, frozen=True):
    """A delivery was opened. `peer` is whom it says it is from: not believed, every envelope is checked by itself.

    `frames` are (envelope, body) pairs, `sidecars` envelopes, all bytes as sent.
    """

    ch: str
    peer: str
    frames: tuple[tuple[bytes, bytes], ...] = ()
    sidecars: tuple[bytes, ...] = ()


class Showed(msgspec.Struct, frozen=True):
    """A screen or terminal of ours showed what `author` said up to its entry `entry` (a hash)."""

    ch: str
    author: str
    seq: int


class Reached(msgspec.Struct, frozen=True):
    """The link to a peer works again: what waits may go now."""

    peer: str


class DiskState(msgspec.Struct, frozen=True):
    """The disk is low (only urgent things are taken), or has room again."""

    low: bool
    sentence: str = ""


class OpenLine(msgspec.Struct, frozen=True):
    """Officers compared fingerprints and agreed. `agreement` carries our signature, and all of them or not yet.

    `cards` are the members' signed cards. With all signatures the channel opens; before, it waits for the rest.
    """

    agreement: bytes
    cards: tuple[bytes, ...]


class Resume(msgspec.Struct, frozen=True):
    """After a restore a supervisor's post goes on without the peers that do not answer."""

    ch: str
    by: str


class CheckLines(msgspec.Struct, frozen=True):
    """The machine line check with every peer of every line (every 30 to 60 s, by the shell's timer)."""


class SignCheckpoints(msgspec.Struct, frozen=True):
    """Sign the roots of what grew, to be cosigned (every minute or 1,000 entries, by the shell)."""


class CompareHeads(msgspec.Struct, frozen=True):
    """Compare notes in full with every peer of every line, now."""


class Tick(msgspec.Struct, frozen=True):
    """It is `Batch.wake`, or later."""


Event = (
    Command | ChangeCard | RevokeKey | Arrived | Showed | Reached | DiskState | OpenLine | Resume | CheckLines
    | SignCheckpoints | CompareHeads | Tick
)  # fmt: skip
