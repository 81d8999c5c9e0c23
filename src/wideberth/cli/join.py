# SPDX-License-Identifier: Apache-2.0
"""`init`, `invite`, `accept`, `up`: from nothing to a running node with a line to another party."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def init(
    party: Annotated[str, typer.Argument(help="The name that agreements will give you, such as BLUE.")],
    listen: Annotated[str, typer.Option(help="Address and port for peers.")] = "127.0.0.1:7443",
    url: Annotated[str, typer.Option(help="Where peers find it, https://host:port; default: the listen address.")] = "",
    post: Annotated[list[str] | None, typer.Option(help="A post that may speak; repeat for more.")] = None,
    contact: Annotated[str, typer.Option(help="How to reach your watch by voice.")] = "",
) -> None:
    """Make a node's folder with fresh keys. Nothing is sent anywhere."""
    import os

    from wideberth import home, join
    from wideberth.cli.session import here
    from wideberth.cli.show import tell
    from wideberth.clock import SystemClock
    from wideberth.config import Config
    from wideberth.core.seal.party import check_party_name, check_post_name

    check_party_name(party)
    posts = tuple(post or ("watch-1", "watch-2", "supervisor"))
    for name in posts:
        check_post_name(name)
    config = Config(party=party, listen=listen, public_url=url, posts=posts, contact=contact)
    made = home.create(here().folder, config, entropy=os.urandom, now_ms=SystemClock().now().t_ms)
    join.own_card(made)
    spoken = join.words(made)
    tell(
        {"party": party, "dir": str(here().folder), "posts": list(posts), "words": spoken},
        f"Made the node of {party} in {here().folder} with posts {', '.join(posts)}.\n\n"
        f"Your fingerprint words, to be read over a telephone:\n\n    {spoken}\n\n"
        f"Next: `wideberth invite OTHER --mechanism NAME --dir {here().folder}`, or accept an invitation; then "
        f"`wideberth up --dir {here().folder}`.",
    )


def invite(
    to: Annotated[str, typer.Argument(help="The other party's name, such as GREEN.")],
    mechanism: Annotated[str, typer.Option(help="A name for the arrangement, such as 'Amal coast'.")],
    area: Annotated[str, typer.Option(help="The whole area: 'south,west,north,east' in degrees.")] = "",
    mode: Annotated[str, typer.Option(help="REAL, EXERCISE, TEST or SIMULATED.")] = "REAL",
    purpose: Annotated[str, typer.Option(help="FLIGHT_SAFETY, GROUND, SEA, HUMANITARIAN, WORKING_GROUP.")] = (
        "FLIGHT_SAFETY"
    ),
    minima: Annotated[str, typer.Option(help="Separation minima: RULE_OF_THREES, FAA_SUA, UTM_OVERLAP.")] = (
        "RULE_OF_THREES"
    ),
    lead: Annotated[str, typer.Option(help="Least lead time, such as 10m.")] = "10m",
    least_radius: Annotated[str, typer.Option(help="Least declared area, as a circle's radius.")] = "10km",
    rules_file: Annotated[Path | None, typer.Option("--rules", help="All rules as JSON, instead of the above.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the invitation; default: invite-TO.json.")] = None,
    no_node: Annotated[bool, typer.Option("--no-node", help="They have no node yet: a line by voice.")] = False,
) -> None:
    """Offer a line to another party: writes a file to be carried to them by any way."""
    import os

    from wideberth import home, join
    from wideberth.cli.session import here
    from wideberth.cli.show import tell
    from wideberth.clock import SystemClock
    from wideberth.core.say.rules import Mode, Purpose
    from wideberth.core.seal.party import check_party_name
    from wideberth.errors import BadInput

    check_party_name(to)
    made = home.load(here().folder)
    rules = _rules(area, minima, lead, least_radius, rules_file)
    if mode not in Mode.__members__:
        raise BadInput(f"the mode is one of {', '.join(Mode)}, not {mode!r}", field="mode")
    if purpose not in Purpose.__members__:
        raise BadInput(f"the purpose is one of {', '.join(Purpose)}, not {purpose!r}", field="purpose")
    asked: dict[str, Any] = {
        "to": to, "mechanism": mechanism, "purpose": Purpose(purpose), "mode": Mode(mode), "rules": rules,
        "now_ms": SystemClock().now().t_ms, "entropy": os.urandom,
    }  # fmt: skip
    if no_node:
        joined = join.by_voice(made, **asked)
        _tell_node()
        tell(
            {"ch": joined.ch, "mechanism": mechanism, "peer": to, "by_voice": True},
            f"The line to {to} is open by voice: give notices as usual, read them out with `notice script`, and "
            "log what they answer with `voice`.",
        )
        return
    data = join.invite(made, **asked)
    path = out or Path(f"invite-{to}.json")
    path.write_bytes(data)
    spoken = join.words(made)
    tell(
        {"invite": str(path), "to": to, "mechanism": mechanism, "mode": mode, "words": spoken},
        f"Wrote {path}. Carry it to {to} by any way: it holds no secret. Then call them, and read them your "
        f"words:\n\n    {spoken}\n\nThey will send a reply file back: `wideberth accept REPLY --dir {here().folder}`.",
    )


def accept(
    file: Annotated[Path, typer.Argument(help="An invitation, or the reply to one of yours.")],
    words: Annotated[str, typer.Option(help="The twelve words that THEY read to you; asked for if not given.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where to write the reply; default: reply-PARTY.json.")] = None,
) -> None:
    """Accept an invitation or a reply, after comparing fingerprint words over a telephone."""
    from wideberth import home, join
    from wideberth.cli.session import here
    from wideberth.cli.show import tell
    from wideberth.errors import NotFound

    made = home.load(here().folder)
    if not file.is_file():
        raise NotFound(f"there is no file {file}", field="file")
    data = file.read_bytes()
    seen = join.look(data)
    heard = words
    if not heard:
        typer.echo(_summary(seen), err=True)
        heard = typer.prompt(f"Call {seen['party']} and type the twelve words that they read to you", err=True)
    joined = join.accept(made, data, heard)
    reply = None
    if joined.write is not None:
        reply = out or Path(f"reply-{made.config.party}.json")
        reply.write_bytes(joined.write)
    running = _tell_node()
    up = "" if running else f" Start the node: `wideberth up --dir {here().folder}`."
    if reply is not None:
        text = (
            f"Signed. Wrote {reply}: carry it to {joined.peer}, and read them your words:\n\n    {join.words(made)}"
            f"\n\nThe line {joined.mechanism!r} ({joined.mode}) opens when their signature arrives over the "
            f"link.{up}"
        )
    else:
        text = f"Countersigned. The line {joined.mechanism!r} ({joined.mode}) to {joined.peer} is open.{up}"
    tell(
        {
            "ch": joined.ch, "mechanism": joined.mechanism, "mode": joined.mode, "peer": joined.peer,
            "complete": joined.complete, "reply": str(reply) if reply else None, "words": join.words(made),
        },
        text,
    )  # fmt: skip


def up(
    clock: Annotated[str, typer.Option(help="A UTC time to start a drill's clock at; it is then set by hand.")] = "",
) -> None:
    """Run the node until it is stopped (Ctrl-C, SIGTERM, or `stop` on its socket)."""
    from wideberth.cli.serve import run_node
    from wideberth.cli.session import here

    run_node(here().folder, clock, here().json)


def _rules(area: str, minima: str, lead: str, least_radius: str, rules_file: Path | None) -> Any:
    import msgspec

    from wideberth.core.say.coordinates import parse_distance
    from wideberth.core.say.instant import parse_span
    from wideberth.core.say.minima import PRESETS
    from wideberth.core.say.rules import Rules
    from wideberth.core.say.volume import Polygon
    from wideberth.errors import BadInput

    if rules_file is not None:
        if area:
            raise BadInput("give --area or --rules, not both: the rules hold the area", field="area")
        try:
            return msgspec.json.decode(rules_file.read_bytes(), type=Rules)
        except (msgspec.DecodeError, OSError) as error:
            raise BadInput(f"{rules_file} does not hold rules: {error}", field="rules") from None
    if minima not in PRESETS:
        raise BadInput(f"minima are one of {', '.join(PRESETS)}, not {minima!r}", field="minima")
    try:
        south, west, north, east = (float(x) for x in area.split(","))
    except ValueError:
        raise BadInput("the area is 'south,west,north,east' in degrees, such as 34,33,36,36", field="area") from None
    if south >= north or west == east:
        raise BadInput("the area's south must be below its north, and its west differ from its east", field="area")
    box = Polygon.of((south, west), (south, east), (north, east), (north, west))
    return Rules(
        area=box, minima=PRESETS[minima], lead_ms=parse_span(lead), least_radius_mm=parse_distance(least_radius)
    )  # fmt: skip


def _summary(seen: dict[str, Any]) -> str:
    rules = seen["rules"]
    lines = "; ".join(f"{line['purpose']} with {', '.join(line['members'])}" for line in seen["lines"])
    return (
        f"{seen['file'].capitalize()} from {seen['party']} ({seen['contact'] or 'no contact given'}), {seen['url']}\n"
        f"  mechanism {seen['mechanism']!r}, {lines}, mode {seen['mode']}\n"
        f"  minima {rules['minima']['name'] if 'minima' in rules else 'RULE_OF_THREES'}, "
        f"lead {rules.get('lead_ms', 600_000) / 60_000:g} min, "
        f"least radius {rules.get('least_radius_mm', 10_000_000) / 1e6:g} km\n"
        "Call them on a number that you know, not one from this file."
    )


def _tell_node() -> bool:
    """A running node takes the new line in at once. Returns whether one is running."""
    from wideberth.cli.session import here
    from wideberth.errors import Unreachable

    try:
        here().client().post("/v1/lines", {})
    except Unreachable:
        return False
    return True
