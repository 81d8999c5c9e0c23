# SPDX-License-Identifier: Apache-2.0
"""Is this node in order? Each check says what it found and what to do. Nothing is changed, nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb
from wideberth.errors import BadInput, Fault, NotFound, Unreachable

if TYPE_CHECKING:
    from wideberth.home import Home
    from wideberth.keyset import KeySet

OK: Final = "ok"
NOTE: Final = "note"
WRONG: Final = "wrong"

_MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """`state`: ok, note (worth knowing) or wrong (do something)."""

    check: str
    state: str
    says: str
    do: str = ""


def add_to(app: typer.Typer) -> None:
    """Add it to the top of the command line."""
    verb(app, "doctor")(doctor)


def doctor(
    audit: Annotated[bool, typer.Option("--audit", help="Audit the whole record: every signature and chain.")] = False,
    since_checkpoint: Annotated[
        bool, typer.Option("--since-checkpoint", help="With --audit: from the last cosigned checkpoint on.")
    ] = False,
) -> None:
    """What is wrong with this installation, and what to do. Exit code 1 when something is."""
    from wideberth.cli import show
    from wideberth.cli.exits import FOUND

    if since_checkpoint and not audit:
        raise BadInput("--since-checkpoint goes with --audit", field="since-checkpoint")
    found = list(_audit(since_checkpoint) if audit else findings())
    if here().json:
        for each in found:
            print(show.as_json(asdict(each)))
    else:
        show.table(("", "check", "found"), [(_SIGNS[f.state], f.check, f.says) for f in found])
        for each in found:
            if each.do:
                show.say("", f"{each.check}: {each.do}", style="bold red" if each.state == WRONG else "")
    if any(f.state == WRONG for f in found):
        raise typer.Exit(FOUND)


_SIGNS: Final = {OK: "ok", NOTE: "note", WRONG: "WRONG"}


def findings() -> Iterator[Finding]:
    """Every check in order; one that cannot be made says why."""
    from wideberth import home

    yield from _guarded("SQLite", _sqlite)
    yield from _guarded("clock", _clock)
    try:
        found = home.load(here().folder)
    except Fault as fault:
        yield Finding("folder", WRONG, fault.sentence, "nothing else can be looked at before this is put right")
        return
    yield Finding(
        "folder", OK, f"{found.path} is {found.config.party}'s, and closed to others; its settings can be read"
    )
    yield from _guarded("keys", lambda: _keys(found))
    yield from _guarded("disk", lambda: _disk(found))
    yield from _guarded("record", lambda: _record(found))
    yield from _guarded("watch room", lambda: _watch_room(found))
    yield from _guarded("node", _node)


def _watch_room(found: Home) -> Iterator[Finding]:
    """The files of the desk, each as the node would read it."""
    from wideberth.clock import SystemClock
    from wideberth.core.desk.people import DAY_MS
    from wideberth.formats.desk import read_desk
    from wideberth.formats.roster import read_roster
    from wideberth.formats.units import read_units

    now_ms = SystemClock().now().t_ms
    readers: dict[str, Callable[[str], Any]] = {
        "roster.toml": lambda text: read_roster(text, now_ms, now_ms + 30 * DAY_MS),
        "desk.toml": read_desk,
        "units.toml": read_units,
    }
    there = [name for name in readers if (found.path / name).is_file()]
    for name in there:
        try:
            readers[name]((found.path / name).read_text("utf-8"))
        except BadInput as fault:
            yield Finding(
                name, WRONG, fault.sentence, f"put {name} right: the running node goes on with the one before"
            )
    if "roster.toml" not in there:
        yield Finding("watch room", NOTE, "there is no roster: every post is somebody on watch", "see docs/watch.md")
    else:
        yield Finding("watch room", OK, f"{', '.join(there)} can be read; `roster` shows gaps")


def _audit(since_checkpoint: bool) -> Iterator[Finding]:
    """Every finding of the audit, by the entry that it is about; then how much was looked at."""
    from wideberth import home, restore
    from wideberth.cli.audit_view import audited

    found = home.load(here().folder)
    path, root = found.record_path, restore.own_root(found)
    report = audited(path, party=found.config.party, root=root, since_checkpoint=since_checkpoint)
    for each in report.wrong:
        yield Finding(each.where, WRONG, each.says)
    for each in report.notes:
        yield Finding(each.where, NOTE, each.says)
    for line in report.cosigned:
        by = ", ".join(line.by)
        yield Finding(f"{line.author}, epoch {line.epoch[:8]}", OK, f"entries 1 to {line.size} cosigned by {by}")
    says = f"{report.entries} entries and {report.sidecars} receipts, checkpoints and the like"
    if report.trusted:
        says += f"; {report.trusted} entries by the root of a cosigned checkpoint only"
    more = f" {report.more} more findings are not listed." if report.more else ""
    if not report.wrong:
        yield Finding("audit", OK, f"{says}: all as signed.{more}")
        return
    yield Finding(
        "audit", WRONG, f"{says}: {len(report.wrong) + report.more} findings.{more}",
        "do not delete anything: copy the whole folder away as evidence; then see docs/restore.md",
    )  # fmt: skip


def _guarded(check: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except Fault as fault:
        yield Finding(check, WRONG, fault.sentence, "put this right, then run `wideberth doctor` again")


def _sqlite() -> Iterator[Finding]:
    import apsw

    from wideberth.store.ground import require_sound_sqlite

    require_sound_sqlite()
    yield Finding("SQLite", OK, f"{apsw.sqlite_lib_version()}, without the WAL-reset bug")


def _clock() -> Iterator[Finding]:
    synchronised = kernel_clock()
    if synchronised is None:
        yield Finding(
            "clock", NOTE, "this system does not say whether its clock is synchronised",
            "see that a time service (chrony, ntpd) runs; lead times are only as good as this clock",
        )  # fmt: skip
    elif synchronised:
        yield Finding("clock", OK, "synchronised, as the kernel says")
    else:
        yield Finding(
            "clock", NOTE, "the kernel does not know this clock as synchronised",
            "see that a time service (chrony, ntpd) runs; the other side sees by how much the two clocks differ",
        )  # fmt: skip


def kernel_clock() -> bool | None:
    """Whether the kernel holds its clock for synchronised; None where it does not say. adjtimex(2): TIME_ERROR is 5."""
    import ctypes

    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    # struct timex is 208 bytes on 64-bit Linux; all zero means: change nothing, read only.
    state = adjtimex(ctypes.create_string_buffer(256))
    return None if state < 0 else state != 5


def _keys(found: Home) -> Iterator[Finding]:
    from wideberth.cli.passphrase import try_to_unlock
    from wideberth.keyset import NODE, SEAL, TLS, post_use

    looked = try_to_unlock(found)
    mixed = []
    for keys in found.sets():
        shared = () if keys.name else (TLS,)
        for use in (NODE, SEAL, *shared, *(post_use(p) for p in _posts(found, keys))):
            file = keys.current(use)
            if file is None:
                name = "the node's key" if use == NODE else f"keys/{keys.name_for(use, 1)}"
                raise NotFound(f"{name} is missing; restore it from a backup, or make a fresh one: `keys rotate`")
            by = keys.facts(file).by
            if looked and by != "passphrase":
                keys.secret(file)
            if found.encrypted and by == "plain":
                mixed.append(file.path.name)
    if mixed:
        yield Finding(
            "keys", WRONG, f"{', '.join(mixed)}: not encrypted, and the others are",
            "`wideberth keys passphrase` encrypts the rest; if nobody began that, somebody put these files there",
        )  # fmt: skip
    else:
        how = "" if looked else "; not opened: give --passphrase-file to have them tried"
        posts = len(found.config.posts)
        yield Finding("keys", OK, f"node, sealing, TLS and {posts} post(s): all there, closed to others{how}")
    if found.encrypted:
        yield Finding("passphrase", OK, "the private keys are encrypted")
    else:
        yield Finding(
            "passphrase", NOTE, "the private keys are not encrypted",
            "whoever gets this disk, or a copy of it, speaks as you: `wideberth keys passphrase`",
        )  # fmt: skip
    if found.keys.root_file() is None:
        yield Finding("root key", OK, "not in this folder: it was taken to a safe place")
    else:
        yield Finding(
            "root key", NOTE, "it lies in this folder",
            "once your agreements are signed, take it to a safe place: `wideberth keys root export FILE`, then `keys "
            "root forget`; whoever has it and its passphrase speaks as your party",
        )  # fmt: skip


def _posts(found: Home, keys: KeySet) -> tuple[str, ...]:
    card = keys.card()
    return found.config.posts if not keys.name or card is None else tuple(card.posts)


def _disk(found: Home) -> Iterator[Finding]:
    from wideberth.store.ground import free_bytes
    from wideberth.store.reserve import Reserve

    free = free_bytes(found.path)
    reserve = Reserve.beside(found.record_path)
    says = f"{free // _MIB} MiB free" if free >= 0 else "the room on the disk is not known"
    if reserve.low():
        yield Finding(
            "disk", WRONG, f"{says}: too little, only urgent entries are taken", "make room on this disk now"
        )  # fmt: skip
    else:
        yield Finding("disk", OK, says)
    if reserve.held:
        yield Finding("reserve", OK, f"{reserve.size_bytes // _MIB} MiB are held for urgent entries")
    elif found.record_path.exists():
        yield Finding(
            "reserve", WRONG, "no room is held for urgent entries",
            "make room and start the node: it takes its reserve back by itself",
        )  # fmt: skip
    else:
        yield Finding("reserve", OK, "taken when the node starts for the first time")


def _record(found: Home) -> Iterator[Finding]:
    """The whole file is read, beside a running node too: readers do not disturb the writer in WAL mode."""
    path = found.record_path
    if not path.exists():
        yield Finding("record", OK, "none yet: the node has never run")
        return
    from wideberth.store.reader import Reader

    with Reader(path, check=True) as reader:
        entries, _ = reader.counts()
    yield Finding("record", OK, f"sound: {entries} entries, every index compared")


def _node() -> Iterator[Finding]:
    try:
        status = here().client().get("/v1/status")
    except Unreachable as fault:
        yield Finding("node", WRONG, "the node does not answer", fault.sentence)
        return
    yield Finding("node", OK, f"up, port {status['port']} for peers, {status['clock']} clock")
    if not status["lines"]:
        yield Finding("lines", NOTE, "no line is open", "`wideberth invite OTHER`, or `wideberth accept FILE`")
    for waiting in status["waiting"]:
        yield Finding(
            f"line {waiting['mechanism']}",
            NOTE,
            "waits for every signature",
            "ask the others to `accept` and send it back",
        )
    for line in status["lines"]:
        if line["restored"]:
            waits = ", ".join(line["restored"]["waits_for"])
            yield Finding(
                f"line {line['mechanism']}", WRONG, f"was restored, and waits for {waits}: only urgent words go out",
                f"call {waits}; if they stay away: `wideberth resume --line {line['mechanism']} --as supervisor`",
            )  # fmt: skip
        for peer in line["peers"]:
            yield _peer(line, peer)


def _peer(line: dict[str, Any], peer: dict[str, Any]) -> Finding:
    name = f"line {line['mechanism']}, {peer['party']}"
    call = f"call {peer['party']}: {peer['contact'] or 'its number is in your agreement'}"
    if peer["link"] == "by voice only":
        return Finding(name, NOTE, "has no node: reached by voice", "read notices out with `wideberth notice script`")
    left = f"{peer['outstanding']} of our entries are without its receipt"
    if peer["link"] == "not tried yet" and not peer["outstanding"]:
        return Finding(name, NOTE, "nothing has had to be sent since the node started", f"to try the line, {call}")
    if peer["link"] != "reachable":
        return Finding(
            name, WRONG, f"link: {peer['link']}; {left}", f"{call}; see that it is up and its address is right"
        )
    if peer["outstanding"]:
        return Finding(name, NOTE, f"reachable, but {left}", f"if that stays so, {call}")
    return Finding(name, OK, "reachable, and everything is receipted")
