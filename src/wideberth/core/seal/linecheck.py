# SPDX-License-Identifier: Apache-2.0
"""The machine line check: a signed exchange of four times, with the heads of all strands that each side holds.

    us                                         them
    LineAsk     t1_ms, nonce, heads     ->
                                        <-     LineAnswer   hash of the ask, t1_ms, t2_ms, t3_ms, heads
    LineClose   hash of the answer,     ->
                t1_ms to t4_ms

t1 and t4 by the asker's clock, t2 and t3 by the answerer's. After it both have signed all that is needed to bound what
their clocks differed by. The three are sidecars of their own payload types; they order nothing.

Offset of their clock against ours: their clock reads θ more. What left at t1 came at t2, so θ ≤ t2 − t1; what left at
t3 came at t4, so θ ≥ t3 − t4 (RFC 5905 §8 takes the middle of the two). Clocks are read in whole milliseconds, cut off,
so that each side may be up to 1 ms wider. A hostile network can widen the bound, never move θ out of it.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from wideberth.core.limits import INTEGER_MAX, MEMBERS_MAX
from wideberth.core.records import SidecarRecord
from wideberth.core.say.words import Place
from wideberth.core.seal import canonical, envelope
from wideberth.core.seal.entry import EPOCH_BYTES, is_hash
from wideberth.core.seal.envelope import Envelope
from wideberth.core.seal.keys import Signer, Verifier
from wideberth.core.seal.party import check_party_name
from wideberth.errors import BadInput, Malformed

KIND: Final = "linecheck"  # of the sidecar that keeps one
ASK: Final = "application/vnd.wideberth.linecheck-ask+json"
ANSWER: Final = "application/vnd.wideberth.linecheck-answer+json"
CLOSE: Final = "application/vnd.wideberth.linecheck-close+json"
NONCE_BYTES: Final = 16
_HEX: Final = frozenset("0123456789abcdef")


class LineAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """`heads` maps each member to the newest place of its strand that the sender durably holds, its own included."""

    v: int
    ch: str
    sender: str
    to: str
    nonce: str
    t1_ms: int
    heads: dict[str, Place]


class LineAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """`ask` is the hash of the ask's payload, `nonce` and `t1_ms` are the ask's again."""

    v: int
    ch: str
    sender: str
    to: str
    ask: str
    nonce: str
    t1_ms: int
    t2_ms: int
    t3_ms: int
    heads: dict[str, Place]


class LineClose(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """`answer` is the hash of the answer's payload. With it both sides hold all four times, signed."""

    v: int
    ch: str
    sender: str
    to: str
    answer: str
    nonce: str
    t1_ms: int
    t2_ms: int
    t3_ms: int
    t4_ms: int


LineMessage = LineAsk | LineAnswer | LineClose


class ClockBound(msgspec.Struct, frozen=True):
    """The other clock minus ours is `offset_ms`, give or take `bound_ms`."""

    offset_ms: int
    bound_ms: int


_M = TypeVar("_M", LineAsk, LineAnswer, LineClose)
_TYPES: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    ASK: msgspec.json.Decoder(LineAsk),
    ANSWER: msgspec.json.Decoder(LineAnswer),
    CLOSE: msgspec.json.Decoder(LineClose),
}
_TYPE_OF: Final[dict[type, str]] = {LineAsk: ASK, LineAnswer: ANSWER, LineClose: CLOSE}


def estimate(t1_ms: int, t2_ms: int, t3_ms: int, t4_ms: int) -> ClockBound | None:
    """What the four times say. None when they contradict each other: a clock was set in between."""
    least, most = t3_ms - t4_ms - 1, t2_ms - t1_ms + 1
    if t4_ms < t1_ms or t3_ms < t2_ms or least > most:
        return None
    offset = (least + most) // 2
    return ClockBound(offset, most - offset)


def seal(message: LineMessage, node: Signer) -> bytes:
    return envelope.seal(_TYPE_OF[type(message)], canonical.encode(message), node).encoded()


def message_hash(message: LineMessage) -> str:
    """Of the payload: what the next message cites."""
    return canonical.sha256(canonical.encode(message))


def read(data: bytes) -> tuple[LineMessage, Envelope, bytes]:
    """Any of the three: size and spelling. The caller checks the signature. Raises: Oversized, Malformed."""
    kind = next((t for t in _TYPES if b'"payloadType":"%s"' % t.encode() in data), ANSWER)
    sealed, payload = envelope.read(data, kind)
    message: LineMessage = canonical.read(payload, _TYPES[kind], "line check")
    _check(message)
    return message, sealed, payload


def check(message: LineMessage, sealed: Envelope, payload: bytes, node_key: str, verifier: Verifier) -> None:
    envelope.check(sealed, payload, node_key, verifier, f"line check of {message.sender}")


def answers(ask: LineAsk, answer: LineAnswer) -> bool:
    """Whether this is an answer to this very ask."""
    return (answer.ask, answer.nonce, answer.t1_ms, answer.ch, answer.sender, answer.to) == (
        message_hash(ask), ask.nonce, ask.t1_ms, ask.ch, ask.to, ask.sender,
    )  # fmt: skip


def closes(answer: LineAnswer, close: LineClose) -> bool:
    """Whether this closes the exchange of this very answer, with its times unchanged."""
    return (close.answer, close.nonce, close.t1_ms, close.t2_ms, close.t3_ms, close.ch, close.sender, close.to) == (
        message_hash(answer), answer.nonce, answer.t1_ms, answer.t2_ms, answer.t3_ms, answer.ch, answer.to,
        answer.sender,
    )  # fmt: skip


def answer_to(ask: LineAsk, t2_ms: int, t3_ms: int, heads: dict[str, Place]) -> LineAnswer:
    """The answer: `t2_ms` when the ask came, `t3_ms` when this is signed, both by the answerer's clock."""
    return LineAnswer(1, ask.ch, ask.to, ask.sender, message_hash(ask), ask.nonce, ask.t1_ms, t2_ms, t3_ms, heads)


def close_of(answer: LineAnswer, t4_ms: int) -> LineClose:
    """The close: `t4_ms` when the answer came, by the asker's clock."""
    return LineClose(
        1, answer.ch, answer.to, answer.sender, message_hash(answer), answer.nonce, answer.t1_ms, answer.t2_ms,
        answer.t3_ms, t4_ms,
    )  # fmt: skip


def sidecar(data: bytes, stored_ms: int) -> SidecarRecord:
    """A message as the store keeps it."""
    message, _, _ = read(data)
    return SidecarRecord(message.ch, KIND, message.sender, canonical.sha256(data), data, stored_ms)


def _check(message: LineMessage) -> None:
    try:
        check_party_name(message.sender)
        check_party_name(message.to)
    except BadInput as fault:
        raise Malformed(f"line check: {fault}") from None
    if message.v != 1 or not is_hash(message.ch) or message.sender == message.to:
        raise Malformed("line check: not one of ours")
    if len(message.nonce) != 2 * NONCE_BYTES or not _HEX.issuperset(message.nonce):
        raise Malformed(f"line check: the nonce is {2 * NONCE_BYTES} small hex digits")
    cited = message.ask if isinstance(message, LineAnswer) else message.answer if isinstance(message, LineClose) else ""
    if (cited and not is_hash(cited)) or (not cited and not isinstance(message, LineAsk)):
        raise Malformed("line check: it cites what came before by its hash")
    times = [message.t1_ms]
    if not isinstance(message, LineAsk):
        times += [message.t2_ms, message.t3_ms]
    if isinstance(message, LineClose):
        times.append(message.t4_ms)
    else:
        if len(message.heads) > MEMBERS_MAX:
            raise Malformed("line check: more heads than members")
        for place in message.heads.values():
            epoch = len(place.epoch) == 2 * EPOCH_BYTES and _HEX.issuperset(place.epoch)
            if not (epoch and is_hash(place.hash) and 1 <= place.seq <= INTEGER_MAX):
                raise Malformed("line check: a head is [epoch, seq, hash]")
    if not all(0 <= t <= INTEGER_MAX for t in times):
        raise Malformed("line check: times are milliseconds UTC")
