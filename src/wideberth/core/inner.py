# SPDX-License-Identifier: Apache-2.0
"""The inner side: it holds own plans, hears which notices are live, and tells own people where the two meet.

    batch = inner.step(event, now)      # event: PlanGiven, PlanDropped, Tick, and Weigh and Forget from the record side

Fed one way (`core/feed.py`): nothing here can sign or send, and nothing that goes out depends on it (design.md §3).
What is told is only what appeared, changed or went. A notice meets own plans of its own mode; the notice that we gave
ourselves is not held against our own plans, for it is one of them said aloud. Two notices of different authors that
meet are told as well, across lines and mechanisms too (`crossing.py`; domain.md A10, D4).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import msgspec

from wideberth.core.batch import Now
from wideberth.core.crossing import (
    NoticeKey,
    PairKey,
    against,
    cross,
    nearer_crossed,
    nearer_exposed,
    pair_key,
    uncross,
)
from wideberth.core.feed import Feed, Forget, Weigh
from wideberth.core.judge.draw import DRAWN_MAX, Drawn, few, picture
from wideberth.core.judge.explain import explain_exposure
from wideberth.core.judge.exposure import Exposure, Plan4D, expose
from wideberth.core.judge.path import leg_volumes
from wideberth.core.judge.picture import Picture
from wideberth.core.judge.severity import depth_permille, share_permille
from wideberth.core.nearing import Nearing
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.plan import Plan, PlanRecord
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Track
from wideberth.core.warned import Crossed, Eased, Exposed, Uncrossed, Warned
from wideberth.errors import Misuse, NotFound

# A notice that expired by our clock is kept asleep this long, in case the clock was wrong and goes back.
ASLEEP_MS = 86_400_000


class PlanGiven(msgspec.Struct, frozen=True, tag="plan"):
    """A new own plan, or a new version of one with the same id."""

    plan: Plan


class PlanDropped(msgspec.Struct, frozen=True, tag="drop"):
    id: str


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """Time went on."""


Event = PlanGiven | PlanDropped | Tick | Feed


class InnerBatch(msgspec.Struct, frozen=True):
    """What the shell must do, in this order: keep (durably), then tell."""

    keep: tuple[PlanRecord, ...] = ()
    tell: tuple[Warned, ...] = ()


MeetingKey = tuple[NoticeKey, str]  # a notice, and the id of the own plan that it meets


class Inner:
    """All state of the inner side. Pure: time is an argument, and nothing happens outside `step`."""

    def __init__(self, *, draw: bool = True) -> None:
        self._draw = draw
        self._plans: dict[str, Plan] = {}
        self._notices: dict[NoticeKey, Weigh] = {}
        self._asleep: dict[NoticeKey, Weigh] = {}
        self._expiries: list[tuple[int, NoticeKey]] = []
        self._own: dict[Mode, Picture] = {mode: Picture() for mode in Mode}
        self._theirs: dict[Mode, Picture] = {mode: Picture() for mode in Mode}
        self._keys: dict[str, NoticeKey] = {}
        # The widest minima of any agreement heard: what a plan looks for notices with. It only ever grows.
        self._widest = SeparationMinima("WIDEST", 0, 0)
        self._margin_mm = 0
        self._told: dict[MeetingKey, Exposed] = {}
        self._crossed: dict[PairKey, Crossed] = {}
        self._latest_ms = 0
        self._near: Nearing[MeetingKey] = Nearing()
        self._near_pairs: Nearing[PairKey] = Nearing()

    @classmethod
    def load(cls, records: Iterable[PlanRecord], *, draw: bool = True) -> Inner:
        """From the plans' store, oldest first. Raises BadInput for a record that is not a plan."""
        inner = cls(draw=draw)
        for record in records:
            plan = record.read()
            inner._take_out(record.id)
            if plan is not None:
                inner._put_in(plan)
        return inner

    # -- views -----------------------------------------------------------------------------------------------------

    def plans(self) -> tuple[Plan, ...]:
        """Own plans, by id."""
        return tuple(self._plans[id_] for id_ in sorted(self._plans))

    def exposures(self) -> tuple[Exposed, ...]:
        """Every meeting of a plan and a notice that holds now, as it was last told; by channel, notice and plan."""
        return tuple(self._told[key] for key in sorted(self._told))

    def crossings(self) -> tuple[Crossed, ...]:
        """Every two notices that meet now, as last told; the soonest first."""
        return tuple(self._crossed[key] for key in sorted(self._crossed, key=lambda k: (self._crossed[k].start_ms, k)))

    def wake_ms(self) -> int | None:
        """When the next notice expires, or what was told crosses a threshold: send a `Tick` then (wall clock, ms
        UTC)."""
        times = (self._expiries[0][0] if self._expiries else None, self._near.next_ms(), self._near_pairs.next_ms())
        return min((t for t in times if t is not None), default=None)

    # -- the step --------------------------------------------------------------------------------------------------

    def step(self, event: Event, now: Now) -> InnerBatch:
        """Take one event. Raises NotFound when a plan to drop is not there; then nothing has changed."""
        keep: tuple[PlanRecord, ...] = ()
        if isinstance(event, PlanDropped) and event.id not in self._plans:
            raise NotFound(f"there is no own plan {event.id!r}; see the list of plans", plan=event.id)
        tells: list[Warned] = self._let_time_pass(now.t_ms)
        match event:
            case PlanGiven(plan):
                self._take_out(plan.id)
                self._put_in(plan)
                keep = (PlanRecord.of(plan),)
                tells += self._weigh_plan(plan)
            case PlanDropped(id_):
                self._take_out(id_)
                keep = (PlanRecord(id_, b""),)
                tells += self._settle({}, [key for key in self._told if key[1] == id_], "the plan was dropped")
            case Weigh():
                tells += self._hear(event, now.t_ms)
            case Forget(ch, ref):
                tells += self._forget((ch, ref), "is over")
            case Tick():
                for key in [k for k, n in self._asleep.items() if n.expires_ms + ASLEEP_MS <= now.t_ms]:
                    del self._asleep[key]
                self._near.forget(now.t_ms - ASLEEP_MS)
                self._near_pairs.forget(now.t_ms - ASLEEP_MS)
            case _:
                raise Misuse(f"the inner side does not know the event {type(event).__name__}")
        self._hold(tells, now.t_ms)
        return InnerBatch(keep, (*tells, *self._nearer(now.t_ms)))

    def _hold(self, tells: list[Warned], now_ms: int) -> None:
        """What was told just now need not be told again before it is nearer."""
        for tell in tells:
            match tell:
                case Exposed():
                    self._near.holds(((tell.ch, tell.ref), tell.plan), tell.start_ms, tell.end_ms, now_ms)
                case Eased():
                    self._near.over(((tell.ch, tell.ref), tell.plan))
                case Crossed():
                    self._near_pairs.holds(_pair(tell), tell.start_ms, tell.end_ms, now_ms)
                case Uncrossed():
                    self._near_pairs.over(_pair(tell))

    def _nearer(self, now_ms: int) -> list[Warned]:
        exposed = [nearer_exposed(self._told[key], before) for key, before in self._near.due(now_ms)]
        return [*exposed, *(nearer_crossed(self._crossed[pair], b) for pair, b in self._near_pairs.due(now_ms))]

    def _put_in(self, plan: Plan) -> None:
        self._plans[plan.id] = plan
        volumes = leg_volumes(plan.track) if plan.track is not None else plan.volumes
        self._own[plan.mode].add(plan.id, volumes)

    def _take_out(self, id_: str) -> None:
        before = self._plans.pop(id_, None)
        if before is not None:
            self._own[before.mode].remove(id_)

    def _hear(self, notice: Weigh, now_ms: int) -> list[Warned]:
        key = (notice.ch, notice.ref)
        if notice.expires_ms <= now_ms:
            self._asleep[key] = notice
            return self._forget(key, "expired", wake=True)
        self._asleep.pop(key, None)
        before = self._notices.get(key)
        if before is not None and before.mode is not notice.mode:  # a channel has one mode; be safe all the same
            self._theirs[before.mode].remove(_name(key))
        self._notices[key] = notice
        name = _name(key)
        self._keys[name] = key
        self._theirs[notice.mode].add(name, notice.volumes)
        heapq.heappush(self._expiries, (notice.expires_ms, key))
        self._widest = _wider(self._widest, notice.rules.minima)
        self._margin_mm = max(self._margin_mm, notice.rules.pressure_margin_mm)
        met = [k for k in self._told if k[0] == key]
        return [*self._settle(self._meet_plans(notice), met, "the notice moved"), *self._cross(notice)]

    def _forget(self, key: NoticeKey, why: str, *, wake: bool = False) -> list[Warned]:
        if not wake:
            self._asleep.pop(key, None)
        notice = self._notices.pop(key, None)
        if notice is None:
            return []
        self._theirs[notice.mode].remove(_name(key))
        self._keys.pop(_name(key), None)
        over = [uncross(self._crossed.pop(pair), f"{_of(notice)} {why}") for pair in self._pairs_of(key)]
        return [*self._settle({}, [k for k in self._told if k[0] == key], f"the notice {why}"), *over]

    def _let_time_pass(self, now_ms: int) -> list[Warned]:
        """Put expired notices to sleep; wake them when the clock turns out to have been ahead."""
        tells: list[Warned] = []
        if now_ms < self._latest_ms and self._asleep:
            for key in sorted(k for k, n in self._asleep.items() if n.expires_ms > now_ms):
                tells += self._hear(self._asleep[key], now_ms)
        self._latest_ms = now_ms
        while self._expiries and self._expiries[0][0] <= now_ms:
            _, key = heapq.heappop(self._expiries)
            notice = self._notices.get(key)
            if notice is not None and notice.expires_ms <= now_ms:
                self._asleep[key] = notice
                tells += self._forget(key, "expired", wake=True)
        return tells

    # -- weighing --------------------------------------------------------------------------------------------------

    def _weigh_plan(self, plan: Plan) -> list[Warned]:
        found: dict[MeetingKey, Exposed] = {}
        volumes = leg_volumes(plan.track) if plan.track is not None else plan.volumes
        names: dict[str, None] = {}
        for volume in volumes:
            for name, _, _ in self._theirs[plan.mode].near(volume, self._widest, pressure_margin_mm=self._margin_mm):
                names[name] = None
        for name in sorted(names):
            found |= self._meet(self._notices[self._keys[name]], plan)
        return self._settle(found, [key for key in self._told if key[1] == plan.id], "the plan changed")

    def _meet_plans(self, notice: Weigh) -> dict[MeetingKey, Exposed]:
        found: dict[MeetingKey, Exposed] = {}
        if notice.by_us:
            return found
        ids: dict[str, None] = {}
        for volume in notice.volumes:
            for id_, _, _ in self._own[notice.mode].near(
                volume, notice.rules.minima, pressure_margin_mm=notice.rules.pressure_margin_mm
            ):
                ids[id_] = None
        for id_ in sorted(ids):
            found |= self._meet(notice, self._plans[id_])
        return found

    def _meet(self, notice: Weigh, plan: Plan) -> dict[MeetingKey, Exposed]:
        if notice.by_us:
            return {}
        rules = notice.rules
        exposure = expose(plan.shape, notice.volumes, rules.minima, pressure_margin_mm=rules.pressure_margin_mm)
        if not exposure.open:
            return {}
        label = f"plan {plan.label}"
        exposed = self._exposed(notice, exposure, plan.id, label, plan.shape, rules.minima)
        return {((notice.ch, notice.ref), plan.id): exposed}

    def _cross(self, notice: Weigh) -> list[Warned]:
        """Other authors' notices on any line of the same mode; tells the difference to what was told."""
        key = (notice.ch, notice.ref)
        names: dict[str, None] = {}
        for volume in notice.volumes:
            for name, _, _ in self._theirs[notice.mode].near(volume, self._widest, pressure_margin_mm=self._margin_mm):
                names[name] = None
        others = [self._notices[self._keys[name]] for name in sorted(names)]
        draw = self._draw and len(others) <= DRAWN_MAX
        tells: list[Warned] = []
        left = set(self._pairs_of(key))
        for other in others:
            pair = pair_key(notice, other)
            before = self._crossed.get(pair)
            now = cross(notice, other, before, draw=draw)
            if now is None:
                continue
            left.discard(pair)
            if now is not before:
                self._crossed[pair] = now
                tells.append(now)
        return [*(uncross(self._crossed.pop(pair), f"{_of(notice)} moved") for pair in sorted(left)), *tells]

    def _pairs_of(self, key: NoticeKey) -> list[PairKey]:
        return sorted(pair for pair in self._crossed if key in pair)

    def _exposed(
        self, notice: Weigh, exposure: Exposure, plan: str, label: str, shape: Plan4D, minima: SeparationMinima
    ) -> Exposed:
        assert exposure.closest_at_ms is not None
        svg, says = "", explain_exposure(exposure, label, notice.author, notice.ref, minima)
        if self._draw:
            theirs = Drawn(f"{notice.author} {notice.ref}", few(notice.volumes, exposure.volume), own=False)
            ours = Drawn(label, shape if isinstance(shape, Track) else few(shape, exposure.own), own=True)
            title = f"{label} and {notice.author} {notice.ref}"
            svg = picture(title, (theirs, ours), mark=exposure.closest, mark_ms=exposure.closest_at_ms, says=says)
        return Exposed(
            ch=notice.ch,
            ref=notice.ref,
            version=notice.version,
            author=notice.author,
            plan=plan,
            answer=exposure.answer.value,
            rule=exposure.rule,
            horizontal_mm=exposure.horizontal_mm or 0,
            vertical_mm=exposure.vertical_mm,
            start_ms=exposure.inside[0][0],
            end_ms=exposure.inside[-1][1],
            closest_at_ms=exposure.closest_at_ms,
            closest=exposure.closest,
            inside=exposure.inside,
            sentence=says,
            svg=svg,
            not_covered=notice.rules.not_covered,
            depth_permille=depth_permille(minima, exposure.horizontal_mm or 0, exposure.vertical_mm),
            share_permille=_share(exposure, shape, notice),
        )

    def _settle(self, found: dict[MeetingKey, Exposed], before: list[MeetingKey], why: str) -> list[Warned]:
        """Make what was found the truth for these meetings; tell the difference."""
        tells: list[Warned] = []
        for key in sorted(k for k in before if k not in found):
            gone = self._told.pop(key)
            sentence = f"Our plan {gone.plan} no longer meets {gone.author}'s notice {gone.ref}: {why}."
            tells.append(Eased(ch=gone.ch, ref=gone.ref, plan=gone.plan, sentence=sentence))
        for key in sorted(found):
            now = against(found[key], self._told.get(key))
            if self._told.get(key) != now:
                self._told[key] = now
                tells.append(now)
        return tells


def _pair(tell: Crossed | Uncrossed) -> PairKey:
    return (tell.one.ch, tell.one.ref), (tell.other.ch, tell.other.ref)


def _share(exposure: Exposure, shape: Plan4D, notice: Weigh) -> int:
    volume = notice.volumes[exposure.volume]
    if isinstance(shape, Track):
        return min(1000, 1000 * exposure.inside_ms // (volume.end_ms - volume.start_ms))
    return share_permille((shape[exposure.own],), (volume,), pressure_margin_mm=notice.rules.pressure_margin_mm)


def _name(key: NoticeKey) -> str:
    return f"{key[0]} {key[1]}"


def _of(notice: Weigh) -> str:
    return f"{'ours' if notice.by_us else f'that of {notice.author}'}"


def _wider(a: SeparationMinima, b: SeparationMinima) -> SeparationMinima:
    """The larger of each number: what a look round must reach. Nothing is judged by it."""
    return SeparationMinima(
        a.name, max(a.horizontal_mm, b.horizontal_mm), max(a.vertical_mm, b.vertical_mm), max(a.time_ms, b.time_ms)
    )  # fmt: skip
