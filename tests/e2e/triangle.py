# SPDX-License-Identifier: Apache-2.0
"""Three real nodes in a triangle: HUB has mechanism NORTH with WEST and mechanism SOUTH with EAST, in areas that
overlap. WEST and EAST have no line with each other, and neither knows that the other is there."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from tests.e2e.nodes import RULES, NodeProcess, Two, make_home, meet, until
from wideberth import join
from wideberth.core.say import instant
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.rules import Mode, Rules
from wideberth.core.say.volume import Polygon
from wideberth.demo.ports import free_port

LINES = {"NORTH": "WEST", "SOUTH": "EAST"}
SOUTH_RULES = Rules(
    area=Polygon.of((33.0, 34.0), (33.0, 37.5), (36.8, 37.5), (36.8, 34.0)),
    minima=SeparationMinima("FIVE_MILES", 9_260_000, 304_800),
)


class Triangle(Two):
    """As `Two`, with three nodes; started and settled one after the other where they are seeded."""

    def __init__(self, *, clock: str, tap: bool = False, seed: str = "", mode: Mode = Mode.SIMULATED) -> None:
        self._clock = self._began = clock
        self._root = Path(tempfile.mkdtemp(prefix="wb-"))
        self.ports = {party: free_port() for party in ("EAST", "WEST", "HUB")}
        self.weather = {}
        now_ms = instant.parse(clock)
        homes = {p: make_home(self._root / p.lower(), p, port, port, now_ms) for p, port in self.ports.items()}
        self.chs = {
            name: meet(homes["HUB"], homes[other], mode, rules, now_ms, name)
            for (name, other), rules in zip(LINES.items(), (RULES, SOUTH_RULES), strict=True)
        }
        self._tapped, self._seed = tap, seed
        self._folders = {p: each.path for p, each in homes.items()}
        self._take_seats()

    def _take_seats(self) -> None:
        self.east, self.west, self.hub = (
            NodeProcess(
                folder,
                tap=self._root / f"{p.lower()}.tap" if self._tapped else None,
                seed=f"{self._seed}/{p}" if self._seed else "",
            )
            for p, folder in self._folders.items()
        )

    @property
    def nodes(self) -> tuple[NodeProcess, ...]:  # type: ignore[override]
        return self.east, self.west, self.hub

    def settled(self) -> bool:
        """What every running node has said is held, and known to be held, by each running peer."""
        up = {node.party: node.status()["lines"] for node in self.nodes if node.running}
        heads = {(party, line["ch"]): line["seq"] for party, lines in up.items() for line in lines}
        return all(
            peer["outstanding"] == 0 and peer["held"] == heads[peer["party"], line["ch"]]
            for lines in up.values()
            for line in lines
            for peer in line["peers"]
            if peer["party"] in up
        )

    def settle(self) -> None:
        until(self.settled, "all that run hold everything and know it")
        for node in self.nodes:
            if node.running:
                node.told_up_to_now()

    def outbound(self, party: str, line: str) -> list[dict[str, Any]]:
        """What left one node on one line so far, in plain text, in order, each with the node's clock."""
        (node,) = (n for n in self.nodes if n.party == party)
        return [o for o in node.outbound() if o["what"] != "fed" and o["ch"] == self.chs[line]]

    def secrets(self, line: str) -> dict[str, str]:
        """What belongs to one line alone, as it could stand in a file: names, ids, texts, and every key of the peer."""
        (node,) = (n for n in self.nodes if n.party == LINES[line])
        card = msgspec.json.decode(join.own_card(node.home).payload_bytes())
        found = {
            "party": node.party, "mechanism": line, "ch": self.chs[line],
            "address": f"127.0.0.1:{self.ports[node.party]}", "contact": card["contact"], "root key": card["root"],
            "node key": card["node"], "sealing": card["sealing"],
        }  # fmt: skip
        found |= {f"key of {name}": post["key"] for name, post in card["posts"].items()}
        for notice in node.get("/v1/notices", line=line, all=1):
            if notice["author"] != "HUB":
                found["ref"] = notice["ref"]
            for version in notice["versions"]:
                found[f"{notice['ref']} {version['version']}"] = version["entry"]
                terms = version["terms"] or {}
                found[f"text of {notice['ref']}"] = terms.get("text") or version["entry"]
                # Coordinates, in 1e-9 degree: 30 to 40 degrees in all that is said here.
                found |= {f"at {n}": n for n in re.findall(r"\b3\d{10}\b", str(terms.get("volumes", "")))}
        return found
