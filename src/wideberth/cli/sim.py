# SPDX-License-Identifier: Apache-2.0
"""`wideberth sim`: the same core in simulated bad weather, for anyone to run."""

from __future__ import annotations

from typing import Annotated

import typer

from wideberth.cli.session import here


def sim(
    seeds: Annotated[int, typer.Option(help="How many worlds.", min=0)] = 100,
    first_seed: Annotated[int, typer.Option(help="The first seed; the same seed is the same world.")] = 0,
    nodes: Annotated[int, typer.Option(help="Nodes in each world; 0: each seed draws its own.", min=0, max=16)] = 2,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
    mutants: Annotated[bool, typer.Option("--mutants", help="Also see that every known mistake is noticed.")] = False,
    replay: Annotated[int | None, typer.Option(help="Run this one seed again.")] = None,
    shrink: Annotated[int | None, typer.Option(help="Find a smaller world that breaks the same promise.")] = None,
    keep: Annotated[str, typer.Option(help="Write the tape of what broke to this file.")] = "",
    triangle: Annotated[
        bool, typer.Option("--triangle", help="A party on two lines whose notices clash: each seed twice, compared.")
    ] = False,
    tape: Annotated[bool, typer.Option("--tape", help="Print what happened where a promise broke.")] = False,
) -> None:
    """Simulate real nodes in bad weather and check the promises from outside. Exit code 1 if one broke."""
    if triangle:
        from wideberth.sim import triangle as two_lines

        asked = ["--seeds", str(seeds), "--first-seed", str(first_seed), "--workers", str(workers)]
        raise typer.Exit(two_lines.main([*asked, *(["--json"] if here().json else [])]))
    from wideberth.sim.run import main

    flags = [name for name, on in (("--mutants", mutants), ("--tape", tape), ("--json", here().json)) if on]
    values: dict[str, int | str] = {
        "--seeds": seeds,
        "--first-seed": first_seed,
        "--nodes": nodes,
        "--workers": workers,
    }
    values |= {k: v for k, v in (("--replay", replay), ("--shrink", shrink), ("--keep", keep or None)) if v is not None}
    raise typer.Exit(main([*flags, *(str(x) for pair in values.items() for x in pair)]))
