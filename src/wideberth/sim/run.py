# SPDX-License-Identifier: Apache-2.0
"""`wideberth sim`: many seeds, on all cores, and a short table.

    report = simulate(3_000, first_seed=0, nodes=2, workers=2)
    report.broken                   # what did not hold: seed, step, promise, story, tape
    main(["--seeds", "300", "--json"])

A seed that broke a promise breaks it again everywhere: `--seeds 1 --first-seed SEED --tape` prints what happened.
Only the measuring here reads a clock; worlds have their own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from wideberth.sim.mutants import MUTANTS, hunt
from wideberth.sim.site import Site
from wideberth.sim.watchroom import PEOPLE_FAULTS
from wideberth.sim.weather import HARD_FAULTS, MEDIATOR_FAULTS, MESSAGE_FAULTS
from wideberth.sim.world import Outcome, Shape, World

# Seeds of one piece of work for a process.
_CHUNK: Final = 10
# Tapes are long; the first few tell enough.
_TAPES_MOST: Final = 5
MUTANT_SEEDS_MOST: Final = 200

Progress = Callable[[str], None]


class BrokenSeed(msgspec.Struct, frozen=True):
    """`step` is the line of the tape at which it showed."""

    seed: int
    step: int
    promise: str
    story: str
    tape: tuple[str, ...] = ()


class MutantFate(msgspec.Struct, frozen=True):
    """`after_seeds` is 0 when the mutant was not caught."""

    name: str
    mistake: str
    after_seeds: int
    promise: str


class Report(msgspec.Struct):
    """What a run came to. `cpu_s` is summed over processes, so `faults_per_s` is per core."""

    seeds: int
    first_seed: int
    nodes: int
    workers: int
    simulated_ms: int = 0
    entries: int = 0
    receipts: int = 0
    deliveries: int = 0
    behind_back: int = 0
    spoke_first: int = 0
    message_faults: dict[str, int] = {}
    hard_faults: dict[str, int] = {}
    people_faults: dict[str, int] = {}
    broken: list[BrokenSeed] = []
    mutants: list[MutantFate] = []
    cpu_s: float = 0.0
    wall_s: float = 0.0

    @property
    def faults(self) -> int:
        return sum(self.message_faults.values()) + sum(self.hard_faults.values())

    @property
    def faults_per_s(self) -> float:
        return self.faults / self.cpu_s if self.cpu_s else 0.0

    @property
    def good(self) -> bool:
        """No promise broke, and every mutant that was tried was caught."""
        return not self.broken and all(m.after_seeds for m in self.mutants)

    def as_json(self) -> bytes:
        plain = msgspec.to_builtins(self)
        plain["faults_per_s_per_core"] = round(self.faults_per_s, 1)
        plain["good"] = self.good
        return msgspec.json.format(msgspec.json.encode(plain), indent=2)


class _Work(msgspec.Struct, frozen=True):
    seeds: tuple[int, ...]
    nodes: int


def run_seed(seed: int, nodes: int = 2, site: type[Site] = Site, *, one_line: bool = False) -> Outcome:
    """One world; `nodes` 0: as many as the seed draws. Whatever it raises besides a broken promise is a broken promise
    too: `sound`."""
    return World(seed, shape=Shape(nodes, one_line) if nodes else Shape.drawn(seed), site=site).run()


def _do(work: _Work) -> tuple[list[Outcome], float]:
    begun = time.process_time()
    outcomes = [run_seed(seed, work.nodes) for seed in work.seeds]
    return outcomes, time.process_time() - begun


def simulate(
    seeds: int, first_seed: int = 0, nodes: int = 2, *, workers: int = 1, mutants: bool = False,
    progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Run the seeds `first_seed` … `first_seed + seeds - 1`, and the mutants if asked for."""
    report = Report(seeds, first_seed, nodes, workers)
    message: Counter[str] = Counter(dict.fromkeys((*MESSAGE_FAULTS, *MEDIATOR_FAULTS), 0))
    hard: Counter[str] = Counter(dict.fromkeys(HARD_FAULTS, 0))
    people: Counter[str] = Counter(dict.fromkeys(PEOPLE_FAULTS, 0))
    begun, done = time.perf_counter(), 0
    for outcomes, cpu_s in _spread(seeds, first_seed, nodes, workers):
        report.cpu_s += cpu_s
        done += len(outcomes)
        for outcome in outcomes:
            _add(report, outcome)
            message.update(outcome.message_faults)
            hard.update(outcome.hard_faults)
            people.update(outcome.people_faults)
            if outcome.broken and progress is not None:
                progress(f"seed {outcome.seed} breaks {outcome.broken}")
        if progress is not None:
            faults = message.total() + hard.total()
            progress(f"{done} of {seeds} seeds, {faults:,} faults, {len(report.broken)} broken promises")
    report.message_faults, report.hard_faults, report.people_faults = dict(message), dict(hard), dict(people)
    report.broken.sort(key=lambda b: b.seed)
    report.wall_s = time.perf_counter() - begun
    if mutants:
        report.mutants = try_mutants(first_seed, nodes, progress=progress)
    return report


def try_mutants(first_seed: int = 0, nodes: int = 2, *, progress: Progress | None = None) -> list[MutantFate]:
    """Each mutant against seeds from `first_seed` until it is caught."""
    fates = []
    for mutant in MUTANTS:
        if progress is not None:
            progress(f"mutant: {mutant.name}")
        found = hunt(mutant, lambda seed, site: run_seed(seed, nodes, site).broken, first_seed, MUTANT_SEEDS_MOST)
        after, promise = found or (0, "")
        fates.append(MutantFate(mutant.name, mutant.mistake, after, promise))
    return fates


def _spread(seeds: int, first_seed: int, nodes: int, workers: int) -> Iterator[tuple[list[Outcome], float]]:
    chunk = max(1, min(_CHUNK, seeds // max(1, workers)))
    every = range(first_seed, first_seed + seeds)
    works = [_Work(tuple(every[at : at + chunk]), nodes) for at in range(0, seeds, chunk)]
    if workers <= 1:
        yield from map(_do, works)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_do, works)


def _add(report: Report, outcome: Outcome) -> None:
    report.simulated_ms += outcome.simulated_ms
    report.entries += outcome.entries
    report.receipts += outcome.receipts
    report.deliveries += outcome.deliveries
    report.behind_back += outcome.behind_back
    report.spoke_first += outcome.spoke_first
    if outcome.broken:
        tape = tuple(outcome.tape) if len(report.broken) < _TAPES_MOST else ()
        report.broken.append(BrokenSeed(outcome.seed, outcome.step, outcome.broken, outcome.story, tape))


# --- for people ---


def table(report: Report) -> str:
    """A short table; then each broken promise, and each mutant that got away."""

    def kinds(counts: dict[str, int]) -> str:
        return ", ".join(f"{kind.replace('_', ' ')} {n:,}" for kind, n in counts.items())

    rows = [
        ("seeds", f"{report.seeds:,} from {report.first_seed}, {report.nodes or '2 to 6'} nodes"),
        ("simulated hours", f"{report.simulated_ms / 3_600_000:,.1f}"),
        ("entries", f"{report.entries:,}"),
        ("receipts held", f"{report.receipts:,}"),
        ("deliveries", f"{report.deliveries:,}"),
        ("message faults", f"{sum(report.message_faults.values()):,}  ({kinds(report.message_faults)})"),
        ("hard faults", f"{sum(report.hard_faults.values()):,}  ({kinds(report.hard_faults)})"),
        ("people", f"{sum(report.people_faults.values()):,}  ({kinds(report.people_faults)})"),
        ("restored unawares", f"{report.behind_back:,}, of which {report.spoke_first:,} spoke before they could know"),
        ("broken promises", f"{len(report.broken)}"),
        ("faults/s/core", f"{report.faults_per_s:,.0f}  ({report.cpu_s:,.1f} s of CPU, {report.wall_s:,.1f} s)"),
    ]
    if report.mutants:
        caught = [m for m in report.mutants if m.after_seeds]
        rows.append(("mutants caught", f"{len(caught)} of {len(report.mutants)}"))
    lines = [f"{name:18s} {value}" for name, value in rows]
    for fate in report.mutants:
        if fate.after_seeds:
            how = f"{fate.promise} broke after {fate.after_seeds} seed{'s' if fate.after_seeds > 1 else ''}"
        else:
            how = f"NOT CAUGHT in {MUTANT_SEEDS_MOST} seeds: {fate.mistake}"
        lines.append(f"  {fate.name:36s} {how}")
    for broken in report.broken[:20]:
        lines.append(f"seed {broken.seed}, step {broken.step}: {broken.promise} is broken: {broken.story}")
        lines.append(f"  see it: wideberth sim --replay {broken.seed} --nodes {report.nodes} --tape")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """0: every promise held and every mutant was caught; 1: not."""
    parser = argparse.ArgumentParser(prog="wideberth sim", description="Real nodes in simulated bad weather.")
    parser.add_argument("--seeds", type=int, default=100, metavar="N")
    parser.add_argument("--first-seed", type=int, default=0, metavar="S")
    parser.add_argument("--nodes", type=int, default=2, metavar="M", help="2 to 16; 0: each seed draws its own")
    parser.add_argument("--workers", type=int, default=1, metavar="W", help="processes")
    parser.add_argument("--mutants", action="store_true", help="also see that every known mistake is noticed")
    parser.add_argument("--tape", action="store_true", help="print what happened in each seed that broke a promise")
    parser.add_argument("--replay", type=int, metavar="SEED", help="run this one seed again")
    parser.add_argument(
        "--shrink", type=int, metavar="SEED", help="look for a smaller world that breaks the same promise"
    )
    parser.add_argument("--keep", metavar="FILE", help="write the tape of a seed that broke a promise to a file")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    if args.seeds < 0 or not (args.nodes == 0 or 2 <= args.nodes <= 16) or args.workers < 1:
        parser.error("--seeds is 0 or more, --nodes 0 or 2 to 16, --workers 1 or more")
    shown = _Line(sys.stderr.isatty())
    if args.shrink is not None:
        return _shrink(args.shrink, args.nodes, args.keep, args.tape, shown)
    if args.replay is not None:
        args.first_seed, args.seeds = args.replay, 1
    report = simulate(
        args.seeds, args.first_seed, args.nodes, workers=args.workers, mutants=args.mutants, progress=shown.show
    )
    shown.end()
    if args.json:
        sys.stdout.write(report.as_json().decode() + "\n")
    else:
        sys.stdout.write(table(report) + "\n")
        if args.tape:
            for broken in report.broken:
                sys.stdout.write(f"\nseed {broken.seed}\n" + "\n".join(broken.tape) + "\n")
    if args.keep and report.broken:
        _keep(args.keep, [f"seed {b.seed}: {b.promise}: {b.story}\n" + "\n".join(b.tape) for b in report.broken])
    return 0 if report.good else 1


def _shrink(seed: int, nodes: int, keep: str | None, tape: bool, shown: _Line) -> int:
    from wideberth.sim.shrink import shrink

    found = shrink(seed, Shape(nodes) if nodes else Shape.drawn(seed), shown.show)
    shown.end()
    if found is None:
        sys.stdout.write(f"seed {seed} breaks no promise\n")
        return 0
    told = f"seed {seed}: {found.outcome.broken} breaks after {found.after} steps instead of {found.before}"
    lines = [f"{told} ({found.tries} worlds tried)", found.outcome.story, repr(found.weather)]
    sys.stdout.write("\n".join([*lines, *(found.outcome.tape if tape else ())]) + "\n")
    if keep:
        _keep(keep, [*lines, *found.outcome.tape])
    return 1


def _keep(file: str, lines: list[str]) -> None:
    Path(file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"the tape is in {file}\n")


class _Line:
    """Progress on stderr: one line that changes on a terminal, else a line every few seconds."""

    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal
        self._next_s = 0.0

    def show(self, text: str) -> None:
        now_s = time.monotonic()
        if now_s < self._next_s and not text.startswith("seed "):
            return
        self._next_s = now_s + (0.2 if self._terminal else 10.0)
        sys.stderr.write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")


if __name__ == "__main__":
    sys.exit(main())
