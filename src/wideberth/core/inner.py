# SPDX-License-Identifier: Apache-2.0
"""The inner side: it holds own plans, hears which notices are live, and tells own people where the two meet.

    batch = inner.step(event, now)      # event: PlanGiven, PlanDropped, Tick, and Weigh and Forget from the record side

Fed one way (`core/feed.py`): nothing here can sign or send, and nothing that goes out depends on it (design.md §3).
What is told is only what appeared, changed or went. A notice meets own plans of its own mode; the notice that we gave
ourselves is not held against our own plans, for it is one of them said aloud. Two notices of different authors that
meet are told as well, across mechanisms too (domain.md A10, D4): such a tell names the second notice where otherwise
the plan stands.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import msgspec

from wideberth.core.batch import Now
from wideberth.core.feed import Feed, Forget, Weigh
from wideberth.core.judge.draw import Drawn, picture
from wideberth.core.judge.explain import explain_exposure
from wideberth.core.judge.exposure import Exposure, Plan4D, expose
from wideberth.core.judge.path import leg_volumes
from wideberth.core.judge.picture import Picture
from wideberth.core.say.minima import SeparationMinima
from wideberth.core.say.plan import Plan, PlanRecord
from wideberth.core.say.rules import Mode
from wideberth.core.say.volume import Track, Volume4D
from wideberth.core.tells import Eased, Exposed, Tell
from wideberth.errors import Misuse, NotFound

# A notice that expired by our clock is kept asleep this long, in case the clock was wrong and goes back.
ASLEEP_MS = 86_400_000

# A picture is for a person: more volumes than this are not drawn, only weighed.
DRAWN_MAX = 20


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
    tell: tuple[Tell, ...] = ()


NoticeKey = tuple[str, str]  # (ch, ref)
# A notice and what it meets: ("plan", id) or ("notice", ch, ref).
MeetingKey = tuple[NoticeKey, tuple[str, ...]]


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
        self._latest_ms = 0

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
        """Every meeting that holds now, as it was last told; by channel, notice and plan."""
        return tuple(self._told[key] for key in sorted(self._told))

    def wake_ms(self) -> int | None:
        """When the next notice expires: send a `Tick` then (wall clock, ms UTC)."""
        return self._expiries[0][0] if self._expiries else None

    # -- the step --------------------------------------------------------------------------------------------------

    def step(self, event: Event, now: Now) -> InnerBatch:
        """Take one event. Raises NotFound when a plan to drop is not there; then nothing has changed."""
        keep: tuple[PlanRecord, ...] = ()
        if isinstance(event, PlanDropped) and event.id not in self._plans:
            raise NotFound(f"there is no own plan {event.id!r}; see the list of plans", plan=event.id)
        tells: list[Tell] = self._let_time_pass(now.t_ms)
        match event:
            case PlanGiven(plan):
                self._take_out(plan.id)
                self._put_in(plan)
                keep = (PlanRecord.of(plan),)
                tells += self._weigh_plan(plan)
            case PlanDropped(id_):
                self._take_out(id_)
                keep = (PlanRecord(id_, b""),)
                tells += self._settle(
                    {}, [key for key in self._told if key[1] == ("plan", id_)], "the plan was dropped"
                )
            case Weigh():
                tells += self._hear(event, now.t_ms)
            case Forget(ch, ref):
                tells += self._forget((ch, ref), "the notice is over")
            case Tick():
                for key in [k for k, n in self._asleep.items() if n.expires_ms + ASLEEP_MS <= now.t_ms]:
                    del self._asleep[key]
            case _:
                raise Misuse(f"the inner side does not know the event {type(event).__name__}")
        return InnerBatch(keep, tuple(tells))

    def _put_in(self, plan: Plan) -> None:
        self._plans[plan.id] = plan
        volumes = leg_volumes(plan.track) if plan.track is not None else plan.volumes
        self._own[plan.mode].add(plan.id, volumes)

    def _take_out(self, id_: str) -> None:
        before = self._plans.pop(id_, None)
        if before is not None:
            self._own[before.mode].remove(id_)

    def _hear(self, notice: Weigh, now_ms: int) -> list[Tell]:
        key = (notice.ch, notice.ref)
        if notice.expires_ms <= now_ms:
            self._asleep[key] = notice
            return self._forget(key, "the notice expired", wake=True)
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
        found = self._meet_plans(notice) | self._meet_notices(notice)
        return self._settle(found, [k for k in self._told if _about(k, key)], "the notice moved")

    def _forget(self, key: NoticeKey, why: str, *, wake: bool = False) -> list[Tell]:
        if not wake:
            self._asleep.pop(key, None)
        notice = self._notices.pop(key, None)
        if notice is None:
            return []
        self._theirs[notice.mode].remove(_name(key))
        self._keys.pop(_name(key), None)
        return self._settle({}, [k for k in self._told if _about(k, key)], why)

    def _let_time_pass(self, now_ms: int) -> list[Tell]:
        """Put expired notices to sleep; wake them when the clock turns out to have been ahead."""
        tells: list[Tell] = []
        if now_ms < self._latest_ms and self._asleep:
            for key in sorted(k for k, n in self._asleep.items() if n.expires_ms > now_ms):
                tells += self._hear(self._asleep[key], now_ms)
        self._latest_ms = now_ms
        while self._expiries and self._expiries[0][0] <= now_ms:
            _, key = heapq.heappop(self._expiries)
            notice = self._notices.get(key)
            if notice is not None and notice.expires_ms <= now_ms:
                self._asleep[key] = notice
                tells += self._forget(key, "the notice expired", wake=True)
        return tells

    # -- weighing --------------------------------------------------------------------------------------------------

    def _weigh_plan(self, plan: Plan) -> list[Tell]:
        found: dict[MeetingKey, Exposed] = {}
        volumes = leg_volumes(plan.track) if plan.track is not None else plan.volumes
        names: dict[str, None] = {}
        for volume in volumes:
            for name, _, _ in self._theirs[plan.mode].near(volume, self._widest, pressure_margin_mm=self._margin_mm):
                names[name] = None
        for name in sorted(names):
            found |= self._meet(self._notices[self._keys[name]], plan)
        return self._settle(found, [key for key in self._told if key[1] == ("plan", plan.id)], "the plan changed")

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
        key = ((notice.ch, notice.ref), ("plan", plan.id))
        label = f"plan {plan.label}"
        return {key: self._exposed(notice, exposure, plan.id, label, plan.shape, rules.minima)}

    def _meet_notices(self, notice: Weigh) -> dict[MeetingKey, Exposed]:
        """Other authors' notices, in any channel of the same mode. Between two agreements the wider minima count."""
        key = (notice.ch, notice.ref)
        names: dict[str, None] = {}
        for volume in notice.volumes:
            for name, _, _ in self._theirs[notice.mode].near(volume, self._widest, pressure_margin_mm=self._margin_mm):
                names[name] = None
        found: dict[MeetingKey, Exposed] = {}
        for name in sorted(names):
            other = self._notices[self._keys[name]]
            if self._keys[name] == key or other.author == notice.author or (other.by_us and notice.by_us):
                continue
            # One of the two stands as the notice, the other where the plan would: never our own as the notice.
            first, second = sorted((notice, other), key=lambda n: (n.by_us, n.ch, n.ref))
            minima = first.rules.minima
            if first.rules.minima != second.rules.minima:
                minima = _wider(first.rules.minima, second.rules.minima)
            margin = max(first.rules.pressure_margin_mm, second.rules.pressure_margin_mm)
            exposure = expose(second.volumes, first.volumes, minima, pressure_margin_mm=margin)
            if exposure.open:
                label = (
                    f"notice {second.ref}" if second.by_us else f"other line's notice {second.ref} of {second.author}"
                )
                meeting = ((first.ch, first.ref), ("notice", second.ch, second.ref))
                found[meeting] = self._exposed(first, exposure, second.ref, label, second.volumes, minima)
        return found

    def _exposed(
        self, notice: Weigh, exposure: Exposure, plan: str, label: str, shape: Plan4D, minima: SeparationMinima
    ) -> Exposed:
        assert exposure.closest_at_ms is not None
        svg = ""
        if self._draw:
            theirs = Drawn(f"{notice.author} {notice.ref}", _few(notice.volumes, exposure.volume), own=False)
            ours = Drawn(label, shape if isinstance(shape, Track) else _few(shape, exposure.own), own=True)
            title = f"{label} and {notice.author} {notice.ref}"
            svg = picture(title, (theirs, ours), mark=exposure.closest, mark_ms=exposure.closest_at_ms)
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
            sentence=explain_exposure(exposure, label, notice.author, notice.ref, minima),
            svg=svg,
            not_covered=notice.rules.not_covered,
        )

    def _settle(self, found: dict[MeetingKey, Exposed], before: list[MeetingKey], why: str) -> list[Tell]:
        """Make what was found the truth for these meetings; tell the difference."""
        tells: list[Tell] = []
        for key in sorted(k for k in before if k not in found):
            gone = self._told.pop(key)
            what = f"Our plan {gone.plan}" if key[1][0] == "plan" else f"Notice {gone.plan}"
            sentence = f"{what} no longer meets {gone.author}'s notice {gone.ref}: {why}."
            tells.append(Eased(ch=gone.ch, ref=gone.ref, plan=gone.plan, sentence=sentence))
        for key in sorted(found):
            if self._told.get(key) != found[key]:
                self._told[key] = found[key]
                tells.append(found[key])
        return tells


def _name(key: NoticeKey) -> str:
    return f"{key[0]} {key[1]}"


def _about(meeting: MeetingKey, notice: NoticeKey) -> bool:
    return meeting[0] == notice or meeting[1] == ("notice", *notice)


def _wider(a: SeparationMinima, b: SeparationMinima) -> SeparationMinima:
    """The larger of each number; the tighter limit on exposure, where there is one."""
    limits = [m.exposure_ms for m in (a, b) if m.exposure_ms]
    return SeparationMinima(
        f"{a.name} + {b.name}"[:80] if a.name != "WIDEST" else a.name,
        max(a.horizontal_mm, b.horizontal_mm),
        max(a.vertical_mm, b.vertical_mm),
        max(a.time_ms, b.time_ms),
        min(limits, default=0),
    )


def _few(volumes: tuple[Volume4D, ...], first: int) -> tuple[Volume4D, ...]:
    """The one that matters and the next few: what a person can take in."""
    rest = [v for i, v in enumerate(volumes) if i != first]
    return (volumes[first], *rest[: DRAWN_MAX - 1])
