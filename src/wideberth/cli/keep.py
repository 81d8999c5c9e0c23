# SPDX-License-Identifier: Apache-2.0
"""Keeping the record: backups, what is done when one has to be put back, and a check of every line now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wideberth.cli.session import here
from wideberth.cli.verbs import verb
from wideberth.errors import BadInput, Unreachable

# A record of some gigabytes onto a slow stick.
_COPY_S = 3_600.0
_CHECK_S = 5.0


def add_to(app: typer.Typer) -> None:
    """Add them to the top of the command line."""
    verb(app, "backup")(backup)
    verb(app, "restore")(restore)
    verb(app, "resume")(resume)
    verb(app, "check")(check)


def backup(file: Annotated[Path, typer.Argument(help="A new file; never written over.")]) -> None:
    """Copy the record to a new file, while the node runs or not. Keys are not in it: keep them elsewhere."""
    import time

    from wideberth import home
    from wideberth.cli import show
    from wideberth.store.sqlite import SqliteStore
    from wideberth.web.readiness import note_backup

    path = file.absolute()
    try:
        done = here().client(answer_s=_COPY_S).post("/v1/backup", {"file": str(path)})
    except Unreachable:
        found = home.load(here().folder)
        if not found.record_path.exists():
            raise BadInput("this node has no record yet; there is nothing to copy", field="file") from None
        store = SqliteStore(found.record_path)  # refuses while a node that does not answer still writes
        try:
            store.backup(path)
        finally:
            store.close()
        note_backup(found.path, time.time_ns() // 1_000_000)
        done = {"file": str(path), "bytes": path.stat().st_size}
    show.tell(
        done,
        f"Copied to {done['file']} ({done['bytes']:,} bytes), readable by its owner only.\n"
        "It holds the record, not the keys: keep config.toml and keys/ in a safe place of their own.",
    )


def restore(
    file: Annotated[Path, typer.Argument(help="A backup of this node's record.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the record.")] = "",
) -> None:
    """Put a backup in place of the record of a stopped node, in a supervisor's name (--as)."""
    import time

    from wideberth import restore as restoring
    from wideberth.cli import show
    from wideberth.cli.passphrase import opened

    done = restoring.put_back(
        opened(), file, by=here().post, reason=reason, now_ms=time.time_ns() // 1_000_000
    )  # fmt: skip
    lines = [
        {"ch": line.ch, "mechanism": line.agreement.mechanism, "waits_for": list(line.peers)}
        for line in done.found.lines
    ]
    data = {
        "restored": str(file), "by": done.by, "entries": done.found.entries, "newest_ms": done.found.newest_ms,
        "aside": str(done.aside) if done.aside else "", "lines": lines,
    }  # fmt: skip
    show.result(data, _said_restored)


def _said_restored(data: dict[str, Any]) -> None:
    from wideberth.cli import show

    show.say(f"{data['restored']} is in place: {data['entries']} entries, the newest of {show.utc(data['newest_ms'])}.")
    if data["aside"]:
        show.say(f"The record that was there is kept: {data['aside']}. Do not delete it.")
    show.say("", "What happens next:", "1. Start the node: `wideberth up`. It signs nothing at first.")
    for line in data["lines"]:
        who = ", ".join(line["waits_for"]) or "nobody"
        show.say(f"2. {line['mechanism']}: it asks {who} what they hold of ours, and gets that back.")
    show.say(
        f"3. When all have answered it opens a new epoch in the name of {data['by']} and goes on. Until then routine "
        "notices are refused; ALERT and urgent notices go out at once.",
        "4. If a peer does not answer: call it. To go on without it: `wideberth resume --as supervisor`. What it turns "
        "out to hold later is shown as an orphan; it stays binding.",
        "5. Tell the other sides by telephone that you restored, and from when the copy was.",
    )


def resume() -> None:
    """After a restore: go on without the peers that do not answer, in a supervisor's name (--as)."""
    from wideberth.cli import show

    if not here().post:
        raise BadInput("say which supervisor goes on without them: --as supervisor", field="by")
    done = here().client().post("/v1/resume", {"line": here().line, "by": here().by()})
    without = ", ".join(done["without"]) or "nobody"
    show.tell(
        done,
        f"{done['mechanism']}: a new epoch is open, without an answer of {without}. They are asked on; what they turn "
        "out to hold is shown as an orphan.",
    )


def check() -> None:
    """Check every line now: clocks, heads, checkpoints. Exit code 1 when a peer did not answer or heads do not fit."""
    from wideberth.cli import show
    from wideberth.cli.exits import FOUND

    found = here().client(answer_s=_CHECK_S + 20).post("/v1/check", {"wait_s": _CHECK_S})
    show.rows(found, _checked)
    if any(each["checked"] is None or each["checked"]["misfit"] for each in found):
        raise typer.Exit(FOUND)


def _checked(found: list[dict[str, Any]]) -> None:
    from wideberth.cli import show

    if not found:
        show.say("No line has a peer with a node; there is nothing to check.")
        return
    show.table(
        ("line", "peer", "their clock", "heads", "cosigned"),
        [(e["mechanism"], e["peer"], _clock(e["checked"]), _heads(e["checked"]), _cosigned(e)) for e in found],
    )


def _clock(checked: dict[str, Any] | None) -> str:
    if checked is None:
        return "no answer: call them"
    offset = checked["offset"]
    if offset is None:
        return "not known"
    return f"{offset['offset_ms'] / 1000:+.3f} s, give or take {offset['bound_ms'] / 1000:.3f} s"


def _heads(checked: dict[str, Any] | None) -> str:
    if checked is None:
        return ""
    if checked["misfit"]:
        return "DO NOT FIT: they are compared in full now; see `watch`"
    return "equal" if checked["same"] else "something is on its way"


def _cosigned(each: dict[str, Any]) -> str:
    return f"entries 1 to {each['cosigned']} of {each['entries']}" if each["cosigned"] else "nothing yet"
