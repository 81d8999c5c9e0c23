# SPDX-License-Identifier: Apache-2.0
"""One table: which fault is which HTTP status, and what a stranger may read about it (problem+json, RFC 9457).

Own people get the fault's own sentence and details. A peer gets the status, the fault's name and the table's sentence:
ours may name a path, a channel or a person.
"""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from wideberth.errors import (
    BadInput,
    BadSignature,
    Equivocation,
    Fault,
    Malformed,
    Misuse,
    NotFound,
    Ours,
    Outdated,
    OutOfPlace,
    Oversized,
    Spoiled,
    StoreBroken,
    StoreFull,
    Stranger,
    Theirs,
    Unreachable,
    Worlds,
)

PROBLEM_TYPE: Final = "application/problem+json"

# The nearest class wins (method resolution order), so a class added later is answered like its parent.
TABLE: Final[dict[type[Fault], tuple[int, str]]] = {
    Fault: (500, "Something is wrong in this node."),
    Ours: (500, "Something is wrong in this node."),
    Misuse: (500, "This node has a bug; its people have been told."),
    BadInput: (422, "What was given cannot be used. Nothing was signed, stored or sent."),
    NotFound: (404, "There is no such thing here."),
    Theirs: (400, "What was sent breaks the protocol."),
    Oversized: (413, "What was sent is longer than the limit that both sides share."),
    Malformed: (400, "What was sent is not in the one spelling."),
    BadSignature: (400, "What was sent does not open, or is not signed by the key that should have signed it."),
    Stranger: (403, "This node has no agreement with the sender, or no such channel."),
    OutOfPlace: (409, "What was sent does not continue the strand."),
    Equivocation: (409, "Two different entries were signed for one place; both are kept."),
    Spoiled: (400, "What was sent is not what its sender signed; the signatures are kept."),
    Worlds: (503, "This node cannot answer now; try again, or use the telephone."),
    Outdated: (409, "What was sent is signed with a key that its owner has replaced meanwhile."),
    StoreFull: (507, "This node has no room left on its disk; use the telephone."),
    StoreBroken: (503, "This node's store cannot be read; use the telephone."),
    Unreachable: (503, "A peer or a part of this node does not answer; use the telephone."),
}


class Problem(msgspec.Struct, frozen=True):
    """The JSON of RFC 9457, with the fault's name and whose it is."""

    type: str
    title: str
    status: int
    detail: str
    fault: str
    whose: str
    details: dict[str, object]


def status_of(fault: Fault) -> tuple[int, str]:
    """HTTP status and the table's sentence."""
    return next(TABLE[kind] for kind in type(fault).__mro__ if kind in TABLE)


def problem(fault: Fault, *, to_peer: bool = False) -> Response:
    """The response for a fault. `to_peer`: only what the table says."""
    status, sentence = status_of(fault)
    body = Problem(
        type=f"urn:wideberth:fault:{fault.name.lower()}",
        title=sentence,
        status=status,
        detail=sentence if to_peer else fault.sentence,
        fault=fault.name,
        whose=fault.whose,
        details={} if to_peer else fault.details,
    )
    # Details may hold what JSON has no word for; it is shown rather than hiding the fault behind a second one.
    return Response(msgspec.json.encode(body, enc_hook=repr), status, media_type=PROBLEM_TYPE)


async def on_fault(request: Request, fault: Exception) -> Response:
    """For Starlette's `exception_handlers={Fault: on_fault}` on routes that own people use."""
    assert isinstance(fault, Fault)
    return problem(fault)
