# SPDX-License-Identifier: Apache-2.0
"""Any number of real cores in one mechanism of several lines; a wire between every two, which carries when told to."""

from __future__ import annotations

from tests.pair import RULES, T0, End, Keys, agreement_of
from wideberth.core import events as ev
from wideberth.core.batch import Batch, Now
from wideberth.core.call.accord import Accord
from wideberth.core.line import Line
from wideberth.core.say.rules import Mode, Purpose, Rules
from wideberth.core.say.standing import KeySignature
from wideberth.core.seal import canonical
from wideberth.core.seal.agreement import Agreement, LineTerms, channel_id, parse_agreement, sign_agreement
from wideberth.core.seal.envelope import AGREEMENT, read
from wideberth.core.tells import FaultSeen, Heard


class Several:
    """`lines` are the agreement's; without any, one flight-safety line with everybody."""

    def __init__(
        self, *names: str, lines: tuple[LineTerms, ...] = (), rules: Rules = RULES, mode: Mode = Mode.EXERCISE
    ) -> None:
        self.now = Now(T0, 0)
        self.keys = {name: Keys(name) for name in names}
        self.agreement, self.home = agreement_of(*self.keys.values(), lines=lines, rules=rules, mode=mode)
        self.founding = parse_agreement(read(self.agreement, AGREEMENT)[1])
        self.ends = {name: End(keys, "several") for name, keys in self.keys.items()}
        for end in self.ends.values():
            end.step(ev.OpenLine(self.agreement, tuple(k.card() for k in self.keys.values())), self.now)
        self.settle()

    def ch(self, purpose: Purpose, *members: str) -> str:
        """The id of a line; without members: everybody's."""
        return channel_id(self.founding, LineTerms(purpose, tuple(sorted(members or self.keys))))

    def line(self, name: str, ch: str = "") -> Line:
        return self.ends[name].node.lines[ch or self.home]

    def accord(self, name: str) -> Accord:
        return self.line(name).mechanism.accord

    def step(self, name: str, event: ev.Event) -> Batch:
        return self.ends[name].step(event, self.now)

    def later(self, ms: int) -> None:
        self.now = Now(self.now.t_ms + ms, self.now.mono_ms + ms)

    def settle(self, *talking: str, lose: frozenset[str] = frozenset()) -> None:
        """Carry everything between these members (all) until nothing more is said; what is for others, or on a line in
        `lose`, is lost, and will be repeated when its time comes."""
        names = talking or tuple(self.ends)
        for _ in range(300):
            moved = False
            for name in names:
                end = self.ends[name]
                out, end.out = end.out, []
                for send in out:
                    if send.to in names and send.ch not in lose:
                        event = ev.Arrived(send.ch, name, end.frames(send), send.sidecars)
                        self.ends[send.to].step(event, self.now)
                        moved = True
            if not moved:
                return
        raise AssertionError("they never came to rest")

    def repeat(self) -> None:
        """Half a minute later everything that is not receipted is sent again."""
        self.later(31_000)
        for name in self.ends:
            self.step(name, ev.Tick())
        self.settle()

    # --- the agreement ---

    def propose(self, name: str, agreement: Agreement, counters: str = "") -> str:
        """Returns the hash of the version."""
        text = canonical.encode(agreement).decode()
        self.step(name, ev.ProposeVersion(self.home, f"{name}/watch-1", text, counters))
        self.settle()
        return canonical.sha256(text.encode())

    def signature(self, name: str, agreement: Agreement) -> KeySignature:
        signed = sign_agreement(agreement, self.keys[name].root).signatures[0]
        return KeySignature(signed.keyid, signed.sig)

    def sign(self, name: str, agreement: Agreement) -> None:
        of = canonical.sha256(canonical.encode(agreement))
        self.step(name, ev.SignVersion(self.home, f"{name}/watch-1", of, self.signature(name, agreement)))

    def heard(self, name: str, kind: str) -> list[Heard]:
        return [t for t in self.ends[name].told if isinstance(t, Heard) and t.kind == kind]

    def faults(self, name: str) -> list[FaultSeen]:
        return [t for t in self.ends[name].told if isinstance(t, FaultSeen)]
