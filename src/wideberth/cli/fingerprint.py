# SPDX-License-Identifier: Apache-2.0
"""`fingerprint`: our root key for people to compare, and what was scanned compared with the keys that we know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb

if TYPE_CHECKING:
    from wideberth.home import Home


def add_to(app: typer.Typer) -> None:
    """Add it to the top of the command line."""
    verb(app, "fingerprint")(fingerprint)


def fingerprint(
    qr: Annotated[bool, typer.Option("--qr", help="Also as a QR code, in the terminal.")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="Also as a QR code, in this new file.")] = None,
    check: Annotated[str, typer.Option("--check", help="Instead: whose key is this, what was scanned or heard?")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="With --check: an invitation or reply to look in.")
    ] = None,
    mechanism: Annotated[str, typer.Option("--for", help="Of a mechanism that has a root key of its own.")] = "",
) -> None:
    """Our root key as twelve words and as one line; or a comparison. Exit code 1 when no known key is meant."""
    from wideberth import home
    from wideberth.errors import BadInput

    made = home.load(here().folder)
    if check:
        _compare(made, check, file)
        return
    if file is not None:
        raise BadInput("--file goes with --check", field="file")
    _own(made, mechanism, qr, svg)


def _own(made: Home, mechanism: str, as_qr: bool, svg: Path | None) -> None:
    from wideberth import fingerprint as prints
    from wideberth import qr, rekey
    from wideberth.cli import show
    from wideberth.cli.keys import set_for

    keys = set_for(made, mechanism)
    root = rekey.root_public(made, keys)
    code, words = prints.code_of(made.config.party, root), prints.fingerprint_words(root)
    if svg is not None:
        qr.write_svg(code, svg)
    data = {"party": made.config.party, "words": words, "code": code, "digest": prints.digest(root),
            "svg": str(svg) if svg else None}  # fmt: skip
    show.tell(
        data,
        f"{made.config.party}'s root key, in words for a telephone:\n\n    {words}\n\nand for a camera:\n\n    {code}",
    )
    if svg is not None and not here().json:
        show.say("", f"Wrote {svg}: print it; it holds no secret.")
    if as_qr and not here().json:
        show.picture(qr.blocks(code))


def _compare(made: Home, check: str, file: Path | None) -> None:
    from wideberth import fingerprint as prints
    from wideberth.cli import show
    from wideberth.cli.exits import FOUND

    claimed = prints.read_code(check).party if prints.is_code(check) else ""
    known = list(_known(made, file))
    found = [k for k in known if prints.same_words(check, k["root"])]
    others = [k for k in known if claimed and k["party"] == claimed and k not in found]
    wrong_name = [k for k in found if claimed and k["party"] != claimed]
    same = bool(found) and not wrong_name
    data = {"same": same, "claims": claimed, "found": found, "others": others}
    if same:
        where = "; ".join(dict.fromkeys(f"{k['party']}'s key {k['where']}" for k in found))
        show.tell(data, f"THE SAME: {where}.")
        return
    if wrong_name:
        says = f"this key is {wrong_name[0]['party']}'s {wrong_name[0]['where']}, and the code says {claimed}"
    elif others:
        says = f"{claimed}'s key {others[0]['where']} is ANOTHER one. Sign nothing; call them on a number that you know"
    else:
        says = "no key that is known here is meant" + (f", and none of {claimed} is known" if claimed else "")
    show.tell(data, f"DIFFERENT: {says}.")
    raise typer.Exit(FOUND)


def _known(made: Home, file: Path | None) -> Iterator[dict[str, Any]]:
    """Root keys: those in a file, our own, and those of the members on our lines. `where`: from where it is known."""
    from wideberth import founding, join, rekey
    from wideberth.core.seal.keys import Ed25519Verifier
    from wideberth.core.seal.party import read_card
    from wideberth.errors import NotFound

    if file is not None:
        if not file.is_file():
            raise NotFound(f"there is no file {file}", field="file")
        for card in founding.cards_in(file.read_bytes()):
            yield {"party": card.party, "root": card.root, "where": f"in {file}"}
    for keys in made.sets():
        where = f"for {made.set_facts(keys).mechanism}" if keys.name else "in this folder"
        yield {"party": made.config.party, "root": rekey.root_public(made, keys), "where": where}
    compared = join.compared_on_file(made)
    for ch, _, cards in join.lines_on_file(made):
        for each in cards:
            card = read_card(each, Ed25519Verifier())
            if card.party != made.config.party:
                heard = "its words were compared" if card.root in compared else "its words were never compared"
                yield {"party": card.party, "root": card.root, "where": f"on line {ch[:8]} ({heard})"}
