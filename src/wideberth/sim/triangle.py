# SPDX-License-Identifier: Apache-2.0
"""The triangle in bad weather (domain.md A10, SC9): one seed, lived twice, and nothing may cross.

AMBER is on one line with BLUE and on another with CYAN, which have none with each other. Both give a notice; in one
life the two clash, in the other the same words speak of a place far away, at equal length. Officers, weather, crashes
and restores are those of the seed both times. Even seeds move CYAN's notice and compare AMBER's line with BLUE, odd
ones the other way round. The compared line must carry the same bytes at the same times, in both directions; on the
other one only what the notice itself says may differ, not how much is sent, by whom, or when.

    report = triangles(1_000, workers=2)
    report.good
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from wideberth.core import events as ev
from wideberth.core.batch import Batch
from wideberth.core.inner import Inner
from wideberth.core.say.place import Altitude, Point
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Hazard, NoticeType, Terms
from wideberth.core.warned import Crossed, Warned
from wideberth.sim.dice import Dice
from wideberth.sim.network import Network, Parcel
from wideberth.sim.parties import NAMES, POSTS, Charter
from wideberth.sim.site import Site
from wideberth.sim.weather import DAY, MINUTE, SECOND, Weather
from wideberth.sim.world import Shape, World

HUB: Final = NAMES[0]
# The two places are equal in length, digit for digit, and 200 km apart.
NEAR: Final = (Point(41_200_000_000, -38_600_000_000), Point(41_250_000_000, -38_550_000_000))
FAR: Final = Point(39_800_000_000, -37_100_000_000)
# Both notices are out after two minutes; then there are four in which something could cross.
LASTS_MS: Final = 6 * MINUTE
BURST: Final = 12
_CHUNK: Final = 10
# How often an officer looks whether the notice is out.
_LOOK_MS: Final = 7 * SECOND


class Watchful(Site):
    """A site with its inner side at work: what the record side feeds it is weighed, and own people are told."""

    def __init__(self, *args: Any) -> None:
        self.inner = Inner(draw=False)
        self.warnings: list[Warned] = []
        super().__init__(*args)

    def start(self) -> None:
        self.inner = Inner(draw=False)
        super().start()
        self._feed(self.node.live(self.now()))

    def effects(self, stepped: list[tuple[ev.Event, Batch]]) -> None:
        super().effects(stepped)
        for _, batch in stepped:
            self._feed(batch.do)

    def _feed(self, feed: Any) -> None:
        for each in feed:
            for tell in self.inner.step(each, self.now()).tell:
                self.warned(tell)

    def warned(self, tell: Warned) -> None:
        self.warnings.append(tell)


class Gossip(Watchful):
    """A mistake: a node that says something of its own accord when it is warned."""

    def warned(self, tell: Warned) -> None:
        super().warned(tell)
        if self.party == HUB and isinstance(tell, Crossed):
            self.submit(ev.CheckLines())


class Thoughtful(Watchful):
    """A mistake: a node that takes its time when it is warned."""

    def warned(self, tell: Warned) -> None:
        super().warned(tell)
        if self.party == HUB and isinstance(tell, Crossed) and self.doom is None:
            self.later(50, lambda: self.submit(ev.Tick()))
            self.disarm()


class Wire(Network):
    """Spoils bytes so that nobody can read them, whatever they were: in both lives the same parcels must be lost, and
    another sign in the place of one can by chance be the same."""

    def _spoilt(self, data: bytes) -> bytes:
        at = self._dice.between(0, len(data) - 1)
        return (
            data[:at] + bytes([data[at] ^ 0x80]) + data[at + 1 :]
        )  # no UTF-8 any more: all that is sent is ASCII here


MUTANTS: Final[dict[str, type[Watchful]]] = {
    "says something when it is warned": Gossip,
    "wakes at other times when it is warned": Thoughtful,
}

# (ms, there or back, sender, to, frames, sidecars)
Passed = tuple[int, str, str, str, tuple[tuple[bytes, bytes], ...], tuple[bytes, ...]]


class Triangle(World):
    """A world of three with two lines. `near`: whether the notices of BLUE and CYAN clash; `moves`: whose is moved."""

    wire = Wire

    def __init__(self, seed: int, *, near: bool, moves: str, site: type[Watchful] = Watchful) -> None:
        self.passed: dict[str, list[Passed]] = {}
        weather = Weather.drawn(Dice(seed).apart("weather"))
        weather = msgspec.structs.replace(
            weather, lasts_ms=min(weather.lasts_ms, LASTS_MS), burst=min(weather.burst, BURST)
        )
        super().__init__(seed, shape=Shape(3), site=site, weather=weather)
        self.charters = [charter for charter in self.charters if HUB in charter.members]
        # Of a mechanism with several lines the notice goes to the first.
        self.lines = {
            other: next(c for c in self.charters if other in c.members) for other in NAMES[1:3]
        }  # fmt: skip
        self._at = {
            other: FAR if other == moves and not near else place
            for other, place in zip(NAMES[1:3], NEAR, strict=True)
        }  # fmt: skip
        self._spoken: dict[str, tuple[str, str]] = {}

    @property
    def hub(self) -> Watchful:
        site = self.sites[0]
        assert isinstance(site, Watchful)
        return site

    def warned_of_both(self, *, as_given: bool = False) -> bool:
        """Whether AMBER's officer was told of these two; `as_given`: before any officer moved
        one of them somewhere else."""
        both = set(self._spoken.values())
        told = [t for t in self.hub.warnings if isinstance(t, Crossed)]
        found = [t for t in told if {(side.ch, side.ref) for side in (t.one, t.other)} == both]
        return any(not as_given or t.one.version == t.other.version == 1 for t in found)

    def _begin(self) -> None:
        super()._begin()
        for n, (other, charter) in enumerate(self.lines.items()):
            self.later((60 + 40 * n) * SECOND, self._giver(other, charter))

    def _giver(self, party: str, charter: Charter) -> Callable[[], None]:
        """The officer gives the notice, and looks until it stands on the own board (a crash may have taken it)."""
        site = self._by_name[party]
        text = f"{party} by day"

        def look() -> None:
            line = site.node.lines.get(charter.ch) if site.up else None
            mine = [t for t in line.board if t.author == party] if line is not None else []
            for thread in mine:
                if any(v.terms is not None and v.terms.text == text for v in thread.versions):
                    self._spoken[party] = charter.ch, thread.ref
            if party in self._spoken or self.kind:
                return
            if line is not None:
                terms = _terms(self._at[party], site.now().t_ms + 40 * MINUTE, text)
                site.submit(ev.GiveNotice(charter.ch, f"{party}/{POSTS[0]}", terms))
            self.later(_LOOK_MS, look)

        return look

    def _post(self, parcel: Parcel) -> None:
        self._note("there", parcel)
        super()._post(parcel)

    def _arrive(self, parcel: Parcel) -> None:
        self._note("back" if parcel.to == HUB else "arrives", parcel)
        super()._arrive(parcel)

    def _note(self, how: str, parcel: Parcel) -> None:
        other = parcel.to if parcel.sender == HUB else parcel.sender
        self.passed.setdefault(other, []).append(
            (self.now_ms, how, parcel.sender, parcel.to, parcel.frames, parcel.sidecars)
        )


def _terms(at: Point, start_ms: int, text: str) -> Terms:
    area = Volume4D(Circle(at, 12_000_000), Altitude.surface(), Altitude.flight_level(200), start_ms, start_ms + DAY)
    return Terms(
        type=NoticeType.AREA_ACTIVITY, hazard=Hazard.CREWED_AIRCRAFT, contact="+999 555 0110", volumes=(area,),
        expires_ms=start_ms + DAY, text=text,
    )  # fmt: skip


class Lived(msgspec.Struct, frozen=True):
    """One seed, twice. `crossed` names what crossed, empty for nothing; `broken` a promise that broke in either life.

    `warned`: AMBER's officer was told of the clash; `parcels`: on the line that was compared.
    """

    seed: int
    crossed: str
    broken: str
    warned: bool
    parcels: int
    faults: int


class Report(msgspec.Struct):
    """`unwarned` seeds compare nothing: a notice never got out, or was changed before the other came."""

    seeds: int
    first_seed: int
    warned: int = 0
    parcels: int = 0
    faults: int = 0
    crossed: list[tuple[int, str]] = []
    broken: list[tuple[int, str]] = []
    wall_s: float = 0.0

    @property
    def good(self) -> bool:
        """Nothing crossed, no promise broke, and in half the seeds at least there was something to be kept."""
        return not self.crossed and not self.broken and 2 * self.warned >= self.seeds


def live_twice(seed: int, site: type[Watchful] = Watchful) -> Lived:
    """With the clash, and with one notice far away."""
    kept, moves = (NAMES[1], NAMES[2]) if seed % 2 == 0 else (NAMES[2], NAMES[1])
    clash, apart = (Triangle(seed, near=near, moves=moves, site=site) for near in (True, False))
    outcomes = clash.run(), apart.run()
    broken = "; ".join(f"{o.broken}: {o.story}" for o in outcomes if o.broken)
    crossed = _differs(clash.passed.get(kept, []), apart.passed.get(kept, []), f"with {kept}", bytes_too=True)
    crossed = crossed or _differs(clash.passed.get(moves, []), apart.passed.get(moves, []), f"with {moves}")
    if not crossed and apart.warned_of_both(as_given=True):
        crossed = "two notices 200 km apart were called a clash"
    faults = sum(sum(o.message_faults.values()) + sum(o.hard_faults.values()) for o in outcomes)
    return Lived(seed, crossed, broken, clash.warned_of_both(), len(clash.passed.get(kept, [])), faults)


def _differs(one: list[Passed], other: list[Passed], line: str, *, bytes_too: bool = False) -> str:
    """Where two lives of a line part; empty when they do not. Without bytes: times, ways and sizes only."""
    for n, (a, b) in enumerate(zip(one, other, strict=False)):
        if (a if bytes_too else _shape(a)) != (b if bytes_too else _shape(b)):
            return f"parcel {n} on the line {line}, at {a[0] / 1000:.3f} s from {a[2]} to {a[3]}"
    return "" if len(one) == len(other) else f"{len(one)} parcels on the line {line} with the clash, else {len(other)}"


def _shape(passed: Passed) -> tuple[Any, ...]:
    *where, frames, sidecars = passed
    return (*where, [(len(e), len(b)) for e, b in frames], [len(s) for s in sidecars])


def triangles(
    seeds: int, first_seed: int = 0, *, workers: int = 1, progress: Callable[[str], None] | None = None
) -> Report:
    """The seeds `first_seed` … `first_seed + seeds - 1`, each lived twice."""
    report = Report(seeds, first_seed)
    begun = time.perf_counter()
    done = 0
    for lives in _spread(seeds, first_seed, workers):
        for lived in lives:
            done += 1
            report.warned += lived.warned
            report.parcels += lived.parcels
            report.faults += lived.faults
            if lived.crossed:
                report.crossed.append((lived.seed, lived.crossed))
            if lived.broken:
                report.broken.append((lived.seed, lived.broken))
        if progress is not None:
            progress(f"{done} of {seeds} seeds, {len(report.crossed)} in which something crossed")
    report.crossed.sort()
    report.broken.sort()
    report.wall_s = time.perf_counter() - begun
    return report


def _do(seeds: range) -> list[Lived]:
    return [live_twice(seed) for seed in seeds]


def _spread(seeds: int, first_seed: int, workers: int) -> Iterator[list[Lived]]:
    every = range(first_seed, first_seed + seeds)
    works = [every[at : at + _CHUNK] for at in range(0, seeds, _CHUNK)]
    if workers <= 1:
        yield from map(_do, works)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_do, works)


def main(argv: Sequence[str] | None = None) -> int:
    """0: nothing crossed and no promise broke; 1: not."""
    parser = argparse.ArgumentParser(prog="wideberth sim --triangle", description="A party on two lines; lived twice.")
    parser.add_argument("--seeds", type=int, default=100, metavar="N")
    parser.add_argument("--first-seed", type=int, default=0, metavar="S")
    parser.add_argument("--workers", type=int, default=1, metavar="W", help="processes")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    if args.seeds < 1 or args.workers < 1:
        parser.error("--seeds and --workers are 1 or more")
    report = triangles(args.seeds, args.first_seed, workers=args.workers)
    if args.json:
        plain = {**msgspec.to_builtins(report), "good": report.good}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n")
        return 0 if report.good else 1
    rows = [
        ("seeds, each lived twice", f"{report.seeds:,} from {report.first_seed}"),
        ("clashes warned of", f"{report.warned:,}"),
        ("parcels compared", f"{report.parcels:,}"),
        ("faults", f"{report.faults:,} in both lives"),
        ("something crossed", f"{len(report.crossed)}"),
        ("broken promises", f"{len(report.broken)}"),
        ("seconds", f"{report.wall_s:,.1f}"),
    ]
    lines = [f"{name:24s} {value}" for name, value in rows]
    lines += [f"seed {seed}: crossed: {what}" for seed, what in report.crossed[:20]]
    lines += [f"seed {seed}: {what}" for seed, what in report.broken[:20]]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
