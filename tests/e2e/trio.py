# SPDX-License-Identifier: Apache-2.0
"""Three real nodes: BLUE, GREEN and AMBER in mechanism Coast with three lines, founded by files; and GREEN with AMBER
in mechanism Desert, on the same nodes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.e2e.nodes import RULES, NodeProcess, make_home, meet, until
from tests.e2e.triangle import Triangle
from wideberth import founding, home, join
from wideberth.core.call.choosing import Choice, choose
from wideberth.core.say import instant
from wideberth.core.say.rules import Mode, Purpose
from wideberth.core.seal.agreement import LineTerms, parse_agreement, sign_agreement
from wideberth.core.seal.founding import Seat
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.demo.ports import free_port

NAMES = ("AMBER", "BLUE", "GREEN")
LINES = (
    LineTerms(Purpose.FLIGHT_SAFETY, NAMES),
    LineTerms(Purpose.GROUND, ("BLUE", "GREEN")),
    LineTerms(Purpose.WORKING_GROUP, NAMES),
)


def found(homes: dict[str, home.Home], now_ms: int, *, late: str = "") -> bytes:
    """All files of a founding by BLUE, but for the signature of who is `late`: that one is returned, not handed in."""
    words = {name: join.words(made) for name, made in homes.items()}

    def accept(name: str, data: bytes, *heard: str) -> founding.Came:
        file = founding.parse(data)
        return founding.accept(homes[name], file, {h: words[h] for h in heard}, now_ms=now_ms)  # type: ignore[arg-type]

    _, offered = founding.found(
        homes["BLUE"], seats=tuple(Seat(name) for name in NAMES), mechanism="Coast", lines=LINES,
        mode=Mode.SIMULATED, rules=RULES, now_ms=now_ms, entropy=os.urandom,
    )  # fmt: skip
    assert offered is not None
    others = [name for name in NAMES if name != "BLUE"]
    for name in others:
        came = accept("BLUE", accept(name, offered, "BLUE").write, name)
    kept = b""
    for name in others:
        signed = accept(name, came.write, *(other for other in others if other != name)).write
        if name == late:
            kept = signed
        else:
            accept("BLUE", signed)
    return kept


class Trio(Triangle):
    """`late`: a member whose signature is not handed in yet (`hand_in`)."""

    def __init__(self, *, clock: str = "2030-01-01T18:30:00Z", late: str = "") -> None:
        self._clock = self._began = clock
        self._root = Path(tempfile.mkdtemp(prefix="wb-"))
        self.ports = {party: free_port() for party in NAMES}
        self.weather = {}
        now_ms = instant.parse(clock)
        self.homes = {p: make_home(self._root / p.lower(), p, port, port, now_ms) for p, port in self.ports.items()}
        meet(self.homes["GREEN"], self.homes["AMBER"], Mode.SIMULATED, RULES, now_ms, "Desert")
        self._kept = found(self.homes, now_ms, late=late)
        self._tapped, self._seed = False, ""
        self._folders = {p: each.path for p, each in self.homes.items()}
        self._take_seats()

    def _take_seats(self) -> None:
        self.amber, self.blue, self.green = (NodeProcess(self._folders[p]) for p in NAMES)

    def _begin(self) -> None:
        for node in self.nodes:
            node.begin(self._clock)
        for node in self.nodes:
            node.is_up()
        self.later(2)
        if not self._kept:
            self.opened()

    def opened(self) -> None:
        """Until every line of everybody is open."""
        want = {"BLUE": 3, "GREEN": 4, "AMBER": 3}

        def open_() -> bool:
            return all(len(node.status()["lines"]) == want[node.party] for node in self.nodes)

        self.later_until(open_, "every line opens", step_s=2)
        self.settle()

    def hand_in(self) -> None:
        """The late signature gets to BLUE, whose node takes the agreement in while it runs."""
        came = founding.accept(self.homes["BLUE"], founding.parse(self._kept), {})  # type: ignore[arg-type]
        assert came.what == "COMPLETE"
        self.blue.post("/v1/lines")
        self._kept = b""

    @property
    def nodes(self) -> tuple[NodeProcess, ...]:  # type: ignore[override]
        return self.amber, self.green, self.blue

    # --- the agreement ---

    def state(self, node: NodeProcess, name: str = "Coast") -> dict[str, Any]:
        return next(m for m in node.get("/v1/mechanisms")["mechanisms"] if m["mechanism"] == name)

    def ch(self, node: NodeProcess, line: str) -> str:
        choices = [
            Choice(each["ch"], m["mechanism"], m["id"], Purpose(each["purpose"]), tuple(each["members"]))
            for m in node.get("/v1/mechanisms")["mechanisms"] for each in m["lines"]
        ]  # fmt: skip
        return choose(choices, line).ch

    def sign(self, node: NodeProcess, hash_: str) -> dict[str, Any]:
        """As the command line does: the root key stays outside the node."""
        seen = node.get("/v1/mechanisms/proposal", mechanism="Coast", of=hash_)
        root = Ed25519Signer(self.homes[node.party].root_seed())
        signed = sign_agreement(parse_agreement(seen["payload"].encode()), root).signatures[0]
        return node.command("sign", ch="Coast/", of=hash_, sig={"keyid": signed.keyid, "sig": signed.sig})

    def until(self, holds: Any, what: str) -> Any:
        return until(holds, what)
