# SPDX-License-Identifier: Apache-2.0
"""The people: a seeded flow of real commands at each node, right ones, wrong ones, and ones that come too late."""

from __future__ import annotations

import msgspec

from wideberth.core import events as ev
from wideberth.core.call.board import Thread
from wideberth.core.line import Line
from wideberth.core.say.notice import ShortForm, accident
from wideberth.core.say.place import Altitude, Point, VerticalRef
from wideberth.core.say.standing import KeySignature
from wideberth.core.say.volume import Circle, Volume4D
from wideberth.core.say.words import Cause, Hazard, NoticeType, Precedence, Priority, Terms
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import sign_agreement
from wideberth.sim import carers
from wideberth.sim.dice import Dice
from wideberth.sim.parties import POSTS, SUPERVISOR
from wideberth.sim.site import Site
from wideberth.sim.weather import HOUR, MINUTE

_NDEG_PER_KM = 9_000_000
_TYPES = (
    NoticeType.AREA_ACTIVITY, NoticeType.TRANSIT, NoticeType.HAZARD, NoticeType.STATIC_SITE, NoticeType.EXERCISE,
    NoticeType.UNANNOUNCED_TRAFFIC, NoticeType.MOVEMENT, NoticeType.PRESENCE,
)  # fmt: skip
_PRECEDENCES = (*Precedence, Precedence.ROUTINE, Precedence.ROUTINE)


class Officers:
    """The watch of one node. They see what their console shows: the board of their own node."""

    def __init__(self, site: Site, dice: Dice) -> None:
        self._site = site
        self._dice = dice
        # The paper beside the root key, which no restore puts back: which version we signed after which.
        self._signed: dict[str, str] = {}

    def speak(self, ch: str) -> ev.Event | None:
        """The next thing that somebody at this node says or looks at on a line; None when they have nothing to say."""
        site, dice = self._site, self._dice
        line = site.node.lines.get(ch)
        if line is None:
            return None
        by = f"{site.party}/{dice.pick(POSTS)}"
        now_ms = site.now().t_ms
        if line.channel.home and dice.chance(0.08):
            return self._agreement(ch, by, now_ms, line)
        mine = [t for t in line.board if t.author == site.party]
        theirs = [t for t in line.board if t.author != site.party]
        mark = dice.unit()
        if mark < 0.30 or not (mine or theirs):
            return self._new(ch, by, now_ms, mine)
        if mark < 0.37 and (said := carers.says(dice, ch, site.party, now_ms, mine)) is not None:
            return said
        if mark < 0.52 and mine:
            return self._revise(ch, by, now_ms, dice.pick(mine))
        if mark < 0.80 and theirs:
            return self._answer(ch, by, dice.pick(theirs))
        if mark < 0.90:
            return self._look(ch, line)
        return self._other(ch, by, now_ms, line)

    def _agreement(self, ch: str, by: str, now_ms: int, line: Line) -> ev.Event | None:
        """Somebody proposes, counters, signs, suspends, comes back, declares itself ready; hardly ever leaves."""
        dice, accord = self._dice, line.mechanism.accord
        supervisor = f"{self._site.party}/{SUPERVISOR}"
        mark = dice.unit()
        open_ = [(h, p) for h, p in accord.open_proposals() if self._site.party not in p.signatures]
        if mark < 0.45 and open_:
            hash_, proposed = dice.pick(open_)
            before = self._signed.setdefault(proposed.agreement.previous, hash_)
            if before != hash_ and not ((old := accord.proposals.get(before)) and old.declined):
                return None
            self._signed[proposed.agreement.previous] = hash_
            sealed = sign_agreement(proposed.agreement, self._site.keys.root).signatures[0]
            return ev.SignVersion(ch, by, hash_, KeySignature(sealed.keyid, sealed.sig))
        if mark < 0.70:
            base = accord.versions.of(accord.newest(now_ms)) or accord.versions.founding
            previous = accord.newest(now_ms)
            rules = msgspec.structs.replace(base.rules, lead_ms=dice.between(0, 60) * MINUTE)
            new = msgspec.structs.replace(
                base, version=base.version + 1, previous=previous, rules=rules, nonce=dice.octets(16).hex(),
                from_ms=max(base.from_ms, now_ms + dice.between(-MINUTE, MINUTE)),
            )  # fmt: skip
            counters = dice.pick(open_)[0] if open_ and dice.chance(0.4) else ""
            return ev.ProposeVersion(ch, by, canonical.encode(new).decode(), counters, dice.pick(("", "shorter lead")))
        if mark < 0.82:
            return ev.Suspend(ch, supervisor, dice.pick(("", "in protest")), now_ms + dice.between(-MINUTE, MINUTE))
        if mark < 0.93:
            return ev.Reinstate(ch, supervisor)
        if mark < 0.99:
            return ev.DeclareReady(ch, supervisor, dice.pick(((), ("clocks",))), "go on")
        return ev.Leave(ch, supervisor, "we withdraw", now_ms + dice.between(-MINUTE, 10 * MINUTE))

    def _new(self, ch: str, by: str, now_ms: int, mine: list[Thread]) -> ev.Event:
        dice = self._dice
        if dice.chance(0.2):
            return ev.RaiseAlert(ch, by, 0, dice.pick(("", "two aircraft outbound")))
        alerts = [t.ref for t in mine if t.kind == "alert"]
        if dice.chance(0.1):
            return ev.GiveNotice(ch, by, self._hold_off(now_ms))
        if dice.chance(0.06):
            band = Altitude.surface(), Altitude.flight_level(100)
            return ev.AskWhose(ch, by, self._point(), *band, now_ms - dice.between(0, MINUTE))
        refines = dice.pick(alerts) if alerts and dice.chance(0.4) else ""
        return ev.GiveNotice(ch, by, self._terms(now_ms), refines)

    def _terms(self, now_ms: int) -> Terms:
        dice = self._dice
        volumes = []
        for _ in range(dice.pick((1, 1, 1, 2))):
            start_ms = now_ms + dice.between(-5 * MINUTE, dice.pick((10 * MINUTE, 3 * HOUR)))
            volumes.append(
                Volume4D(
                    Circle(self._point(), dice.between(10, 30) * 1_000_000),
                    Altitude.surface(), Altitude.feet(dice.between(10, 300) * 100, VerticalRef.AMSL),
                    start_ms, start_ms + dice.between(8 * MINUTE, 6 * HOUR),
                )
            )  # fmt: skip
        last_ms = max(v.end_ms for v in volumes)
        type_ = dice.pick(_TYPES)
        place = volumes[0].shape
        cared = carers.protected(dice, type_, place.centre, volumes[0].start_ms) if isinstance(place, Circle) else None
        return Terms(
            type=type_, hazard=dice.pick((Hazard.CREWED_AIRCRAFT, Hazard.FALLING_OBJECTS)),
            contact="+999 555 0110", volumes=tuple(volumes), expires_ms=last_ms + dice.between(0, HOUR),
            precedence=dice.pick(_PRECEDENCES), priority=Priority.ROUTINE,
            text=dice.pick(("", "", "keep 5 km away")), protected=cared,
        )  # fmt: skip

    def _hold_off(self, now_ms: int) -> Terms:
        """People of ours are somewhere; it must be answered."""
        dice = self._dice
        form = ShortForm("+999 555 0110", dice.between(1, 12) * 1_000_000, Altitude.surface(), Altitude.unlimited())
        until_ms = now_ms + dice.between(5, 180) * MINUTE
        return accident(
            Hazard.PEOPLE_PRESENT, self._point(), until_ms, form, now_ms=now_ms, type_=NoticeType.HOLD_OFF
        )  # fmt: skip

    def _point(self) -> Point:
        return Point(
            41_000_000_000 + self._dice.between(-90, 90) * _NDEG_PER_KM,
            -38_500_000_000 + self._dice.between(-90, 90) * _NDEG_PER_KM,
        )

    def _revise(self, ch: str, by: str, now_ms: int, thread: Thread) -> ev.Event:
        dice = self._dice
        mark = dice.between(0, 9)
        if mark == 0 and thread.terms is not None:
            grown = msgspec.structs.replace(
                thread.terms, expires_ms=thread.terms.expires_ms + HOUR,
                volumes=(*thread.terms.volumes, *self._terms(now_ms).volumes)[: dice.between(1, 4)],
            )  # fmt: skip
            return ev.DeclareOffNominal(ch, by, thread.ref, dice.pick(tuple(Cause)), grown)
        if mark < 3:
            return ev.Revise(ch, by, thread.ref, dice.pick(("amend", "correct")), self._terms(now_ms))
        if mark < 5:
            ends_ms = thread.terms.ends_ms if thread.terms else now_ms
            return ev.Extend(ch, by, thread.ref, ends_ms + dice.between(-MINUTE, 2 * HOUR))
        if mark < 6:
            return ev.Cancel(ch, by, thread.ref, dice.pick(("", "weather")))
        board = self._site.node.lines[ch].board
        seen = [t.ref for t in board if t.terms is not None and t.terms.type is NoticeType.UNANNOUNCED_TRAFFIC]
        if seen and dice.chance(0.3):
            return ev.Report(ch, by, thread.ref, "SUSPENDED", 0, dice.pick(seen))
        return ev.Report(ch, by, thread.ref, dice.pick(("STARTED", "SUSPENDED", "RESTORED", "FINISHED")))

    def _answer(self, ch: str, by: str, thread: Thread) -> ev.Event:
        dice = self._dice
        # At times an officer answers a version that is not the newest any more.
        of = dice.pick(thread.versions).entry if dice.chance(0.3) else ""
        version = thread.version(of) if of else thread.newest
        ref = thread.ref.lower() if dice.chance(0.1) else thread.ref
        mark = dice.between(0, 11)
        if mark < 4:
            return ev.Acknowledge(ch, by, ref, of)
        if mark < 8 and version is not None and version.terms is not None:
            # What was read is named: a newer version may come between reading and saying.
            return self._read_back(ch, by, ref, version.entry, version.terms)
        if mark == 8:
            return ev.FindInsufficient(ch, by, ref, ("upper",), "which reference?", of)
        if mark == 9:
            return ev.Object(ch, by, ref, "we do not share that view", of)
        if mark == 10:
            return ev.Refuse(ch, by, ref, "", of)
        units = dice.between(0, 6)
        return ev.CountRelays(ch, by, ref, dice.between(0, units), units, of)

    def _read_back(self, ch: str, by: str, ref: str, of: str, terms: Terms) -> ev.Event:
        dice = self._dice
        shape = terms.volumes[0].shape
        assert isinstance(shape, Circle)
        point, start_ms, end_ms = shape.centre, terms.starts_ms, terms.ends_ms
        wrong = dice.between(0, 3)
        if wrong == 1:
            point = Point(point.lat_ndeg + 9 * _NDEG_PER_KM, point.lng_ndeg)
        elif wrong == 2:
            end_ms += HOUR
        as_read = "wrong" if wrong in (1, 2) else "right"
        return ev.ReadBackAs(ch, by, ref, f"{as_read}, as heard", point, start_ms, end_ms, of)

    def _look(self, ch: str, line: Line) -> ev.Event | None:
        """A screen shows what a peer said, up to some place."""
        author = self._dice.pick(line.channel.peers)
        newest = line.channel.strands[author].seq
        return ev.Showed(ch, author, self._dice.between(max(1, newest - 2), newest)) if newest else None

    def _other(self, ch: str, by: str, now_ms: int, line: Line) -> ev.Event:
        dice = self._dice
        mark = dice.between(0, 4)
        asked = [t.ref for t in line.board.hotline.talks if t.whose is not None and t.author != self._site.party]
        if asked and dice.chance(0.5):
            return ev.SayWhose(ch, by, dice.pick(asked), dice.pick(("OURS", "UNKNOWN")))
        if mark == 0:
            return ev.SayNil(ch, by, now_ms + HOUR)
        if mark == 1:
            start_ms = now_ms + dice.between(-MINUTE, HOUR)
            return ev.PlanOutage(ch, by, start_ms, start_ms + dice.between(0, HOUR) + 1, "maintenance")
        if mark == 2:
            refs = [t.ref for t in line.board]
            ref = dice.pick(refs) if refs and dice.chance(0.5) else ""
            return ev.LogVoice(ch, by, "telephone", "they have it", 0, ref)
        if mark == 3:
            return ev.Acknowledge(ch, by, "ZZZ-0001-A")
        return ev.Cancel(ch, f"{self._site.party}/nobody", "ZZZ-0001-A")
