# SPDX-License-Identifier: Apache-2.0
"""One seed, one world: nodes, lines, officers, weather; then the weather turns kind, and every promise is checked.

    world = World(seed, nodes=2)
    outcome = world.run()           # Outcome; `outcome.broken` names the promise, if one broke

Every two nodes share a line, or all share one (`Shape`). A line opens as in real life: each side holds the agreement
with the signatures up to its own and waits; the last one's copy has them all and travels with what it sends.
"""

from __future__ import annotations

import heapq
import itertools
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from wideberth.core import events as ev
from wideberth.core.records import EntryRecord
from wideberth.core.say.rules import Purpose
from wideberth.sim import parties
from wideberth.sim.clock import SimClock
from wideberth.sim.dice import Dice
from wideberth.sim.heard import Ears
from wideberth.sim.liars import LIARS, Liar
from wideberth.sim.mediators import MANNERS, Mediator, slip_for, take
from wideberth.sim.network import Network, Parcel
from wideberth.sim.officers import Officers
from wideberth.sim.parties import NAMES, Charter, Keys
from wideberth.sim.promises import Broken, Promises, SpokeFirst
from wideberth.sim.restores import Restores
from wideberth.sim.site import Site
from wideberth.sim.tape import Tape
from wideberth.sim.watchroom import WatchRoom
from wideberth.sim.weather import DAY, HOUR, MINUTE, SECOND, Hard, Weather

# Rest: nothing on the wire for longer than two of the longest pauses between repeats.
QUIET_MS: Final = 65 * SECOND
# A kind world must be quiet within this time.
PATIENCE_MS: Final = 10 * MINUTE
# In some worlds somebody talks without a pause, a word every half second, from before the weather turns until after it.
# What was lost must come through all the same, within this time: longer than the longest pause between repeats, and
# shorter than it takes to fill the window, which would end the talk by itself.
BUSY_CHANCE: Final = 0.35
BUSY_BEFORE_MS: Final = 10 * SECOND
BUSY_MS: Final = 36 * SECOND
# In so many worlds some nodes reach each other through a mediator, honest or not.
MEDIATED_CHANCE: Final = 0.2
# How often it is looked whether alarms are heard, and how often, then, what silence would make of the boards.
EARS_MS: Final = 8 * SECOND
AHEAD_CHANCE: Final = 0.04
# One seed in a hundred signs with Ed25519.
REAL_EVERY: Final = 100
# What the shell's timers do: line checks every 30 to 60 s, checkpoints every minute (`service.py`).
CHECK_MS: Final = (30 * SECOND, 60 * SECOND)
CHECKPOINT_MS: Final = (55 * SECOND, 65 * SECOND)

# Somebody who lies need not come to rest. What others pass on comes with their line checks, a hundred entries with
# each: so long after the weather turned, two checks of every node and more, the honest ones have it all.
LIAR_MS: Final = 150 * SECOND
# What a line check finds is proven within this time: a few times there and back on a kind wire.
FOUND_MS: Final = 2 * SECOND


class Shape(msgspec.Struct, frozen=True):
    """Who is there: so many nodes; all on one line (`one_line`), or every two on a line of their own.
    `liar` is one of `LIARS`: what the last node is."""

    nodes: int = 2
    one_line: bool = False
    liar: str = ""

    @classmethod
    def drawn(cls, seed: int) -> Shape:
        """Two nodes most of the time; at times three to six, on one line or on many."""
        dice = Dice(seed).apart("shape")
        if dice.chance(0.06):
            return cls(dice.pick((3, 4)), one_line=True, liar=dice.pick(tuple(LIARS)))
        nodes = dice.weighted(((2, 0.84), (3, 0.10), (4, 0.04), (6, 0.02)))
        return cls(nodes, one_line=nodes > 2 and (nodes > 3 or dice.chance(0.7)))


TWO: Final = Shape()


class Outcome(msgspec.Struct):
    """What one seed came to. `tape` holds the lines only when a promise broke."""

    seed: int
    simulated_ms: int
    entries: int
    receipts: int
    deliveries: int
    message_faults: Counter[str]
    hard_faults: Counter[str]
    digest: str
    behind_back: int = 0
    spoke_first: int = 0
    broken: str = ""
    story: str = ""
    step: int = 0
    tape: list[str] = []
    people_faults: Counter[str] = msgspec.field(default_factory=Counter)


class World:
    # What carries deliveries, in whatever weather.
    wire: type[Network] = Network

    def __init__(
        self, seed: int, *, shape: Shape = TWO, site: type[Site] = Site, weather: Weather | None = None
    ) -> None:
        dice = Dice(seed)
        self.seed = seed
        self.now_ms = 0
        self.tape = Tape()
        self.promises = Promises(self.tape)
        self.hard: Counter[str] = Counter()
        self.shape = shape
        self.weather = weather or Weather.drawn(dice.apart("weather"))
        if shape.liar:
            self.weather = self.weather.without_restores()
        self._dice = dice.apart("world")
        self._plans: list[tuple[int, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._last_parcel_ms = 0
        self.kind = False
        self._network = self.wire(self.weather, dice.apart("network"), self._carry)
        real = seed % REAL_EVERY == REAL_EVERY - 1
        keys = [Keys(name, dice.apart(name), real=real) for name in NAMES[: shape.nodes]]
        kinds = [site] * len(keys)
        if shape.liar:
            kinds[-1] = LIARS[shape.liar]
            self.promises.liar = keys[-1].party
        self.sites = [
            self._site(k, dice.apart(f"{k.party}/site"), real, kind) for k, kind in zip(keys, kinds, strict=True)
        ]
        self._by_name = {s.party: s for s in self.sites}
        self._ears_dice = dice.apart("ears")
        self._ears = self.promises.ears = Ears(lambda: self.now_ms, Broken)
        for each in self.sites:
            if not isinstance(each, Liar):
                each.room = WatchRoom(each.party, dice.apart(f"{each.party}/desk"), self._ears, each.now, self.later)
        self.charters: list[Charter] = []
        for group in [tuple(keys)] if shape.one_line else itertools.combinations(keys, 2):
            ordered = list(group) if self._dice.chance(0.5) else list(reversed(group))
            # A third of the mechanisms have a second line, on which the agreement itself is talked about.
            lines = (
                (Purpose.FLIGHT_SAFETY, Purpose.WORKING_GROUP) if self._dice.chance(0.35) else (Purpose.FLIGHT_SAFETY,)
            )
            self.charters += parties.found(ordered, self._dice, lines=lines)
        self._network.signed = self._slipped
        self._mediators: dict[frozenset[str], Mediator] = {}
        if self._dice.chance(MEDIATED_CHANCE):
            self._mediate(dice.apart("mediators"), real=real)
        self._officers = {s.party: Officers(s, dice.apart(f"{s.party}/officers")) for s in self.sites}
        self._restores = Restores(self, dice.apart("restores"))

    def _mediate(self, dice: Dice, *, real: bool) -> None:
        """Some pairs of nodes reach each other through a neutral host only."""
        for name in ("HARBOUR", "ISLE"):
            manner = dice.weighted(MANNERS)
            host = Mediator(name, parties.signer(dice.octets(32), real=real), manner, dice, self._network.faults)
            for one, other in itertools.combinations(self.sites, 2):
                if dice.chance(0.6):
                    self._mediators.setdefault(frozenset((one.party, other.party)), host)

    def _slipped(self, parcel: Parcel) -> Parcel:
        if frozenset((parcel.sender, parcel.to)) not in self._mediators:
            return parcel
        slip = slip_for(parcel, self._by_name[parcel.sender].keys.node, self.now_ms)
        return msgspec.structs.replace(parcel, slip=slip)

    def _site(self, keys: Keys, dice: Dice, real: bool, kind: type[Site]) -> Site:
        clock = SimClock(dice.between(-2 * SECOND, 2 * SECOND), dice.between(-100, 100), dice.between(0, DAY))
        site = kind(
            keys, parties.verifier(real=real), clock, dice, self.tape, self.promises, lambda: self.now_ms, self.later,
            self._post,
        )  # fmt: skip
        site.on_crash = lambda: self._crashed(site)  # type: ignore[method-assign]
        return site

    # --- time ---

    def later(self, in_ms: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._plans, (self.now_ms + in_ms, next(self._count), act))

    def run(self) -> Outcome:
        outcome = Outcome(self.seed, 0, 0, 0, 0, self._network.faults, self.hard, "")
        try:
            self._begin()
            self._until_rest()
            if self.shape.liar:
                self.promises.despite(self.shape.liar, self.sites, self.charters)
            else:
                self.promises.at_rest(self.sites, self.charters)
        except SpokeFirst as why:
            self.tape.note(self.now_ms, "WORLD", f"ends: {why}")
            outcome.spoke_first = 1
        except Broken as broken:
            self._broke(outcome, broken)
        except Exception as why:  # an honest node never falls over, whatever the weather
            where = "".join(traceback.format_exception(why)[-3:])
            self._broke(outcome, Broken("sound", f"{why!r}\n{where}"))
        for site in self.sites:
            for (_, author), strand in site.disk.strands().items():
                outcome.entries += len(strand) if author == site.party else 0
            outcome.receipts += sum(1 for s in site.disk.sidecars() if s.kind == "stored" and s.author != site.party)
            self.hard["lost_write"] += site.lost_writes
        for site in self.sites:
            outcome.people_faults.update(site.room.faults if site.room is not None else ())
        outcome.behind_back = self._restores.behind_back
        outcome.simulated_ms = self.now_ms
        outcome.deliveries = self._network.deliveries
        outcome.digest = self.tape.digest()
        return outcome

    def _broke(self, outcome: Outcome, broken: Broken) -> None:
        self.tape.note(self.now_ms, "PROMISE", f"{broken.name} is broken: {broken.story}")
        outcome.broken, outcome.story, outcome.step = broken.name, broken.story, self.tape.step
        outcome.tape = self.tape.lines()

    def _begin(self) -> None:
        for charter in self.charters:
            for party in charter.members:
                self._open(charter, self._by_name[party])
                self._next_word(charter.ch, self._by_name[party])
        alone = self.weather.restores or bool(self.shape.liar)
        busy = self._dice.chance(BUSY_CHANCE) and not alone
        # Checks heal much: without restores and liars the carriers must manage without them, too.
        if alone or not (busy or self._dice.chance(0.3)):
            for site in self.sites:
                self._timer(site, ev.CheckLines(), CHECK_MS)
                self._timer(site, ev.SignCheckpoints(), CHECKPOINT_MS)
        self._restores.begin()
        self._listen()
        if isinstance(liar := self.sites[-1], Liar):
            liar.begin(self._dice.pick(self.sites[:-1]).party)
        self._next_storm()
        self.later(self.weather.lasts_ms, self._be_kind)
        if busy:
            self._be_busy()

    def _until_rest(self) -> None:
        deadline_ms = self.weather.lasts_ms + PATIENCE_MS
        while self._plans:
            at_ms, _, act = heapq.heappop(self._plans)
            if self.shape.liar and at_ms > self.weather.lasts_ms + LIAR_MS:
                return
            rest_ms = max(self._last_parcel_ms, self.weather.lasts_ms) + QUIET_MS
            if self.kind and not self.shape.liar and at_ms > rest_ms:
                return
            if at_ms > deadline_ms:
                raise Broken(
                    "stuck", f"there is still traffic {PATIENCE_MS // MINUTE} minutes after the weather turned"
                )
            self.now_ms = at_ms
            act()

    def _listen(self) -> None:
        """Is every alarm heard, and silence taken for nothing?"""

        def listen() -> None:
            for site in self.sites:
                self._ears.check(site)
                if self._ears_dice.chance(AHEAD_CHANCE):
                    self._ears.look_ahead(site, self._ears_dice)
            self._listen()

        self.later(EARS_MS, listen)

    def _timer(self, site: Site, event: ev.Event, every_ms: tuple[int, int]) -> None:
        def ring() -> None:
            if isinstance(event, ev.CheckLines) and self.shape.liar and self.kind:
                self._fork_is_found(site)
            site.submit(event)
            self._timer(site, event, every_ms)

        self.later(self._dice.between(*every_ms), ring)

    def _fork_is_found(self, site: Site) -> None:
        """This line check must show a fork between two honest nodes to both."""
        honest = [s for s in self.sites if s.party != self.promises.liar and s.up]
        for other in honest:
            if site in honest and other is not site and self.promises.forked(site, other, self.charters):
                lives = site.life, other.life

                def look(other: Site = other, lives: tuple[int, int] = lives) -> None:
                    if (site.life, other.life) == lives:
                        self.promises.proven(site, other)

                self.later(FOUND_MS, look)

    # --- the wire ---

    def _post(self, parcel: Parcel) -> None:
        if not parcel.routine:
            self._last_parcel_ms = self.now_ms
        self._network.post(parcel)

    def _carry(self, in_ms: int, parcel: Parcel) -> None:
        self.later(in_ms, lambda: self._through(parcel))

    def _through(self, parcel: Parcel) -> None:
        """By way of the mediator, where there is one."""
        host = self._mediators.get(frozenset((parcel.sender, parcel.to)))
        if host is None:
            self._arrive(parcel)
            return
        sender, to = self._by_name[parcel.sender], self._by_name[parcel.to]
        key = sender.keys.node.public
        passed = host.pass_on(parcel, parcel.slip, key, to.verifier, self.now_ms, kind=self.kind)
        if passed is None:
            return

        def hand_over() -> None:
            taken = take(passed, parcel, host.card, key, to.verifier)
            self.promises.handed(host, passed, taken)
            if isinstance(taken, Parcel):
                self._arrive(taken)
            else:
                self.tape.note(self.now_ms, parcel.to, f"names {host.card.mediator}, which altered a delivery")

        self.later(passed.in_ms, hand_over)

    def _arrive(self, parcel: Parcel) -> None:
        site = self._by_name[parcel.to]
        if not parcel.routine:
            self._last_parcel_ms = self.now_ms
        if site.up:
            self.tape.note(
                self.now_ms, parcel.to,
                f"hears {parcel.sender} {len(parcel.frames)} frames, {len(parcel.sidecars)} sidecars"
                f"{', CORRUPTED' if parcel.tainted else ''}",
            )  # fmt: skip
            event = ev.Arrived(parcel.ch, parcel.sender, parcel.frames, parcel.sidecars)
            site.submit(event, tainted=parcel.tainted)

    # --- people ---

    def _open(self, charter: Charter, site: Site) -> None:
        """The officer opens the line, and looks again until the node has it."""

        def look() -> None:
            known = site.up and (charter.ch in site.node.lines or charter.ch in site.node.pending)
            if not known:
                site.submit(ev.OpenLine(charter.signed[site.party], charter.cards))
                self.later(self._dice.around(5 * SECOND) + SECOND, look)

        self.later(self._dice.around(5 * SECOND), look)

    def _next_word(self, ch: str, site: Site) -> None:
        def speak() -> None:
            if self.kind:
                return
            for _ in range(self._dice.between(1, max(1, self.weather.burst))):
                event = self._officers[site.party].speak(ch) if site.up else None
                if event is not None:
                    site.submit(event)
            self._next_word(ch, site)

        self.later(self._dice.around(self.weather.pace_ms), speak)

    # --- hard faults ---

    def _next_storm(self) -> None:
        def befall() -> None:
            if not self.kind:
                self._storm(self._dice.weighted(self.weather.storms))
                self._next_storm()

        self.later(self._dice.around(self.weather.storm_ms), befall)

    def _storm(self, kind: Hard) -> None:
        dice = self._dice
        site = dice.pick(self.sites)
        match kind:
            case "crash":
                if site.up and site.doom is None:
                    if dice.chance(0.3):
                        site.crash()
                        site.on_crash()
                    else:
                        # In the middle of something: at one of the next points between two effects.
                        site.doom = dice.between(0, 9)
            case "cut_one_way" | "cut_both_ways":
                other = dice.pick([s for s in self.sites if s is not site])
                self.cut(site.party, other.party, both=kind == "cut_both_ways")
            case "clock_jump":
                self._jump(site)
            case "disk_full":
                if site.up and not site.disk.low:
                    self._fill(site)
            case "restore":
                self._restores.befall(site)

    def _crashed(self, site: Site) -> None:
        self.hard["crash"] += 1
        self.start_soon(site)

    def start_soon(self, site: Site) -> None:
        """Somebody switches it on again."""

        def start() -> None:
            site.start()
            if not self.kind:
                self._reached(site)

        self.later(self._dice.between(20, SECOND if self.kind else self._dice.pick((2, 30)) * SECOND), start)

    def _reached(self, site: Site) -> None:
        """The links of others find this node again; some notice at once, some only by their next repeat."""
        for other in self.sites:
            if other is not site and self._dice.chance(0.5):
                self.later(self._dice.between(10, 500), lambda o=other: o.submit(ev.Reached(site.party)))  # type: ignore[misc]

    def cut(self, one: str, other: str, *, both: bool) -> None:
        self.hard["cut_both_ways" if both else "cut_one_way"] += 1
        self.tape.note(self.now_ms, one, f"is cut off {'from' if both else 'towards'} {other}")
        ways = [(one, other), (other, one)] if both else [(one, other)]
        for sender, to in ways:
            self._network.cut(sender, to)

        def mend() -> None:
            if not self.kind:
                for sender, to in ways:
                    if self._network.mend(sender, to):
                        self.tape.note(self.now_ms, sender, f"reaches {to} again")
                        self._by_name[sender].submit(ev.Reached(to))

        self.later(self._dice.between(2 * SECOND, self._dice.pick((15, 60)) * SECOND), mend)

    def _jump(self, site: Site) -> None:
        self.hard["clock_jump"] += 1
        # Back to about right half of the time, so that a day is not added to a day.
        wrong = self._dice.chance(0.6)
        to_ms = self._dice.pick((-HOUR, -5 * MINUTE, 10 * MINUTE, DAY)) if wrong else 0
        by_ms = to_ms + self._dice.between(-SECOND, SECOND) - site.clock.skew_ms
        site.clock.jump(by_ms)
        self._ears.jumped(site.party, by_ms)
        self.tape.note(self.now_ms, site.party, f"its clock jumps by {by_ms / 1000:.1f} s")

    def _fill(self, site: Site) -> None:
        self.hard["disk_full"] += 1
        site.disk.fill(self._dice.between(0, 20_000))
        self.tape.note(self.now_ms, site.party, "its disk is nearly full")

        def room() -> None:
            if site.disk.low:
                site.disk.empty()
                self.tape.note(self.now_ms, site.party, "its disk has room")
                if site.up:
                    site.submit(ev.Tick())

        self.later(self._dice.between(5 * SECOND, 90 * SECOND), room)

    def _be_kind(self) -> None:
        self.kind = True
        self.tape.note(self.now_ms, "WORLD", "the weather turns kind")
        self._network.be_kind()
        if isinstance(liar := self.sites[-1], Liar):
            liar.weather_turned()
        links_notice = self._dice.chance(0.5)
        for site in self.sites:
            site.doom = None
            site.disk.empty()
            if self._dice.chance(0.5):
                self._ears.jumped(site.party, -site.clock.skew_ms)
                site.clock.jump(-site.clock.skew_ms)
            for other in self.sites:
                if links_notice and other is not site:
                    site.submit(ev.Reached(other.party))
            if site.up and self._dice.chance(0.2):
                # The last of the bad weather, after which nobody may have anything to say.
                site.crash()
                site.on_crash()

    def _be_busy(self) -> None:
        charter = self._dice.pick(self.charters)
        members = [self._by_name[party] for party in charter.members]
        talker = self._dice.pick(members)
        until_ms = self.weather.lasts_ms + BUSY_MS
        said: list[EntryRecord] = []

        def talk() -> None:
            if self.now_ms >= until_ms:
                self.promises.moved(said, members)
                return
            if talker.up and charter.ch in talker.node.lines:
                talker.submit(ev.SayNil(charter.ch, f"{talker.party}/watch-1", talker.now().t_ms + HOUR))
            self.later(self._dice.between(400, 800), talk)

        self.later(self.weather.lasts_ms - BUSY_BEFORE_MS, talk)
        self.later(
            self.weather.lasts_ms, lambda: said.extend(talker.disk.strands().get((charter.ch, talker.party), []))
        )
