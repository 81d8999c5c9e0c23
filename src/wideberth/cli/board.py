# SPDX-License-Identifier: Apache-2.0
"""How notices, exposures and the state of the node look on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wideberth.cli import agreed, conflict_show, line_show, show, talk_show


def several(notices: list[dict[str, Any]]) -> None:
    """One line per notice."""
    if not notices:
        show.say("No notice is live. `notice list --all` shows what is over. Silence means nothing but unknown.")
        return
    for n in notices:
        standing = ", ".join(f"{member} {step}" for member, step in n["standing"].items())
        show.say(
            f"{_mode(n)}{n['ref']} from {n['author']}  {n['life']}  version {n['version']}  {n['precedence']}  "
            f"{standing}  ({n.get('mechanism', '')})",
            style="bold",
        )
        show.say(f"    {_says(n)}")
        _marks(n["versions"][-1], "    ")
        _must_answer(n, "    ")
        _units(n, "    ")
        _lost(n, "    ")


def one(notice: dict[str, Any]) -> None:
    """All of one notice: versions, ladder, reports; and what none of it means."""
    show.say(
        f"{_mode(notice)}{notice['ref']} from {notice['author']}: {notice['life']} at {show.utc(notice['at_ms'])}",
        style="bold",
    )
    for each in notice["versions"]:
        show.say("")
        version(each)
    _must_answer(notice, "")
    _units(notice, "")
    if notice["reports"]:
        show.say("")
    for report in notice["reports"]:
        show.say(f"{report['state']} at {show.utc(report['at_ms'])}, by {show.by(report)}")
    _lost(notice, "")
    for call in notice["calls"]:
        _call(call)
    for asked in notice["questions"]:
        show.say(f"{asked['ref']}, asked by {show.by(asked)} at {show.utc(asked['t_ms'])}:")
        talk_show.texts(asked["texts"])
        talk_show.questions(asked["questions"])
    for other in notice["said_otherwise"]:
        show.say(f"Also said, by {show.by(other)} at {show.utc(other['given_ms'])}: {other['says']}.", style="yellow")
    for field, words in (("refines", "Makes precise"), ("refined_by", "Made precise by")):
        if notice.get(field):
            show.say(f"{words} {notice[field]}")
    show.say("")
    show.say(f"Told to: {', '.join(m for m in notice['members'] if m != notice['author'])}. {notice['release']}")
    care(notice["care"])
    if notice["standing_text"]:
        show.say(notice["standing_text"], style="bold")
    show.say(notice["receipt_only"], style="dim")
    show.say(notice["scope"], style="dim")


def version(seen: dict[str, Any]) -> None:
    """One version, and who climbed how far on its ladder."""
    show.say(f"Version {seen['version']} ({seen['kind']}), by {show.by(seen)} at {seen['given']}")
    show.say(f"  {seen['says']}")
    _marks(seen, "  ")
    terms = seen["terms"] or {}
    for name in ("hazard", "scale", "contact", "place_name", "text"):
        if terms.get(name):
            show.say(f"  {name.replace('_', ' ')}: {terms[name]}")
    if terms.get("protected"):
        _who(terms["protected"])
    _volumes(terms)
    if terms:
        show.say(f"  expires {show.utc(terms['expires_ms'])}; precedence {terms.get('precedence', 'ROUTINE')}")
    _lead(seen)
    complete(seen.get("complete"), "  ")
    if codes := seen.get("codes"):
        show.say(f"  check code {codes['challenge']}; whoever has this version answers {codes['response']}")
    for member, rungs in seen["ladder"].items():
        show.say(f"  {member}:")
        for rung in rungs:
            who = f"{show.utc(rung['t_ms'])} {show.by(rung)}"
            show.say(f"    {rung['step']:<13} {who}  {_facts(rung['facts'])}".rstrip())


def protected(found: list[dict[str, Any]]) -> None:
    """Sites and movements, one line each, with what speaks against relying on it first."""
    if not found:
        show.say("No site and no movement is live. That says nothing of who is there.")
        return
    for n in found:
        show.say(
            f"{_mode(n)}{n['ref']} from {n['author']}  {n['life']}  {', '.join(n['care']['states'])}", style="bold"
        )
        show.say(f"    {_says(n)}")
    show.say(found[0]["standing_text"])


def _who(said: Mapping[str, Any]) -> None:
    import msgspec

    from wideberth.core.say.protect import Protected
    from wideberth.formats.paper_protect import rows

    for label, value in rows(msgspec.convert(said, Protected)):
        show.say(f"  {label.lower()}: {value}")


def care(seen: Mapping[str, Any] | None) -> None:
    """What became of a site or movement, and what is looked for next."""
    if seen is None:
        return
    show.say(", ".join(seen["states"]), style="bold red" if seen["states"][0] in ("OVERDUE", "STALE") else "bold")
    for field, words in (("confirm_by_ms", "To be confirmed by"), ("check_in_by_ms", "Next check-in by")):
        if seen[field] is not None:
            show.say(f"{words} {show.utc(seen[field])}")
    for each in seen["told"]:
        off = f", {show.length(each['off_mm'])} from the place given" if each["kind"] == "verified" else ""
        text = f" “{each['text']}”" if each["text"] else ""
        show.say(f"{each['kind']} by {show.by(each)} at {show.utc(each['at_ms'])}{off}{text}")


def complete(score: Mapping[str, Any] | None, indent: str = "") -> None:
    """How much a notice or draft says; what is below the agreed score is flagged."""
    if score is not None:
        flag = "INCOMPLETE: " if score["below"] else ""
        show.say(f"{indent}{flag}{score['sentence']}", style="bold yellow" if score["below"] else "")


def lost(lines: list[dict[str, Any]]) -> None:
    """The time lost by suspensions, line by line."""
    for line in lines:
        for each in line["notices"]:
            show.say(f"{each['ref']} of {each['author']}")
            _lost(each, "    ")
        show.say(f"{line['mechanism']}: {line['lost_min']} min lost in all", style="bold")


def _lost(notice: Mapping[str, Any], indent: str) -> None:
    """Suspensions, and the time that they cost."""
    if not notice["suspensions"]:
        return
    for each in notice["suspensions"]:
        until = show.utc(each["until_ms"]) if each["until_ms"] is not None else "now"
        show.say(f"{indent}SUSPENDED {show.utc(each['from_ms'])} to {until}, by {each['by']}")
    still = "; it is suspended, and stays a warning" if notice["suspended"] else ""
    show.say(f"{indent}{notice['lost_min']} min lost{still}", style="bold yellow" if still else "")


def _must_answer(notice: Mapping[str, Any], indent: str) -> None:
    """The timer of a hold-off, for each member that must answer."""
    for each in notice["must_answer"]:
        left = show.span(abs(each["left_ms"]))
        match each["state"]:
            case "ANSWERED":
                said = f"{each['member']} answered at {show.utc(each['answered_ms'])}: {each['step']}. {each['means']}"
            case "OVERDUE":
                said = f"{each['member']} has not answered: OVERDUE by {left}. It means unknown: use the telephone"
            case "WAITING":
                said = f"{each['member']} must answer by {each['by_time']}: {left} left"
            case _:
                said = f"{each['member']} never answered, and it is over"
        show.say(f"{indent}{said}", style="" if each["state"] == "ANSWERED" else "bold red")


def _units(notice: Mapping[str, Any], indent: str) -> None:
    """Which own units have it: for this screen only."""
    if units := notice.get("units"):
        show.say(f"{indent}own units: {units['says']}", style="" if units["fully"] else "bold yellow")


def _call(call: Mapping[str, Any]) -> None:
    """One side's word, and never a rung of the ladder."""
    checked = call["code_checked"]
    what = "Acknowledged by voice, code checked" if checked else f"Call logged, {call['outcome'].replace('_', ' ')}"
    show.say(
        f"{what}: version {call['version']}, {call['medium']}, {show.utc(call['at_ms'])}, logged by {call['by']}: "
        f"“{call['answer']}”" + (" (no acknowledgement that the other side signed)" if checked else "")
    )


def _marks(seen: Mapping[str, Any], indent: str) -> None:
    """What is outside the agreement, and whose presence a notice is about where one speaks for several."""
    if seen.get("outside"):
        show.say(f"{indent}{_sentence(seen['outside'])}", style="bold yellow")
    if seen.get("covers"):
        show.say(f"{indent}About the presence of: {', '.join(seen['covers'])}.")
    if seen.get("not_in_agreement"):
        strange = ", ".join(seen["not_in_agreement"])
        show.say(f"{indent}NOT COVERED: {strange} is not named in the agreement for its author.", style="bold yellow")
    if seen.get("members_not_covered"):
        show.say(f"{indent}NOT COVERED by this notice: {', '.join(seen['members_not_covered'])}.", style="yellow")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _facts(facts: Mapping[str, Any]) -> str:
    """What a person said with a rung, in words."""
    parts = [str(facts["outside"])] if facts.get("outside") else []
    if "as_read" in facts:
        parts.append(f"“{facts['as_read']}”: {show.length(facts['off_mm'])} and {show.span(facts['off_ms'])} off")
    if "relayed" in facts:
        parts.append(f"{facts['relayed']} of {facts['units']} units")
    parts += [f"not usable: {', '.join(facts['fields'])}"] if facts.get("fields") else []
    parts += [f"“{facts['text']}”"] if facts.get("text") else []
    return "; ".join(parts)


def exposures(found: list[dict[str, Any]]) -> None:
    """Where own plans meet notices. Local: nothing of this leaves the node."""
    if not found:
        show.say("No own plan meets a live notice that this node holds.")
        return
    for each in found:
        show.say(exposure(each), style="bold red")
    show.say("This stays on this machine. The other side is told nothing of it.", style="dim")


def exposure(tell: Mapping[str, Any]) -> str:
    return f"{tell['sentence']} {not_covered(tell)}"


def not_covered(tell: Mapping[str, Any]) -> str:
    """Who may be in the same space and hears of none of it (domain.md G6): as the agreement names them."""
    named = ", ".join(tell.get("not_covered", ()))
    return f"Not covered: {named or 'whoever is outside the mechanism; the agreement names nobody'}."


def conflicts(found: list[dict[str, Any]]) -> None:
    """Every warning that holds now, each with who knows of it."""
    if not found:
        show.say("Nothing that this node holds clashes: no two notices of different authors, and no own plan with one.")
        return
    for each in found:
        show.say(conflict(each), style="bold red")
        conflict_show.beside(each)
    show.say("Nobody else is told of any of it; only an own command sends.", style="dim")


def conflict(tell: Mapping[str, Any]) -> str:
    """One line: what kind, what became of it, who knows, and the sentence."""
    if tell.get("kind") == "SPOKEN_OF":
        return str(tell["sentence"])
    kind = {"crossed": "CROSSING", "exposed": "EXPOSURE"}.get(str(tell.get("tell")), "")
    change = {"GREW": " GREW", "EASED": " eased", "CHANGED": " changed"}.get(str(tell.get("change")), "")
    known = tell.get("known_to", "known to us alone")
    return f"{tell.get('kind') or kind}{change} [{known}] {tell['sentence']} {not_covered(tell)}"


def plans(found: list[dict[str, Any]]) -> None:
    if not found:
        show.say("No own plans. `plan add` gives one; it never leaves this machine.")
        return
    show.table(
        ("plan", "label", "mode", "what", "from", "until"),
        [(p["id"], p["label"], p["mode"], _what(p), *(show.utc(t) for t in _window(p))) for p in found],
    )


def status(data: dict[str, Any]) -> None:
    """Who we are, our lines and links."""
    from wideberth.core.say.words import SCOPE

    show.pairs(
        {
            "party": data["party"],
            "posts": ", ".join(data["posts"]),
            "time": f"{show.utc(data['t_ms'])} ({data['clock']} clock)",
            "words": data["words"],
            "disk": "LOW: only urgent entries are taken" if data["disk_low"] else "has room",
        }
    )
    if data.get("conflicts"):
        show.say("")
        conflicts(data["conflicts"])
    if data.get("conflicts_unknown"):
        show.say("")
        show.say(f"Whether anything clashes is not known now: {data['conflicts_unknown']}", style="bold red")
    groups = {each["id"]: [line["ch"] for line in each["lines"]] for each in data["mechanisms"]}
    lines = {line["ch"]: line for line in data["lines"]}
    for each in data["mechanisms"]:
        show.say("")
        agreed.head(each)
        for ch in groups[each["id"]]:
            if ch in lines:
                _line(lines.pop(ch))
    for line in lines.values():  # opened between two questions to the node
        _line(line)
    if data["foundings"]:
        show.say("")
        agreed.foundings(data["foundings"])
    for waiting in data["waiting"]:
        show.say("")
        show.say(f"{waiting['mechanism']}: waits for every signature ({', '.join(waiting['for'])})")
    if not data["lines"] and not data["waiting"]:
        show.say("")
        show.say("No line yet: `wideberth invite OTHER` offers one, `wideberth accept FILE` takes one.")
    show.say("")
    show.say(SCOPE, style="dim")


def _line(line: Mapping[str, Any]) -> None:
    """One line: its peers and the links to them."""
    members = ", ".join(peer["party"] for peer in line["peers"])
    show.say(f"  line {line['purpose']} with {members}, {line['ch'][:12]}", style="bold")
    show.table(
        ("peer", "link", "receipted", "outstanding", "held of theirs", "telephone"),
        [
            (p["party"], p["link"], p["receipted"], p["outstanding"], p["held"], p["contact"])
            for p in line["peers"]
        ],
    )  # fmt: skip
    line_show.peers(line["line"])
    kept(line)
    if line["stamp"]:
        show.say(stamped(line["stamp"]))


def stamped(stamp: Mapping[str, Any]) -> str:
    """The newest time stamp of a line."""
    what = f"our entries up to {stamp['size']}" if stamp["size"] else "an earlier checkpoint"
    return f"Last time stamp: {what}, {show.utc(stamp['t_ms'])} by {stamp['by']}"


def kept(line: Mapping[str, Any]) -> None:
    """After a restore: whom the line waits for, and what was orphaned."""
    if line["restored"]:
        waits = ", ".join(line["restored"]["waits_for"])
        show.say(
            f"Restored by {line['restored']['by']}: waits for {waits} to say what they hold. ALERT and urgent notices "
            "go out at once; a supervisor may go on without: `wideberth resume`",
            style="bold red",
        )
    if line["owed"]:
        show.say(
            f"{', '.join(line['owed'])} has not said yet what it holds of ours from before the restore: it may still "
            "hold notices that this node has forgotten. Ask by telephone",
            style="bold yellow",
        )
    if line["orphan_count"]:
        show.say(
            f"{line['orphan_count']} orphans: signed in an epoch that was abandoned after a restore, as binding as "
            "the rest. Read them through",
            style="bold yellow",
        )
    for each in line["orphans"]:
        show.say(f"  {each['author']} entry {each['seq']} of epoch {each['epoch'][:8]}  {each['ref']}".rstrip())


def _mode(notice: Mapping[str, Any]) -> str:
    """What is not real says so, everywhere."""
    mode = notice.get("mode", "REAL")
    return "" if mode == "REAL" else f"[{mode}] "


def _says(notice: Mapping[str, Any]) -> str:
    newest = notice["versions"][-1]
    if notice["kind"] == "alert":
        return " ".join(x for x in ("ALERT: whole area of the mechanism.", newest["text"]) if x)
    return str(newest["says"])


def _lead(version: dict[str, Any]) -> None:
    from wideberth.core.call.sentences import late

    lead = version.get("lead_given")
    if lead:
        show.say(f"  lead as given {show.span(lead['lead_ms'])}. {late(version)}".rstrip())
    for member, rungs in version["ladder"].items():
        delivered = next((r["facts"]["lead_delivered"] for r in rungs if r["facts"].get("lead_delivered")), None)
        if delivered:
            word = f" LATE by {show.span(delivered['shortfall_ms'])}" if delivered["late"] else ""
            show.say(f"  lead as delivered to {member} {show.span(delivered['lead_ms'])}.{word}")


def _volumes(terms: Mapping[str, Any]) -> None:
    import msgspec

    from wideberth.core.call.sentences import place, window
    from wideberth.core.say.coordinates import show_altitude, show_decimal, show_dms, show_mgrs
    from wideberth.core.say.geodesy import middle
    from wideberth.core.say.volume import Volume4D
    from wideberth.errors import BadInput

    for n, data in enumerate(terms.get("volumes", ()), 1):
        volume = msgspec.convert(data, Volume4D)
        centre = middle(volume.shape)
        show.say(f"  volume {n}: {place(volume)}")
        try:
            grid = f" = {show_mgrs(centre)}"
        except BadInput:
            grid = ""  # MGRS has no word for the poles in every library
        show.say(f"    middle {show_decimal(centre)} = {show_dms(centre)}{grid}")
        show.say(f"    {show_altitude(volume.lower)} to {show_altitude(volume.upper)}, {window(volume)}")


def _what(plan: Mapping[str, Any]) -> str:
    if plan.get("track"):
        return f"track of {len(plan['track']['legs'])} points"
    return f"{len(plan['volumes'])} volume(s)"


def _window(plan: Mapping[str, Any]) -> tuple[int, int]:
    if plan.get("track"):
        legs = plan["track"]["legs"]
        return legs[0][2], legs[-1][2]
    return min(v["start_ms"] for v in plan["volumes"]), max(v["end_ms"] for v in plan["volumes"])
