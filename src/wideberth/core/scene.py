# SPDX-License-Identifier: Apache-2.0
"""The live picture as it changes: plans, notices, standing zones and lines, and tracks; told is what appeared, grew,
eased or went, as data and time move (design.md §5; domain.md D5, D6, D7, G5).

    tells = scene.step(event, now)     # ZoneGiven, ZoneDropped, TrackSeen, TrackGone, PlanGiven, PlanDropped, Weigh,
                                       # Forget, Tick

Beside `core/inner.py`, which weighs plans and notices against notices; here are the pairs that it does not have:

    a plan, a notice      and a zone or line, under the zone's minima
    any track             and a zone or line, where the track is now
    an own track          and a notice of others, where it is now, under the notice's agreement
    others' track         and a notice of our own, likewise
    an own track          and any other track: predicted (judge/tracks.py); a pair without an own side never is (D7)

An own side that is told again only because time went on is told once for each threshold: without any new message, and
not again when a number trembles. A track that falls silent is UNKNOWN: what was told of it stands until it is seen
again or own people take it off. Fed one way, by own people and by what was heard; nothing here can sign or send.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from wideberth.core.batch import Now
from wideberth.core.feed import Forget, Weigh
from wideberth.core.inner import PlanDropped, PlanGiven, Tick
from wideberth.core.judge.path import leg_volumes
from wideberth.core.judge.picture import Picture
from wideberth.core.judge.tracks import SILENT_MS, TrackState, approach
from wideberth.core.say import instant
from wideberth.core.say.minima import RULE_OF_THREES, SeparationMinima
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Volume4D
from wideberth.core.scene_pairs import (
    Bound,
    Mover,
    Numbers,
    Pair,
    before_ms,
    change,
    held,
    met,
    of_approach,
    parted,
    rings,
    spot,
    too_far,
    tracked,
)
from wideberth.core.scene_words import (
    TRACKS_MAX,
    ZONES_MAX,
    SceneTell,
    Standing,
    TrackGone,
    TrackSeen,
    Which,
    ZoneDropped,
    ZoneGiven,
)
from wideberth.core.tells import Level
from wideberth.errors import BadInput, Misuse, NotFound

LOOK_AHEAD_MS: Final = 300_000
# What parted so lately was told so lately: should it meet again, only a new threshold rings.
LATELY_MS: Final = 60_000

Event = ZoneGiven | ZoneDropped | TrackSeen | TrackGone | PlanGiven | PlanDropped | Weigh | Forget | Tick


class _Meeting(msgspec.Struct):
    """What was told of a pair. `passed`: thresholds that need no telling any more. `gone_ms`: since when it does not
    hold; None: it does. `unknown`: a track of it fell silent, and that was told."""

    mode: Mode
    told: Numbers
    passed: set[int]
    gone_ms: int | None = None
    unknown: bool = False


class Scene:
    """All state of it. Pure: time is an argument, and nothing happens outside `step`."""

    def __init__(self, *, track_minima: SeparationMinima = RULE_OF_THREES, look_ahead_ms: int = LOOK_AHEAD_MS) -> None:
        self._track_minima, self._look_ahead_ms = track_minima, look_ahead_ms
        self._bounds: dict[str, Bound] = {}
        self._movers: dict[str, Mover] = {}
        self._tracks: dict[str, TrackSeen] = {}
        self._zones: dict[Mode, Picture] = {mode: Picture() for mode in Mode}
        self._notices: dict[Mode, Picture] = {mode: Picture() for mode in Mode}
        self._moving: dict[Mode, Picture] = {mode: Picture() for mode in Mode}
        self._widest = SeparationMinima("WIDEST", 0, 0)
        self._margin_mm = 0
        self._meetings: dict[Pair, _Meeting] = {}
        self._latest_ms = 0

    def meetings(self) -> tuple[Pair, ...]:
        """Every pair that meets now, in order."""
        return tuple(sorted(pair for pair, meeting in self._meetings.items() if meeting.gone_ms is None))

    def wake_ms(self) -> int | None:
        """When a pair that stands still crosses its next threshold, or ends: send a `Tick` then. While an own track is
        in the picture, every second."""
        times = []
        for pair, meeting in self._meetings.items():
            if meeting.gone_ms is None and not tracked(pair):
                start_ms, end_ms = meeting.told.start_ms, meeting.told.end_ms
                times += [start_ms - b for b in before_ms(pair) if b not in meeting.passed and start_ms - b < end_ms]
                times.append(end_ms)
        return min(times, default=None)

    def step(self, event: Event, now: Now) -> tuple[SceneTell, ...]:
        """Take one event. Raises NotFound and BadInput; then nothing has changed."""
        now_ms = now.t_ms
        back = self._set_back(now_ms)
        tells: list[SceneTell]
        match event:
            case ZoneGiven(standing):
                tells = self._zone(standing, now_ms)
            case ZoneDropped(name):
                self._known(f"zone {name}", self._bounds)
                tells = self._away(f"zone {name}", "the zone was dropped", now_ms)
            case PlanGiven(plan):
                which = Which("PLAN", f"plan {plan.id}", f"our plan {plan.label}")
                volumes = leg_volumes(plan.track) if plan.track is not None else plan.volumes
                tells = self._mover(Mover(which, plan.mode, plan.shape, volumes), now_ms)
            case PlanDropped(id_):
                tells = self._away(f"plan {id_}", "the plan was dropped", now_ms)
            case Weigh():
                tells = self._notice(event, now_ms)
            case Forget(ch, ref):
                tells = self._away(f"notice {ch} {ref}", "the notice is over", now_ms)
            case TrackSeen():
                tells = self._seen(event, now_ms)
            case TrackGone(id_):
                self._known(f"track {id_}", self._tracks)
                tells = self._away(f"track {id_}", "it was taken off the picture", now_ms)
            case Tick():
                tells = self._tick(now_ms)
            case _:
                raise Misuse(f"the picture does not know the event {type(event).__name__}")
        return (*back, *tells, *self._nearer(now_ms))

    def _set_back(self, now_ms: int) -> list[SceneTell]:
        """A clock that was ahead and is set right: what was over by it is weighed again."""
        before, self._latest_ms = self._latest_ms, now_ms
        tells: list[SceneTell] = []
        if now_ms < before:
            for key in sorted(self._movers):
                mover = self._movers[key]
                found = self._put_mover(mover)
                found |= {p: self._meetings[p].told for p in self._pairs_of(key) if tracked(p)}
                tells += self._settle(key, found, mover.mode, "the clock was set", now_ms)
        return tells

    # -- what comes and goes -----------------------------------------------------------------------------------------

    def _known(self, key: str, kept: dict[str, Bound] | dict[str, TrackSeen]) -> None:
        if key not in kept:
            raise NotFound(f"there is no {key} in the picture", key=key)

    def _zone(self, zone: Standing, now_ms: int) -> list[SceneTell]:
        clause = f" ({zone.zone.clause})" if zone.zone.clause else ""
        which = Which("ZONE", f"zone {zone.zone.name}", f"the zone {zone.zone.name}{clause}")
        if which.key not in self._bounds and sum(b.which.kind == "ZONE" for b in self._bounds.values()) >= ZONES_MAX:
            raise BadInput(f"there are {ZONES_MAX} zones already; drop those that are over", field="name")
        self._take_out(which.key)
        bound = Bound(which, zone.mode, (zone.volume,), zone.minima, zone.pressure_margin_mm, zone.end_ms)
        self._put_bound(bound, self._zones)
        keys = self._near(self._moving[zone.mode], bound.volumes, zone.minima, bound.margin_mm)
        found: dict[Pair, Numbers] = {}
        for key in keys:
            mover = self._movers[key]
            numbers = held(mover.which, mover.shape, bound)
            if numbers is not None:
                found[mover.which, which] = numbers
        for seen in self._tracks.values():
            found |= self._spot(seen, (which.key,), now_ms)
        return self._settle(which.key, found, zone.mode, "the zone changed", now_ms)

    def _notice(self, notice: Weigh, now_ms: int) -> list[SceneTell]:
        key = f"notice {notice.ch} {notice.ref}"
        whose = "our" if notice.by_us else f"{notice.author}'s"
        which = Which("OWN_NOTICE" if notice.by_us else "NOTICE", key, f"{whose} notice {notice.ref}")
        if notice.expires_ms <= now_ms:
            return self._away(key, "the notice expired", now_ms)
        self._take_out(key)
        rules = notice.rules
        bound = Bound(which, notice.mode, notice.volumes, rules.minima, rules.pressure_margin_mm, notice.expires_ms)
        self._put_bound(bound, self._notices)
        mover = Mover(which, notice.mode, notice.volumes, notice.volumes)
        found = self._put_mover(mover)
        for seen in self._tracks.values():
            found |= self._spot(seen, (key,), now_ms)
        return self._settle(key, found, notice.mode, "the notice changed", now_ms)

    def _mover(self, mover: Mover, now_ms: int) -> list[SceneTell]:
        self._take_out(mover.which.key)
        return self._settle(mover.which.key, self._put_mover(mover), mover.mode, "the plan changed", now_ms)

    def _put_mover(self, mover: Mover) -> dict[Pair, Numbers]:
        self._movers[mover.which.key] = mover
        self._moving[mover.mode].add(mover.which.key, mover.volumes)
        found: dict[Pair, Numbers] = {}
        for key in self._near(self._zones[mover.mode], mover.volumes, self._widest, self._margin_mm):
            numbers = held(mover.which, mover.shape, self._bounds[key])
            if numbers is not None:
                found[mover.which, self._bounds[key].which] = numbers
        return found

    def _put_bound(self, bound: Bound, where: dict[Mode, Picture]) -> None:
        self._bounds[bound.which.key] = bound
        where[bound.mode].add(bound.which.key, bound.volumes)
        wide, minima = self._widest, bound.minima
        self._widest = SeparationMinima(
            "WIDEST", max(wide.horizontal_mm, minima.horizontal_mm), max(wide.vertical_mm, minima.vertical_mm),
            max(wide.time_ms, minima.time_ms),
        )  # fmt: skip
        self._margin_mm = max(self._margin_mm, bound.margin_mm)

    def _take_out(self, key: str) -> None:
        bound, mover = self._bounds.pop(key, None), self._movers.pop(key, None)
        if bound is not None:
            (self._zones if bound.which.kind == "ZONE" else self._notices)[bound.mode].remove(key)
        if mover is not None:
            self._moving[mover.mode].remove(key)
        self._tracks.pop(key, None)

    def _away(self, key: str, why: str, now_ms: int) -> list[SceneTell]:
        self._take_out(key)
        return self._settle(key, {}, Mode.REAL, why, now_ms)

    # -- tracks ------------------------------------------------------------------------------------------------------

    def _seen(self, seen: TrackSeen, now_ms: int) -> list[SceneTell]:
        key, state = f"track {seen.state.id}", seen.state
        before = self._tracks.get(key)
        if before is None and len(self._tracks) >= TRACKS_MAX:
            raise BadInput(f"there are {TRACKS_MAX} tracks already; take off those that are over", field="id")
        if before is not None and before.state.t_ms > state.t_ms:
            raise BadInput(f"{state.id} was seen later already, at {instant.show(before.state.t_ms)}", field="t_ms")
        if state.t_ms > now_ms + SILENT_MS:
            raise BadInput(f"{instant.show(state.t_ms)} is in the future; when was it there?", field="t_ms")
        self._tracks[key] = seen
        for pair in self._pairs_of(key):
            self._meetings[pair].unknown = False
        return self._weigh_track(key, now_ms)

    def _weigh_track(self, key: str, now_ms: int) -> list[SceneTell]:
        seen = self._tracks[key]
        if self._silent(key, now_ms):
            return self._unknown(key, now_ms)
        near: dict[str, None] = {}
        for where in (self._zones, self._notices):
            place = (spot(seen.state, now_ms),)
            near |= dict.fromkeys(self._near(where[seen.mode], place, self._widest, self._margin_mm))
        found = self._spot(seen, near, now_ms)
        for other_key, other in self._tracks.items():
            own = other.state.own or seen.state.own
            if own and other_key != key and other.mode is seen.mode and not self._silent(other_key, now_ms):
                found |= self._approach(seen, other, now_ms)
        for pair in self._pairs_of(key):
            if any(self._silent(which.key, now_ms) for which in pair):
                found[pair] = self._meetings[pair].told  # nobody can say that they parted
        return self._settle(key, found, seen.mode, "it moved on", now_ms)

    def _silent(self, key: str, now_ms: int) -> bool:
        seen = self._tracks.get(key)
        return seen is not None and abs(now_ms - seen.state.t_ms) > SILENT_MS

    def _spot(self, seen: TrackSeen, keys: Iterable[str], now_ms: int) -> dict[Pair, Numbers]:
        """Where it is now, against zones, and against the notices of the other side."""
        which, place = _which(seen.state), (spot(seen.state, now_ms),)
        kinds = ("ZONE", "NOTICE") if seen.state.own else ("ZONE", "OWN_NOTICE")
        found: dict[Pair, Numbers] = {}
        for key in keys:
            bound = self._bounds[key]
            if bound.which.kind not in kinds or bound.mode is not seen.mode:
                continue
            numbers = held(which, place, bound)
            if numbers is not None:
                numbers = msgspec.structs.replace(numbers, end_ms=bound.until_ms, inside_ms=0)
                found[which, bound.which] = self._since((which, bound.which), numbers, now_ms)
        return found

    def _approach(self, seen: TrackSeen, other: TrackSeen, now_ms: int) -> dict[Pair, Numbers]:
        a, b = sorted((seen.state, other.state), key=lambda state: (not state.own, state.id))
        if too_far(a, b, self._track_minima, now_ms, self._look_ahead_ms):
            return {}
        found = approach(a, b, self._track_minima, now_ms=now_ms, look_ahead_ms=self._look_ahead_ms)
        if not found.open:
            return {}
        pair = (_which(a), _which(b))
        return {pair: self._since(pair, of_approach(pair, found, self._track_minima), now_ms)}

    def _since(self, pair: Pair, numbers: Numbers, now_ms: int) -> Numbers:
        """What began before now began when it was first told, not now."""
        before = self._meetings.get(pair)
        if before is None or before.gone_ms is not None or numbers.start_ms > now_ms:
            return numbers
        return msgspec.structs.replace(numbers, start_ms=min(numbers.start_ms, before.told.start_ms))

    def _unknown(self, key: str, now_ms: int) -> list[SceneTell]:
        tells: list[SceneTell] = []
        state = self._tracks[key].state
        for pair in self._pairs_of(key):
            meeting = self._meetings[pair]
            if not meeting.unknown:
                meeting.unknown = True
                said = f"{state.id} was last seen at {instant.show(state.t_ms)}; where it is now is unknown."
                tells.append(met(pair, meeting.mode, meeting.told, "UNKNOWN", Level.RING, sentence=said))
        return tells

    # -- what is told ------------------------------------------------------------------------------------------------

    def _tick(self, now_ms: int) -> list[SceneTell]:
        tells: list[SceneTell] = []
        for key in sorted(self._tracks):
            tells += self._weigh_track(key, now_ms)
        for pair in sorted(self._meetings):
            meeting = self._meetings[pair]
            if meeting.gone_ms is None and not tracked(pair) and meeting.told.end_ms <= now_ms:
                meeting.gone_ms = now_ms
                tells.append(parted(pair, meeting.mode, "its time is over"))
            elif meeting.gone_ms is not None and now_ms - meeting.gone_ms > LATELY_MS:
                del self._meetings[pair]
        return tells

    def _settle(self, key: str, found: dict[Pair, Numbers], mode: Mode, why: str, now_ms: int) -> list[SceneTell]:
        """Make what was found the truth for the pairs of one thing; tell the difference."""
        tells: list[SceneTell] = []
        found = {pair: numbers for pair, numbers in found.items() if numbers.end_ms > now_ms}
        for pair in self._pairs_of(key):
            if pair not in found:
                self._meetings[pair].gone_ms = now_ms
                tells.append(parted(pair, self._meetings[pair].mode, why))
        for pair in sorted(found):
            meeting = self._meetings.get(pair)
            if meeting is None or meeting.gone_ms is not None:
                tells.append(self._appeared(pair, found[pair], mode, now_ms))
            elif found[pair] != meeting.told:
                tells.append(self._changed(pair, found[pair], meeting, now_ms))
        return tells

    def _appeared(self, pair: Pair, numbers: Numbers, mode: Mode, now_ms: int) -> SceneTell:
        before = self._meetings.get(pair)
        known = before.passed if before is not None else set()
        passed = _passed(pair, numbers, now_ms)
        level = Level.RING if rings(pair) else Level.NOTE
        if before is not None and tracked(pair) and passed <= known:  # a track on the edge of a minimum
            level = Level.QUIET
        self._meetings[pair] = _Meeting(mode, numbers, passed | known)
        return met(pair, mode, numbers, "APPEARED", level)

    def _changed(self, pair: Pair, numbers: Numbers, meeting: _Meeting, now_ms: int) -> SceneTell:
        how, surer = change(meeting.told, numbers)
        meeting.told = numbers
        level = Level.NOTE
        if how == "GREW" and rings(pair) and (surer or not tracked(pair)):
            level = Level.RING
            meeting.passed |= _passed(pair, numbers, now_ms)
        elif tracked(pair):  # its numbers move with every second; thresholds ring
            level = Level.QUIET
        return met(pair, meeting.mode, numbers, how, level)

    def _nearer(self, now_ms: int) -> list[SceneTell]:
        """Thresholds crossed since they were last told, the nearest of each pair, once."""
        tells: list[SceneTell] = []
        for pair in sorted(self._meetings):
            meeting = self._meetings[pair]
            numbers = meeting.told
            if meeting.gone_ms is not None or not rings(pair) or now_ms >= numbers.end_ms:
                continue
            fresh = _passed(pair, numbers, now_ms) - meeting.passed
            if fresh:
                meeting.passed |= fresh
                when = f"INSIDE since {instant.show(numbers.start_ms)}"
                if min(fresh):
                    left = instant.show_span(min(fresh))
                    when = f"NEARER, less than {left} before {instant.show(numbers.start_ms)}"
                said = f"{when}: {numbers.sentence}"
                tells.append(
                    met(pair, meeting.mode, numbers, "NEARER", Level.RING, nearer_ms=min(fresh), sentence=said)
                )
        return tells

    def _pairs_of(self, key: str) -> list[Pair]:
        return sorted(
            pair for pair, meeting in self._meetings.items()
            if meeting.gone_ms is None and key in (pair[0].key, pair[1].key)
        )  # fmt: skip

    @staticmethod
    def _near(where: Picture, volumes: Sequence[Volume4D], minima: SeparationMinima, margin_mm: int) -> list[str]:
        found: dict[str, None] = {}
        for volume in volumes:
            found |= dict.fromkeys(key for key, _, _ in where.near(volume, minima, pressure_margin_mm=margin_mm))
        return sorted(found)


def _passed(pair: Pair, numbers: Numbers, now_ms: int) -> set[int]:
    """The thresholds that are behind."""
    return {before for before in before_ms(pair) if now_ms >= numbers.start_ms - before}


def _which(state: TrackState) -> Which:
    if state.own:
        return Which("OWN_TRACK", f"track {state.id}", f"our track {state.id}")
    return Which("TRACK", f"track {state.id}", f"the track {state.id}")
