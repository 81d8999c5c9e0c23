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
    tape: Annotated[bool, typer.Option("--tape", help="Print what happened where a promise broke.")] = False,
) -> None:
    """Simulate real nodes in bad weather and check the promises from outside. Exit code 1 if one broke."""
    from wideberth.sim.run import main

    flags = [name for name, on in (("--mutants", mutants), ("--tape", tape), ("--json", here().json)) if on]
    values = {"--seeds": seeds, "--first-seed": first_seed, "--nodes": nodes, "--workers": workers}
    raise typer.Exit(main([*flags, *(str(x) for pair in values.items() for x in pair)]))
