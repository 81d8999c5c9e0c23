# SPDX-License-Identifier: Apache-2.0
"""Show a stranger what passed, and check what somebody shows. Both work with or without a running node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb

if TYPE_CHECKING:
    from wideberth.core.seal.bundle import Kept, Selection
    from wideberth.core.seal.keys import Signer
    from wideberth.home import Home


def add_to(app: typer.Typer) -> None:
    """Add them to the top of the command line."""
    for name, function in (("evidence", evidence), ("verify", verify)):
        verb(app, name)(function)


def evidence(
    notice: Annotated[str, typer.Option("--notice", help="Everything about this notice, by its reference.")] = "",
    from_: Annotated[str, typer.Option("--from", help="From this time on …")] = "",
    until: Annotated[str, typer.Option("--until", help="… until before this one.")] = "",
    entry: Annotated[str, typer.Option("--entry", help="One entry alone, by its hash.")] = "",
    redact: Annotated[
        list[str] | None, typer.Option(help="Leave this entry's body out, by its hash; repeat for more.")
    ] = None,
    for_: Annotated[str, typer.Option("--for", help="Whom it is for; every copy says: not for release beyond.")] = "",
    note: Annotated[str, typer.Option(help="A remark for the report.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where to write it; default: evidence-LINE-DATE.zip.")] = None,
) -> None:
    """Write an evidence bundle: a zip that a stranger can check without us. Default: everything on the line."""
    from wideberth import evidence as shell
    from wideberth.cli import show
    from wideberth.cli.passphrase import opened
    from wideberth.clock import SystemClock
    from wideberth.errors import Worlds

    folder = opened()
    kept = _line(folder, here().line)
    now_ms = SystemClock().now().t_ms
    with show.bar("checking") as tell:
        data = shell.make(
            kept, party=folder.config.party, node=_node_of(folder, kept), t_ms=now_ms,
            selection=_selection(notice, from_, until, entry, now_ms), redact=frozenset(redact or ()),
            release=f"Not for release beyond {for_}" if for_ else shell.release_of(kept), note=note, tell=tell,
        )  # fmt: skip
    name = "".join(c if c.isalnum() else "-" for c in kept.mechanism)
    path = out or Path(f"evidence-{name}-{show.utc(now_ms - now_ms % 1000).replace(':', '')}.zip")
    try:
        path.write_bytes(data)
    except OSError as why:
        raise Worlds(f"{path} cannot be written: {why.strerror}", path=str(path)) from None
    with show.bar("verifying") as tell:
        found = shell.verdict(data, tell=tell)
    show.tell(
        {"file": str(path), "bytes": len(data), **found},
        f"Wrote {path}: {found['entries']} entries, {len(data):,} bytes. It verifies.\n"
        "Give the other reader, on another way than this file: verify.py from a copy that they trust, and the "
        "fingerprints of the keys (in the report; the words of `wideberth status` name the same keys).\n"
        + "\n".join(f"Left out: {x['from']} {x['seq']}, {x['type']} {x['ref']}." for x in found["later"]),
    )


def verify(
    bundle: Annotated[list[Path], typer.Argument(help="A bundle; of several, forks between them are looked for, too.")],
    trust: Annotated[
        list[str] | None, typer.Option(help="A party's fingerprint in hex, or its twelve words in quotes; repeatable.")
    ] = None,
    tsa_root: Annotated[
        list[Path] | None,
        typer.Option(help="Root certificates (PEM) of a time-stamping authority: check its stamps whole; repeatable."),
    ] = None,
) -> None:
    """Check evidence bundles. Without --trust this proves integrity, not identity."""
    from wideberth import evidence as shell
    from wideberth.cli import exits, show
    from wideberth.stamps import read_roots

    read = [_bytes(path, "bundle") for path in bundle]
    roots = read_roots((str(path), _bytes(path, "tsa-root")) for path in tsa_root) if tsa_root else ()
    with show.bar("verifying") as tell:
        verdicts = [
            {"bundle": str(p), **shell.verdict(d, trust or (), tell)} for p, d in zip(bundle, read, strict=True)
        ]
    refused = [v for v in verdicts if v["verdict"] == "refused"]
    forks = shell.forks(read) if len(read) > 1 and not refused else []
    stamps = [stamp for data in read for stamp in shell.stamps(data, roots)] if roots and not refused else []
    show.rows([*verdicts, *stamps, *({"fork": fork} for fork in forks)], _render)
    if refused:
        raise typer.Exit(exits.THEIRS)
    if forks or any(v["marks"] for v in verdicts) or any("why" in s for s in stamps):
        raise typer.Exit(exits.FOUND)


def _bytes(path: Path, field: str) -> bytes:
    from wideberth.errors import NotFound, Worlds

    if not path.is_file():
        raise NotFound(f"there is no file {path}", field=field)
    try:
        return path.read_bytes()
    except OSError as why:
        raise Worlds(f"{path} cannot be read: {why.strerror}", path=str(path)) from None


def _line(folder: Home, name: str) -> Kept:
    """The record of a line, chosen as everywhere. Raises NotFound, BadInput."""
    from wideberth import evidence as shell
    from wideberth.core.call.choosing import choose

    lines = {ch: shell.read_record(folder.record_path, ch) for ch in shell.channels(folder.record_path)}
    return lines[choose((shell.choice_of(kept) for kept in lines.values()), name).ch]


def _node_of(folder: Home, kept: Kept) -> Signer:
    """The node's key on our newest card on this line. Raises: NotFound, BadInput."""
    from wideberth.core.seal.keys import Ed25519Verifier
    from wideberth.core.seal.party import read_card
    from wideberth.signers import HomeSigners

    cards = (read_card(data, Ed25519Verifier()) for data in kept.cards.values())
    ours = max((c for c in cards if c.party == folder.config.party), key=lambda c: c.version, default=None)
    signers = HomeSigners(folder)
    return signers.node_of(ours) if ours is not None else signers.node


def _selection(notice: str, from_: str, until: str, entry: str, now_ms: int) -> Selection:
    from wideberth.core.say import instant, reference
    from wideberth.core.seal import bundle
    from wideberth.errors import BadInput

    if sum((bool(notice), bool(from_ or until), bool(entry))) > 1:
        raise BadInput("select by notice, by time, or one entry: not two of them", field="selection")
    if notice:
        return bundle.by_notice(reference.check(notice))
    if entry:
        return bundle.one_entry(entry.lower())
    if from_ or until:
        first = instant.parse(from_, now_ms=now_ms, field="from") if from_ else 0
        return bundle.by_time(first, instant.parse(until, now_ms=now_ms, field="until") if until else now_ms)
    return bundle.whole_channel()


def _render(found: list[dict[str, Any]]) -> None:
    from wideberth.cli import show

    for one in found:
        if "fork" in one:
            show.say(f"FORK: {one['fork']}", style="bold red")
        elif "stamp" in one and "why" in one:
            show.say(f"{one['stamp']}: NOT proven who stamped it: {one['why']}", style="yellow")
        elif "stamp" in one:
            show.say(f"{one['stamp']}: stamped {show.utc(one['t_ms'])} by the clock of {one['by']}.")
        elif one["verdict"] == "refused":
            show.say(f"{one['bundle']}: REFUSED. {one['file']}: {one['why']}", style="bold red")
        else:
            trusted = one["verdict"] == "trusted"
            show.say(
                f"{one['bundle']}: everything verifies, {one['entries']} entries, exported by {one['exported_by']}.",
                f"{'Trusted' if trusted else 'INTEGRITY ONLY'}: {one['meaning']}.",
                *(f"Found: {mark}" for mark in one["marks"]),
                *(f"Left out, says its exporter: {x['from']} {x['seq']}, {x['type']} {x['ref']}" for x in one["later"]),
                style="" if trusted else "yellow",
            )
