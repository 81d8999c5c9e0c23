# SPDX-License-Identifier: Apache-2.0
"""`init`, `invite`, `accept`, `up`: from nothing to a running node with a line to another party."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wideberth.cli.session import here

if TYPE_CHECKING:
    from wideberth.home import Home
    from wideberth.join import OwnKeys

_OWN_KEYS = "Make keys for this mechanism alone: what happens to them touches no other."
_OWN_ROOT = "And a root key of its own, so that its keys say nothing of your other mechanisms."


def init(
    party: Annotated[str, typer.Argument(help="The name that agreements will give you, such as BLUE.")],
    listen: Annotated[str, typer.Option(help="Address and port for peers.")] = "127.0.0.1:7443",
    url: Annotated[str, typer.Option(help="Where peers find it, https://host:port; default: the listen address.")] = "",
    post: Annotated[list[str] | None, typer.Option(help="A post that may speak; repeat for more.")] = None,
    contact: Annotated[str, typer.Option(help="How to reach your watch by voice.")] = "",
    plain: Annotated[
        bool, typer.Option("--no-passphrase", help="Keep the private keys unencrypted on this disk.")
    ] = False,
) -> None:
    """Make a node's folder with fresh keys, under a passphrase that it asks for. Nothing is sent anywhere."""
    import os

    from wideberth import home, join, rekey
    from wideberth.cli import passphrase, show
    from wideberth.cli.show import tell
    from wideberth.clock import SystemClock
    from wideberth.config import Config
    from wideberth.core.seal.party import check_party_name, check_post_name

    check_party_name(party)
    posts = tuple(post or ("watch-1", "watch-2", "supervisor"))
    for name in posts:
        check_post_name(name)
    config = Config(party=party, listen=listen, public_url=url, posts=posts, contact=contact)
    home.check_free(here().folder)
    passphrases = passphrase.for_new_keys(plain=plain)
    made = home.create(
        here().folder, config, entropy=os.urandom, now_ms=SystemClock().now().t_ms, passphrases=passphrases
    )
    rekey.own_card(made)
    spoken = join.words(made)
    if passphrases is None:
        show.note(
            "The private keys lie unencrypted on this disk: whoever gets it, or a copy of it, speaks as you. "
            "`wideberth keys passphrase` encrypts them.",
            style="yellow",
        )
    elif passphrases.node == passphrases.root:
        show.note(
            "The root key has the same passphrase as the node's keys: whoever runs the node can sign as your party. "
            "`wideberth keys passphrase --root` gives it another.",
            style="yellow",
        )
    tell(
        {
            "party": party,
            "dir": str(here().folder),
            "posts": list(posts),
            "words": spoken,
            "encrypted": passphrases is not None,
        },
        f"Made the node of {party} in {here().folder} with posts {', '.join(posts)}.\n\n"
        f"Your fingerprint words, to be read over a telephone:\n\n    {spoken}\n\n"
        f"Next: `wideberth invite OTHER --mechanism NAME --dir {here().folder}`, or accept an invitation; then "
        f"`wideberth up --dir {here().folder}`.",
    )


def invite(
    others: Annotated[list[str] | None, typer.Argument(metavar="TO...", help="The other parties' names.")] = None,
    to: Annotated[list[str] | None, typer.Option("--to", help="Another party; the same as naming it.")] = None,
    mechanism: Annotated[str, typer.Option(help="A name for the arrangement, such as 'Amal coast'.")] = ...,  # type: ignore[assignment]
    line: Annotated[
        list[str] | None,
        typer.Option(
            "--line",
            help="A line: its purpose, and after a colon who is on it (GROUND:BLUE,GREEN); without, everybody. "
            "Purposes: FLIGHT_SAFETY, GROUND, SEA, HUMANITARIAN, WORKING_GROUP. Default: one for FLIGHT_SAFETY.",
        ),
    ] = None,
    working_group: Annotated[
        bool, typer.Option("--working-group", help="Also a line WORKING_GROUP with everybody.")
    ] = False,
    by_voice: Annotated[list[str] | None, typer.Option("--by-voice", help="A member that has no node yet.")] = None,
    speaks_for: Annotated[
        list[str] | None,
        typer.Option("--speaks-for", help="Whose presence a member gives notice of besides its own: GREEN=ALFA,BRAVO."),
    ] = None,
    area: Annotated[str, typer.Option(help="The whole area: 'south,west,north,east' in degrees.")] = "",
    mode: Annotated[str, typer.Option(help="REAL, EXERCISE, TEST or SIMULATED.")] = "REAL",
    minima: Annotated[str, typer.Option(help="Separation minima: RULE_OF_THREES, FAA_SUA, UTM_OVERLAP.")] = (
        "RULE_OF_THREES"
    ),
    lead: Annotated[str, typer.Option(help="Least lead time, such as 10m.")] = "10m",
    least_radius: Annotated[str, typer.Option(help="Least declared area, as a circle's radius.")] = "10km",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another number, as `agreement propose --set` takes it.")
    ] = None,
    rules_file: Annotated[Path | None, typer.Option("--rules", help="All rules as JSON, instead of the above.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the file; default: invite-NAME.json.")] = None,
    no_node: Annotated[bool, typer.Option("--no-node", help="Nobody but us has a node yet: lines by voice.")] = False,
    own_keys: Annotated[bool, typer.Option("--own-keys", help=_OWN_KEYS)] = False,
    own_root: Annotated[bool, typer.Option("--own-root", help=_OWN_ROOT)] = False,
) -> None:
    """Offer a line to another party, or a mechanism to several: writes a file to be carried to them by any way."""
    import os

    from wideberth import founding, home, join
    from wideberth.cli import terms
    from wideberth.cli.show import tell
    from wideberth.clock import SystemClock
    from wideberth.core.say.rules import Mode
    from wideberth.core.seal.founding import Seat
    from wideberth.core.seal.party import check_party_name
    from wideberth.errors import BadInput

    made = home.load(here().folder)
    us, voices = made.config.party, tuple(by_voice or ())
    named = tuple(dict.fromkeys([*(others or ()), *(to or ())]))
    for name in (*named, *voices):
        check_party_name(name)
    if not named and not voices:
        raise BadInput("say whom to invite: `wideberth invite GREEN --mechanism NAME`", field="to")
    if us in (*named, *voices):
        raise BadInput("a party does not invite itself", field="to")
    if mode not in Mode.__members__:
        raise BadInput(f"the mode is one of {', '.join(Mode)}, not {mode!r}", field="mode")
    if no_node:
        named, voices = (), (*named, *voices)
    everybody = tuple(sorted({us, *named, *voices}))
    lines = terms.lines_of(line or [], everybody, working_group=working_group)
    rules = terms.rules_of(area, minima, lead, least_radius, set_ or [], rules_file)
    umbrella = terms.umbrella_of(speaks_for or [], everybody)
    now_ms = SystemClock().now().t_ms
    own = _ready_to_sign(made, "", mechanism, own_keys=own_keys, own_root=own_root)
    if len(everybody) == 2 and not voices and not umbrella and len(lines) == 1:
        data: bytes | None = join.invite(
            made, to=named[0], mechanism=mechanism, purpose=lines[0].purpose, mode=Mode(mode), rules=rules,
            now_ms=now_ms, entropy=os.urandom, own=own,
        )  # fmt: skip
        name, then = named[0], "They will send a reply file back: `wideberth accept REPLY"
    else:
        seats = tuple(Seat(p, p in voices, umbrella.get(p, ())) for p in everybody)
        begun, data = founding.found(
            made, seats=seats, mechanism=mechanism, lines=lines, mode=Mode(mode), rules=rules, now_ms=now_ms,
            entropy=os.urandom, own=own,
        )  # fmt: skip
        name, then = _slug(begun.mechanism), "Each sends a joining file back: `wideberth accept FILE"
    if data is None:
        _tell_node()
        names = " and ".join(voices)
        tell(
            {"mechanism": mechanism, "peers": list(voices), "by_voice": True, "lines": terms.plain_lines(lines)},
            f"The line to {names} is open by voice: give notices as usual, read them out with `notice script`, and "
            "log what they answer with `voice`.",
        )
        return
    path = out or Path(f"invite-{name}.json")
    path.write_bytes(data)
    spoken = founding.words_in(data)
    whom = " and ".join(named)
    by_voice_too = f" {', '.join(voices)} is told by telephone, having no node." if voices else ""
    tell(
        {"invite": str(path), "to": named[0] if len(named) == 1 else list(named), "mechanism": mechanism, "mode": mode,
         "words": spoken, "lines": terms.plain_lines(lines)},
        f"Wrote {path}. Carry it to {whom} by any way: it holds no secret. Then call them, and read them your "
        f"words:\n\n    {spoken}\n\n{then} --dir {here().folder}`.{by_voice_too}",
    )  # fmt: skip


def accept(
    file: Annotated[Path, typer.Argument(help="An invitation, or what came back for one of yours.")],
    words: Annotated[
        list[str] | None,
        typer.Option(help='The twelve words that THEY read to you; of several: GREEN="…". Asked for if needed.'),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write what goes back; default: by what it is.")] = None,
    own_keys: Annotated[bool, typer.Option("--own-keys", help=_OWN_KEYS)] = False,
    own_root: Annotated[bool, typer.Option("--own-root", help=_OWN_ROOT)] = False,
) -> None:
    """Accept an invitation, a reply, a charter or a signature, after comparing words over a telephone."""
    from wideberth import founding, home, join
    from wideberth.core.seal.founding import SignatureFile
    from wideberth.core.seal.invite import Invite, ReplyFile
    from wideberth.errors import NotFound

    made = home.load(here().folder)
    if not file.is_file():
        raise NotFound(f"there is no file {file}", field="file")
    parsed = founding.parse(file.read_bytes())
    two = isinstance(parsed, Invite | ReplyFile)
    seen = join.look(parsed) if isinstance(parsed, Invite | ReplyFile) else founding.look(made, parsed)
    own = None
    if not isinstance(parsed, SignatureFile):
        own = _ready_to_sign(made, seen["nonce"], seen["mechanism"], own_keys=own_keys, own_root=own_root)
    if two:
        _accept_of_two(made, parsed, file.read_bytes(), words or [], out, own)
    else:
        _accept_of_more(made, parsed, words or [], out, own)


def _accept_of_two(
    made: Home, parsed: Any, data: bytes, words: list[str], out: Path | None, own: OwnKeys | None
) -> None:
    from wideberth import join
    from wideberth.cli.show import tell
    from wideberth.clock import SystemClock

    seen = join.look(parsed)
    heard = next((text for _, text in map(_named_words, words)), "")
    if not heard:
        typer.echo(_summary(seen), err=True)
        heard = typer.prompt(f"Call {seen['party']} and type the twelve words that they read to you", err=True)
    joined = join.accept(made, data, heard, own=own, now_ms=SystemClock().now().t_ms)
    reply = None
    if joined.write is not None:
        reply = out or Path(f"reply-{made.config.party}.json")
        reply.write_bytes(joined.write)
    up = _up(_tell_node())
    if reply is not None:
        text = (
            f"Signed. Wrote {reply}: carry it to {joined.peer}, and read them your words:\n\n    {joined.words}"
            f"\n\nThe line {joined.mechanism!r} ({joined.mode}) opens when their signature arrives over the "
            f"link.{up}"
        )
    else:
        text = f"Countersigned. The line {joined.mechanism!r} ({joined.mode}) to {joined.peer} is open.{up}"
    tell(
        {
            "ch": joined.ch, "mechanism": joined.mechanism, "mode": joined.mode, "peer": joined.peer,
            "complete": joined.complete, "reply": str(reply) if reply else None, "words": joined.words,
        },
        text,
    )  # fmt: skip


def _accept_of_more(made: Home, parsed: Any, words: list[str], out: Path | None, own: OwnKeys | None) -> None:
    """One comparison after the other, each kept at once; then whatever the file asks for."""
    from wideberth import founding, join
    from wideberth.cli.show import tell
    from wideberth.clock import SystemClock
    from wideberth.errors import BadInput

    seen = founding.look(made, parsed)
    heard = dict(map(_named_words, words))
    if "" in heard:
        if len(seen["compare"]) > 1:
            raise BadInput(
                f"say whose words these are: {' '.join(f'--words {p}=…' for p in seen['compare'])}", field="words"
            )
        heard[seen["compare"][0] if seen["compare"] else seen["party"]] = heard.pop("")
    asked = [party for party in seen["compare"] if party not in heard]
    if asked:
        typer.echo(_summary(seen), err=True)
    for party in asked if sys.stdin.isatty() or not words else ():
        heard[party] = typer.prompt(f"Call {party} and type the twelve words that they read to you", err=True)
    came = founding.accept(made, parsed, heard, own=own, now_ms=SystemClock().now().t_ms)
    path = None
    if came.write:
        path = out or Path(came.name)
        path.write_bytes(came.write)
    running = _tell_node() if came.ch else False
    missing, ours = ", ".join(came.missing), join.words(made, join.keys_for(made, seen["nonce"]))
    text = {
        "JOINING": f"Wrote {path}: carry it to {came.party}, and read them your words:\n\n    {ours}\n\nNothing is "
        f"signed yet. When every card is there {came.party} sends the charter, which everybody signs.",
        "PROGRESS": f"Taken: {came.party}. Still missing: {missing}.",
        "CHARTER": f"Every card is there. Wrote {path}, signed by us: carry it to {missing}. Each compares the "
        "words of every other member, signs, and sends a signature file back.",
        "SIGNATURE": f"Signed. Wrote {path}: carry it to {came.party}. The lines of {came.mechanism!r} ({came.mode}) "
        f"open when the last signature is there. Still missing here: {missing}.{_up(running)}",
        "COMPLETE": f"Every member has signed. The lines of {came.mechanism!r} ({came.mode}) are open.{_up(running)}",
    }[came.what]
    tell(
        {"what": came.what, "mechanism": came.mechanism, "mode": came.mode, "party": came.party,
         "missing": list(came.missing), "file": str(path) if path else None, "ch": came.ch, "words": ours,
         "complete": came.what == "COMPLETE"},
        text,
    )  # fmt: skip


def _named_words(text: str) -> tuple[str, str]:
    """`GREEN=abandon …` is GREEN's; without a name the file's own party is meant."""
    name, equals, rest = text.partition("=")
    return (name.strip().upper(), rest) if equals else ("", text)


def _up(running: bool) -> str:
    return "" if running else f" Start the node: `wideberth up --dir {here().folder}`."


def _ready_to_sign(made: Home, nonce: str, mechanism: str, *, own_keys: bool, own_root: bool) -> OwnKeys | None:
    """What is needed before anything is signed: the root key, and our keys where new ones are made or certified.

    `nonce`: of the mechanism, whose keys may be its own already.
    """
    from wideberth import join, rekey
    from wideberth.cli import passphrase

    keys = join.keys_for(made, nonce)
    if keys.name and rekey.own_root(made, keys):
        passphrase.unlock_set_root(keys, mechanism)
        return None
    if not own_root:
        passphrase.unlock_root(made)
    if own_keys or own_root or rekey.needs_new_card(made, keys):
        passphrase.unlock(made)
    if not own_keys and not own_root:
        return None
    locked = passphrase.for_new_root(mechanism) if own_root and made.encrypted else None
    return join.OwnKeys(own_root, locked)


def up(
    clock: Annotated[str, typer.Option(help="A UTC time to start a drill's clock at; it is then set by hand.")] = "",
) -> None:
    """Run the node until it is stopped (Ctrl-C, SIGTERM, or `stop` on its socket)."""
    from wideberth.cli.serve import run_node

    run_node(here().folder, clock, here().json)


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def _summary(seen: dict[str, Any]) -> str:
    import msgspec

    from wideberth.core.say.rule_words import table
    from wideberth.core.say.rules import Rules

    lines = "; ".join(f"{line['purpose']} with {', '.join(line['members'])}" for line in seen["lines"])
    return (
        f"{seen['file'].capitalize()} from {seen['party']} ({seen['contact'] or 'no contact given'}), {seen['url']}\n"
        f"  mechanism {seen['mechanism']!r}, {lines}, mode {seen['mode']}\n"
        + "".join(f"  {name}: {value}\n" for name, value, _ in table(msgspec.convert(seen["rules"], Rules)))
        + "".join(
            f"  {seat['party']} speaks for {', '.join(seat['speaks_for'])}\n"
            for seat in seen.get("seats", ())
            if seat["speaks_for"]
        )
        + "Call them on a number that you know, not one from this file."
    )


def _tell_node() -> bool:
    """A running node takes the new line in at once. Returns whether one is running."""
    from wideberth.errors import Unreachable

    try:
        here().client().post("/v1/lines", {})
    except Unreachable:
        return False
    return True
