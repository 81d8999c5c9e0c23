# SPDX-License-Identifier: Apache-2.0
"""Play a story on two real nodes: every step is a real command, and the next one waits for what the last one did.

Nothing is pretended: a step ends when the other node has told of it, when its signed receipt is back, and when the
meetings of own plans that the story knows of were found. What does not happen within 20 s is said, and the demo fails.
"""

from __future__ import annotations

import contextlib
import time
from functools import partial
from pathlib import Path
from typing import Any

from wideberth import evidence, home, join
from wideberth.core.say.coordinates import parse_point
from wideberth.core.seal.bundle import whole_channel
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.demo import ledger
from wideberth.demo import stories as st
from wideberth.demo.nodes import Pair
from wideberth.demo.screen import PRIVATE, Screen
from wideberth.demo.times import at_ms, full_time
from wideberth.errors import BadInput, Worlds


class Player:
    """Plays steps, measures them, and remembers what was not as expected."""

    def __init__(self, pair: Pair, screen: Screen) -> None:
        self.failed: list[str] = []
        self._pair = pair
        self._screen = screen
        self._refs: dict[str, str] = {}
        self._printed = 0
        self._began_ns: int | None = None
        self._up_s = 0.0
        self._on_screen: list[float] = []
        self._rang: list[float] = []
        self._receipted: list[float] = []
        self._views: list[dict[str, Any]] = []
        self._told_of: set[str] = set()
        self._counts: dict[str, int] = {}
        self._strands: dict[str, dict[str, Any]] = {}

    def opening(self, up_s: float) -> None:
        self._up_s = up_s
        words, screen = self._pair.joining.words, self._screen
        screen.measured(
            "BLUE's invitation and GREEN's reply went by hand, as files. The words that they read to each other:"
        )
        for party in st.PARTIES:
            screen.did("", party, words[party])
        ports = " and ".join(f"{party} on port {self._pair.nodes[party].port}" for party in st.PARTIES)
        screen.measured(
            f"Both are up, {ports}; both signed, and the line {st.MECHANISM!r} is open: {up_s:.1f} s from nothing.",
            up_s=round(up_s, 3),
        )
        self._printed = len(self._pair.seen)

    def tell_story(self, story: st.Story) -> None:
        self._screen.heading(story.title, story.opens)
        for step in story.steps:
            self._step(step)
        self._flush()
        self._ledger(story)

    # --- the steps ---

    def _step(self, step: st.Step) -> None:
        self._flush()
        self._pair.set_clocks(at_ms(step.at))
        # What only the time brought about (a notice that ended) comes before what the officer does.
        self._pair.catch_up()
        self._flush()
        if step.tell:
            self._screen.narrate(step.at, step.tell)
        since = len(self._pair.seen)
        self._began_ns = time.monotonic_ns()
        match step:
            case st.Give():
                self._give(step, since)
            case st.Revise():
                body = {**step.draft, "ref": self._refs[step.name], "how": step.how}
                self._said(step, "/v1/notices", body, since, urgent=step.voids)
            case st.Vague():
                self._vague(step)
            case st.Raise():
                body = {"command": "alert", "text": step.text}
                self._refs[step.name] = self._said(step, "/v1/commands", body, since, urgent=True)
            case st.Ack():
                self._said(step, "/v1/commands", {"command": "ack", "ref": self._refs[step.name]}, since)
            case st.ReadBack():
                self._read_back(step, since)
            case st.Report():
                body = {"command": "report", "ref": self._refs[step.name], "state": step.state}
                self._said(step, "/v1/commands", body, since)
            case st.OwnPlan():
                self._own_plan(step)
        self._meetings(step, since)
        self._flush()
        self._began_ns = None

    def _give(self, step: st.Give, since: int) -> None:
        body: dict[str, Any] = dict(step.draft)
        if step.refines:
            body["refines"] = self._refs[step.refines]
        self._refs[step.name] = self._said(step, "/v1/notices", body, since, urgent=step.late)

    def _said(self, step: st.Step, path: str, body: dict[str, Any], since: int, *, urgent: bool = False) -> str:
        """Say it; wait until the other side has told of it and its signed receipt is back. Returns the reference."""
        pair, who, other = self._pair, step.who, self._pair.other(step.who)
        began_ns = time.monotonic_ns()
        self._began_ns = began_ns
        answer = pair.nodes[who].client.post(path, {**body, "by": f"{who}/watch-1"})
        entry = answer["entry"]
        seq = pair.nodes[who].client.get("/v1/status")["lines"][0]["seq"]
        if urgent:
            rang = pair.until(
                f"{other}'s node rings for {answer['ref']}",
                lambda: pair.first(since, other, tell="heard", entry=entry, first=True),
            )
            self._rang.append(ledger.in_ms(rang.at_ns - began_ns))
        heard = pair.until(
            f"{other}'s node tells of {answer['ref']}",
            lambda: pair.first(since, other, tell="heard", entry=entry, first=False),
        )
        receipt = pair.until(
            f"{other}'s signed receipt for {answer['ref']} is back at {who}",
            lambda: next(
                (s for s in pair.seen[since:] if s.node == who and s.tell["tell"] == "delivered"
                 and s.tell["receipt"] == "stored" and s.tell["seq"] >= seq), None,
            ),
        )  # fmt: skip
        self._on_screen.append(ledger.in_ms(heard.at_ns - began_ns))
        self._receipted.append(ledger.in_ms(receipt.at_ns - began_ns))
        self._flush()
        if answer["kind"] in ("alert", "notice", "amend", "correct"):
            # It is on this terminal now, on the other side's lines: that is what SEEN says.
            pair.nodes[other].client.post("/v1/shown", {"author": who, "entry": entry})
            on_screen = self._rang[-1] if urgent else self._on_screen[-1]
            self._screen.measured(
                f"{who}'s words {'rang' if urgent else 'were on the screen'} at {other} after {on_screen:.0f} ms; "
                f"{other}'s signed receipt was back after {self._receipted[-1]:.0f} ms.",
                ref=answer["ref"], to_screen_ms=self._on_screen[-1], to_ring_ms=self._rang[-1] if urgent else None,
                to_receipt_ms=self._receipted[-1],
            )  # fmt: skip
        return str(answer["ref"])

    def _vague(self, step: st.Vague) -> None:
        node = self._pair.nodes[step.who]
        before = node.client.get("/v1/status")["lines"][0]["seq"]
        try:
            node.client.post("/v1/notices", {**step.draft, "by": f"{step.who}/watch-1"})
        except BadInput as refused:
            kept = refused.details.get("draft")
            text = f"{refused.sentence} Kept as {kept}; an ALERT needs no field."
            self._screen.did(step.at, step.who, text)
            if kept not in {d["id"] for d in node.client.get("/v1/drafts")}:
                self.failed.append(f"{step.who}'s vague words were refused, and the draft was not kept")
            else:
                node.client.delete(f"/v1/drafts/{kept}")
        else:
            self.failed.append(f"{step.who}'s notice without a place was sent")
        if node.client.get("/v1/status")["lines"][0]["seq"] != before:
            self.failed.append(f"something was signed when {step.who}'s notice was refused")

    def _read_back(self, step: st.ReadBack, since: int) -> None:
        place = parse_point(step.place)
        body = {
            "command": "readback", "ref": self._refs[step.name], "as_read": f"{step.place}, {step.start} to {step.end}",
            "point": [place.lat_ndeg, place.lng_ndeg], "start_ms": at_ms(step.start), "end_ms": at_ms(step.end),
        }  # fmt: skip
        self._said(step, "/v1/commands", body, since)
        for node in st.PARTIES:
            self._pair.until(
                f"{node}'s node finds the read-back a {step.expect}",
                partial(self._pair.first, since, node, tell="climbed", step=step.expect),
            )
        self._count(step.expect)

    def _own_plan(self, step: st.OwnPlan) -> None:
        node = self._pair.nodes[step.who]
        before = node.client.get("/v1/status")["lines"][0]["seq"]
        track = [{"at": at, "altitude": altitude, "time": full_time(when)} for at, altitude, when in step.legs]
        node.client.post("/v1/plans", {"id": step.plan, "label": step.label, "track": track})
        start, end = step.legs[0], step.legs[-1]
        text = f"{step.label}, from {start[0]} at {start[2]} to {end[0]} at {end[2]}, {start[1]}."
        self._screen.did(step.at, step.who, text, private=True)
        if node.client.get("/v1/status")["lines"][0]["seq"] != before:
            self.failed.append(f"{step.who}'s own plan made its node write something for others")

    def _meetings(self, step: st.Step, since: int) -> None:
        """Wait for the meetings that the story knows of; the owner's node finds them, from the positions themselves."""
        owner = step.who if isinstance(step, st.OwnPlan) else self._pair.other(step.who)
        for kind, listed in (("exposed", step.meets), ("eased", step.eases)):
            for name, plan in listed:
                ref = self._refs[name]
                verb = "meets" if kind == "exposed" else "no longer meets"
                self._pair.until(
                    f"{owner}'s node finds that its plan {plan} {verb} {ref}",
                    partial(self._pair.first, since, owner, tell=kind, ref=ref, plan=plan),
                )

    # --- telling ---

    def _flush(self) -> None:
        """Show everything that the nodes told since the last time, in the order in which it came."""
        while self._printed < len(self._pair.seen):
            seen = self._pair.seen[self._printed]
            self._printed += 1
            after = None
            if self._began_ns is not None and seen.at_ns >= self._began_ns:
                after = ledger.in_ms(seen.at_ns - self._began_ns)
            if seen.tell["tell"] == "fault":
                self.failed.append(f"{seen.node}'s node reports: {seen.tell['sentence']}")
            if seen.tell["tell"] in PRIVATE:
                self._count(f"{seen.tell['tell']} at {seen.node}")
            self._screen.tell(seen, after)

    def _count(self, what: str) -> None:
        self._counts[what] = self._counts.get(what, 0) + 1

    # --- looking back ---

    def _picture(self, party: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._pair.nodes[party].client.get("/v1/notices", all=1)
        return sorted(found, key=lambda v: (v["versions"][0]["given_ms"], v["ref"]))

    def _ledger(self, story: st.Story) -> None:
        """Who said what when, from the records: the lead as given by the author, and as delivered by the receipt."""
        views = self._picture(st.BLUE)
        fresh = [v for v in views if v["ref"] not in self._told_of]
        self._told_of |= {v["ref"] for v in fresh}
        said = [(version["given_ms"], view, version) for view in fresh for version in view["versions"]]
        rows = [ledger.row(view, version) for _, view, version in sorted(said, key=lambda x: x[0])]
        self._screen.table(
            f"{story.title}: who said what when (UTC), from the signed record",
            ("given", "by", "what", "lead given", "lead delivered", "acknowledged", "read back"),
            rows,
        )

    def look_back(self) -> None:
        """Both nodes must render the same picture from what each of them holds."""
        self._flush()
        one, two = st.PARTIES
        with contextlib.suppress(Worlds):
            self._pair.until("both nodes show the same picture", lambda: self._picture(one) == self._picture(two))
        self._views = self._picture(one)
        if self._views != self._picture(two):
            self.failed.append("the two nodes do not show the same notices, versions and answers")
        for view in self._views:
            wanted = "ACKNOWLEDGED" if view["kind"] == "alert" else "READ_BACK"
            for party, standing in view["standing"].items():
                if standing != wanted:
                    self.failed.append(f"{view['ref']} stands at {standing} with {party}, not at {wanted}")

    def cosign(self) -> None:
        """Each node signs how far its strand goes, and the other cosigns: so that a cut-off record would show."""
        for party in st.PARTIES:
            found = self._pair.nodes[party].client.post("/v1/check", {"wait_s": 10})
            if not found or any(line["cosigned"] < line["entries"] for line in found):
                self.failed.append(f"{party}'s last checkpoint was not cosigned")

    def check_evidence(self, keep_in: Path | None) -> None:
        """What BLUE could hand to a stranger: a bundle from its folder alone, checked against both parties' words."""
        folder = home.load(self._pair.folders[st.BLUE])
        (ch,) = evidence.channels(folder.record_path)
        kept = evidence.read_record(folder.record_path, ch)
        node = Ed25519Signer(folder.node_seed())
        made_ms = max(record.stored_ms for record in kept.entries())
        data = evidence.make(kept, party=st.BLUE, node=node, t_ms=made_ms, selection=whole_channel())
        words = [join.words(home.load(self._pair.folders[party])) for party in st.PARTIES]
        found = evidence.verdict(data, words)
        proven = found["verdict"] == "trusted"
        if not proven:
            self.failed.append(f"the evidence bundle does not verify against both parties' words: {found}")
        if keep_in is not None:
            (keep_in / "evidence.zip").write_bytes(data)
        self._screen.measured(
            f"BLUE's evidence for a stranger: {len(data):,} bytes, {found.get('entries')} entries; "
            + ("verified against the words of both parties." if proven else "it does NOT verify."),
            evidence=found,
        )

    def check_files(self) -> None:
        """From the two folders, with the nodes down: the same bytes at both ends, and no plan in either record."""
        self._screen.heading("Afterwards", "Both nodes are down. What each of them kept, from the two folders:")
        kept = {party: self._pair.strands(party) for party in st.PARTIES}
        for author in st.PARTIES:
            copies = [[(r.seq, r.hash, r.envelope, r.body) for r in kept[party][author]] for party in st.PARTIES]
            same = copies[0] == copies[1]
            head = copies[0][-1][1] if copies[0] else ""
            self._strands[author] = {"entries": len(copies[0]), "head": head, "same": same}
            if not same:
                self.failed.append(f"the two copies of {author}'s strand differ")
            self._screen.measured(
                f"{author}'s strand: {len(copies[0])} signed entries, head {head[:16]}…, "
                + ("the same bytes in both folders." if same else "NOT the same in both folders."),
                strand=author, **self._strands[author],
            )  # fmt: skip
        entries = [r for by_author in kept.values() for records in by_author.values() for r in records]
        plans = [s for story in st.STORIES.values() for s in story.steps if isinstance(s, st.OwnPlan)]
        names = sorted({name for plan in plans for name in (plan.plan, plan.label)})
        found = [name for name in names if any(name.encode() in r.body for r in entries)]
        if found:
            self.failed.append(f"own plans are named in the record: {', '.join(found)}")
        else:
            self._screen.measured(f"None of these {len(entries)} copies says a word about GREEN's plans.")

    def check(self, expected: dict[str, Any]) -> None:
        have = self._happened()
        for what, wanted in expected.items():
            if have[what] != wanted:
                self.failed.append(f"{what.replace('_', ' ')}: {wanted} expected, {have[what]} happened")
        for kind in PRIVATE:
            if self._counts.get(f"{kind} at {st.BLUE}", 0):
                self.failed.append("a meeting with GREEN's own plan was told on BLUE's side")

    def _happened(self) -> dict[str, int]:
        notices = [v for v in self._views if v["kind"] == "notice"]
        versions = [x for v in notices for x in v["versions"]]
        return {
            "notices": len(notices),
            "alerts": len(self._views) - len(notices),
            "versions": len(versions),
            "late": sum(x["lead_given"]["late"] for x in versions),
            "read_back": self._counts.get("READ_BACK", 0),
            "mismatches": self._counts.get("MISMATCH", 0),
            "exposures": self._counts.get(f"exposed at {st.GREEN}", 0),
            "eased": self._counts.get(f"eased at {st.GREEN}", 0),
        }

    def figures(self) -> dict[str, Any]:
        versions = [(v["ref"], x) for v in self._views for x in v["versions"] if x["terms"]]
        return {
            "counts": self._happened(),
            "up_s": round(self._up_s, 3),
            "to_screen_ms": ledger.spread(self._on_screen),
            "to_receipt_ms": ledger.spread(self._receipted),
            "to_ring_ms": self._rang,
            "lead_times": [
                {"ref": ref, "version": x["version"], "given_s": x["lead_given"]["lead_ms"] // 1000,
                 "delivered_s": lead["lead_ms"] // 1000 if lead else None, "late": x["lead_given"]["late"]}
                for ref, x in versions for lead in (ledger.lead_delivered(x),)
            ],
            "strands": self._strands,
        }  # fmt: skip
