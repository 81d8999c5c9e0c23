# SPDX-License-Identifier: Apache-2.0
"""How mechanisms, agreements, readiness and disclosures look on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wideberth.cli import show

_LOUD = {"IN_FORCE": "", "DRAFT": "yellow", "SUSPENDED": "bold yellow", "TERMINATED": "bold red"}


def mechanisms(seen: Mapping[str, Any]) -> None:
    """Every mechanism with its agreement's state apart from its lines; then what is being founded."""
    if seen["mechanisms"] is None:
        show.note("The node is not up, so only what is being founded is shown.", style="yellow")
    for each in seen["mechanisms"] or ():
        head(each)
        show.say(f"  members: {'; '.join(map(_member, each['members']))}")
        for line in each["lines"]:
            show.say(f"  line {line_words(line)}, {line['ch'][:12]}{_line_marks(line)}")
        for proposal in each["proposals"]:
            if proposal["open"]:
                show.say(
                    f"  version {proposal['version']} is proposed ({proposal['agreement'][:12]}); missing: "
                    f"{', '.join(proposal['missing'])}",
                    style="bold",
                )
        show.say("")
    foundings(seen["foundings"])
    if not seen["mechanisms"] and not seen["foundings"]:
        show.say("No mechanism yet: `wideberth invite OTHER` founds one, `wideberth accept FILE` joins one.")


def head(each: Mapping[str, Any]) -> None:
    """One mechanism and the state of its agreement."""
    mode = "" if each["mode"] == "REAL" else f"[{each['mode']}] "
    show.say(
        f"{mode}{each['mechanism']} ({each['id'][:12]}): agreement version {each['version']} {_state(each)}",
        style=_LOUD[each["state"]] or "bold",
    )
    if each["outside"]:
        show.say(f"  {each['outside']}; the lines stay as they are", style=_LOUD[each["state"]])
    if not each["operational"]:
        show.say(f"  not declared ready yet by {', '.join(each['not_declared'])}")


def foundings(found: Iterable[Mapping[str, Any]]) -> None:
    """What is being founded, and who is missing."""
    for each in found:
        mode = "" if each["mode"] == "REAL" else f"[{each['mode']}] "
        show.say(f"{mode}{each['mechanism']}, being founded by {each['founder']}: {each['says']}", style="bold")
        for line in each["lines"]:
            show.say(f"  line {line_words(line)}")
        known = {True: "yes", False: "no", None: "not known here"}
        show.table(
            ("member", "card here", "words compared", "signed"),
            [
                (m["party"], *("by voice" if m["by_voice"] else known[m[k]] for k in ("card", "compared", "signed")))
                for m in each["members"]
            ],
        )  # fmt: skip
        show.say("")


def status(each: Mapping[str, Any]) -> None:
    """All that has become of one agreement."""
    head(each)
    show.say("")
    for version in each["versions"]:
        now = ", in force" if version["in_force"] else ""
        show.say(f"version {version['version']}  {version['agreement']}  from {show.utc(version['from_ms'])}{now}")
        _says(version["changes"])
    for proposal in each["proposals"]:
        if not proposal["in_force"]:
            show.say("")
            changes(proposal)
    for suspension in each["suspensions"]:
        until = f" until {show.utc(suspension['until_ms'])}" if suspension["until_ms"] is not None else ""
        show.say("")
        show.say(
            f"{suspension['by']} suspended it from {show.utc(suspension['from_ms'])}{until}{_said(suspension)}",
            style="bold yellow" if suspension["standing"] else "",
        )
    for left in each["exits"]:
        show.say("")
        show.say(f"{left['by']} leaves from {show.utc(left['from_ms'])}{_said(left)}", style="bold red")
    if each["declared"]:
        show.say("")
    for declared_ in each["declared"]:
        red = f", although: {', '.join(declared_['red'])}" if declared_["red"] else ""
        under = "" if declared_["holds"] else " (under another version)"
        text = f" “{declared_['text']}”" if declared_["text"] else ""
        show.say(
            f"{declared_['by']} declared {declared_['party']} ready{under} at {show.utc(declared_['t_ms'])}{red}{text}"
        )


def agreement(seen: Mapping[str, Any]) -> None:
    """One version whole."""
    signed = seen["signed"]
    mode = "" if signed["mode"] == "REAL" else f"[{signed['mode']}] "
    show.say(f"{mode}{signed['mechanism']}, version {signed['version']}, {seen['agreement']}", style="bold")
    show.say(f"from {show.utc(signed['from_ms'])}; founded as {seen['id'][:12]}")
    for member in signed["members"]:
        show.say(f"member {_member({**member, 'by_voice': not member['root']})}")
    for line in seen["lines"]:
        show.say(f"line {line}")
    show.say("")
    show.table(("number", "value", "meaning"), [(n["name"], n["value"], n["means"]) for n in seen["numbers"]])
    for clause in signed["clauses"]:
        show.say(f"clause: {clause}")
    show.say("")
    show.say(signed["scope"], style="dim")


def changes(proposal: Mapping[str, Any]) -> None:
    """What a proposal changes, and who signed it."""
    counters = f", instead of {proposal['counters'][:12]}" if proposal["counters"] else ""
    text = f" “{proposal['text']}”" if proposal["text"] else ""
    over = "" if proposal["open"] or proposal["in_force"] else " (it can no longer come into force)"
    show.say(
        f"{proposal['by']} proposed version {proposal['version']}  {proposal['agreement']}{counters} at "
        f"{show.utc(proposal['t_ms'])}, from {show.utc(proposal['from_ms'])}{over}.{text}",
        style="bold",
    )
    _says(proposal["changes"])
    show.say(f"  signed: {_names(proposal['signed'])}; missing: {_names(proposal['missing'])}")
    if proposal["declined"]:
        show.say(f"  declined by a counter-proposal: {_names(proposal['declined'])}")


def proposed(answer: Mapping[str, Any]) -> None:
    changes(answer["proposal"])
    hash_ = answer["proposal"]["agreement"][:12]
    show.say(
        f"It binds nobody until every member has signed it, us too: `wideberth agreement sign {hash_}` on each side.",
        f"Who would rather have other numbers proposes them: `wideberth agreement propose --counters {hash_} --set …`.",
    )


def signed(answer: Mapping[str, Any]) -> None:
    facts = answer["facts"]
    if facts["missing"]:
        show.say(f"Signed version {facts['version']}. Still missing: {_names(facts['missing'])}.")
    else:
        show.say(f"Signed version {facts['version']}: every member has signed it, and it is in force.")


def said(answer: Mapping[str, Any]) -> None:
    """A suspension, its end, or an exit."""
    facts = answer["facts"]
    what = {
        "suspend": "suspends the agreement from {}. The lines stay open; what is said meanwhile is delivered, and "
        "marked.",
        "reinstate": "ends the suspension at {}.",
        "exit": "leaves the mechanism from {}. The record stays; distress passes always.",
    }[answer["kind"]]
    at_ms = facts["until_ms"] if answer["kind"] == "reinstate" else facts["from_ms"]
    show.say(f"{answer['by']} {what.format(show.utc(at_ms))}", f"Told to: {_names(answer['told_to'])}.")
    if facts.get("marks"):
        show.note(f"Marked: {', '.join(facts['marks'])}.", style="yellow")


def readiness(seen: Mapping[str, Any]) -> None:
    """The checklist; what is red, and who has declared itself ready."""
    for item in seen["items"]:
        show.say(f"{'ok ' if item['ok'] else 'RED'}  {item['item']}: {item['says']}", style="" if item["ok"] else "red")
    waits = seen["not_declared"]
    show.say(
        "Every member with a node has declared itself ready."
        if not waits
        else f"Not declared ready yet by {_names(waits)}: `wideberth agreement ready --declare`."
    )


def declared(answer: Mapping[str, Any]) -> None:
    red = answer["facts"]["red"]
    although = f", although: {', '.join(red)}" if red else ""
    show.say(f"{answer['by']} declared us ready under this agreement{although}.")
    readiness(answer)


def disclosures(found: list[dict[str, Any]]) -> None:
    """Who received what of ours, and when."""
    if not found:
        show.say("No notice of ours yet.")
        return
    show.table(
        ("notice", "line", "to", "their node stored it", "shown there", "called"),
        [
            (f"{each['ref']} version {each['version']}", f"{each['mechanism']}/{each['purpose']}", to["party"],
             "no node" if to["by_voice"] else _when(to["received_ms"]), _when(to["shown_ms"]), _when(to["called_ms"]))
            for each in found for to in each["to"]
        ],
    )  # fmt: skip
    show.say("Times are theirs, as they signed them; a call's is ours.", style="dim")


def line_words(line: Mapping[str, Any]) -> str:
    return f"{line['purpose']} with {', '.join(line['members'])}"


def _when(t_ms: int | None) -> str:
    return "-" if t_ms is None else show.utc(t_ms)


def _line_marks(line: Mapping[str, Any]) -> str:
    home = ", where the agreement is talked about" if line["home"] else ""
    return home if line["in_force"] else f"{home}, closed by the version in force"


def _state(each: Mapping[str, Any]) -> str:
    since = f" since {show.utc(each['since_ms'])}" if each["since_ms"] else ""
    return f"{each['state']}{since}"


def _member(member: Mapping[str, Any]) -> str:
    voice = " (by voice)" if member["by_voice"] else ""
    speaks = f", who speaks for {', '.join(member['speaks_for'])}" if member["speaks_for"] else ""
    return f"{member['party']}{voice}{speaks}"


def _said(word: Mapping[str, Any]) -> str:
    text = f": “{word['text']}”" if word["text"] else ""
    marks = f" ({', '.join(word['marks'])})" if word["marks"] else ""
    return f"{text}{marks}"


def _says(changed: Iterable[Mapping[str, Any]]) -> None:
    for change in changed:
        show.say(f"  {change['says']}")


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "nobody"
