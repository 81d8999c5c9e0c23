# SPDX-License-Identifier: Apache-2.0
"""Founding a mechanism of more than two parties from a node's folder: what is written, what is read, what is missing.

    foundings/NONCE.json    the founding, whose words were compared, the cards and signatures that came

Everything that is put into this file can be put in again, in any order and after any crash: what is written for the
others follows from it, byte by byte (Ed25519 signs alike every time). `core/seal/founding.py` says what the files are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from wideberth import join
from wideberth.core.say.rules import Mode, Rules
from wideberth.core.seal import canonical
from wideberth.core.seal import founding as seal
from wideberth.core.seal.agreement import LineTerms, parse_agreement, sign_agreement
from wideberth.core.seal.envelope import Envelope
from wideberth.core.seal.founding import (
    CharterFile,
    Founding,
    FoundingFile,
    JoiningFile,
    MeetingFile,
    Seat,
    SignatureFile,
)
from wideberth.core.seal.invite import Invite
from wideberth.core.seal.keys import Ed25519Verifier
from wideberth.core.seal.party import Card, read_card
from wideberth.errors import BadInput, Misuse, NotFound
from wideberth.fingerprint import fingerprint_words, same_words
from wideberth.home import Home
from wideberth.keyset import KeySet
from wideberth.rekey import own_card, root_signer

GroupFile = FoundingFile | JoiningFile | CharterFile | SignatureFile

_VERIFIER: Final = Ed25519Verifier()


class State(msgspec.Struct):
    """One founding on file. `compared`: party → root whose words an officer heard. `joined` is the founder's, of the
    others' cards; `charter` is there once every card is; `signed` is the agreement with the signatures known here."""

    file: FoundingFile
    compared: dict[str, str] = {}
    joined: dict[str, JoiningFile] = {}
    charter: CharterFile | None = None
    signed: Envelope | None = None


class Came(msgspec.Struct, frozen=True):
    """What came of a file. `what`: a JOINING, CHARTER or SIGNATURE to be carried on (`write`, `name`); PROGRESS, some
    are still missing; COMPLETE, every signature is there. `missing` names who is, and `of` says for what."""

    what: Literal["JOINING", "CHARTER", "SIGNATURE", "PROGRESS", "COMPLETE"]
    mechanism: str
    mode: str
    party: str
    missing: tuple[str, ...] = ()
    name: str = ""
    write: bytes = b""
    ch: str = ""


# --- the founder begins ---


def found(
    home: Home, *, seats: tuple[Seat, ...], mechanism: str, lines: tuple[LineTerms, ...], mode: Mode, rules: Rules,
    now_ms: int, entropy: Callable[[int], bytes], clauses: tuple[str, ...] = (), own: join.OwnKeys | None = None,
) -> tuple[Founding, bytes | None]:  # fmt: skip
    """Founds a mechanism: the file for everybody that has a seat and a node, one and the same for all. `own`: with
    keys of its own.

    Without any such other, the mechanism is at once in our folder, and every line of it is by voice (domain.md B13).
    """
    us = home.config.party
    founding = Founding(
        1, mechanism, mode, tuple(sorted(seats, key=lambda s: s.party)), lines, rules, now_ms, entropy(16).hex(),
        clauses,
    )  # fmt: skip
    seal.check_founding(founding, us)
    keys = join.keys_for(home, founding.nonce, mechanism, own, entropy, now_ms)
    card, root = own_card(home, keys), root_signer(home, keys)
    if founding.with_nodes == (us,):
        join.keep(home, sign_agreement(seal.agreement_of(founding, {us: root.public}), root), (card,), {})
        return founding, None
    file = seal.make_founding(card, founding, root)
    _save(home, State(file))
    return founding, canonical.encode(file)


# --- files come in ---


def parse(data: bytes) -> MeetingFile:
    """Any file of a meeting; those of two parties are `join.py`'s."""
    return seal.parse_file(data)


def words_in(data: bytes) -> str:
    """The words of who invites, or founds, by this file."""
    file = parse(data)
    if not isinstance(file, Invite | FoundingFile):
        raise Misuse("only an invitation or a founding names who begins")
    return fingerprint_words(read_card(file.card.encoded(), _VERIFIER).root)


def cards_in(data: bytes) -> list[Card]:
    """Every card in a file of a meeting. Nothing is believed but that its own root signed it."""
    file = parse(data)
    if isinstance(file, CharterFile):
        return _cards_of(file)
    return [] if isinstance(file, SignatureFile) else [read_card(file.card.encoded(), _VERIFIER)]


def look(home: Home, file: GroupFile) -> dict[str, Any]:
    """What a file says, for the officer to read before anything is signed: `compare` names whose words are needed."""
    state = _state_for(home, file)
    founding, founder = _founding(state), _founder(state)
    return {
        "file": {FoundingFile: "invitation", JoiningFile: "joining", CharterFile: "charter",
                 SignatureFile: "signature"}[type(file)],
        "party": founder.party, "words": fingerprint_words(founder.root), "url": founder.url,
        "contact": founder.contact, "mechanism": founding.mechanism, "nonce": founding.nonce,
        "lines": msgspec.to_builtins(founding.lines),
        "mode": founding.mode.value, "rules": msgspec.to_builtins(founding.rules),
        "seats": msgspec.to_builtins(founding.seats), "compare": list(_to_compare(state, file, home.config.party)),
    }  # fmt: skip


def accept(
    home: Home, file: GroupFile, words: Mapping[str, str], *, own: join.OwnKeys | None = None, now_ms: int = 0
) -> Came:
    """Take a file in. `words`: what each party read over the telephone, by its name. `own`: a founding is joined with
    keys of its own, made at `now_ms`.

    Every comparison that holds is kept, so that the next call needs only those that are missing. Raises BadInput when
    words differ or are missing, when the file is not for us, or changes what was offered: nothing is signed then.
    """
    us = home.config.party
    state = _state_for(home, file)
    cards = _cards_in(state, file, us)
    if strange := [party for party in words if party not in cards]:
        raise BadInput(f"this file has no card of {strange[0]}, only of {', '.join(cards) or 'nobody'}", field="words")
    wrong = None
    for party, heard in words.items():
        if same_words(heard, cards[party].root):
            state.compared[party] = cards[party].root
        else:
            wrong = party
    if words:
        _save(home, state)
    if wrong is not None:
        join.check_words(words[wrong], cards[wrong])
    if missing := _to_compare(state, file, us):
        raise BadInput(
            f"the words of {', '.join(missing)} were not compared yet. Call them, and give what they read: "
            + " ".join(f'--words {party}="…"' for party in missing)
            + ". Nothing was signed",
            field="words",
            compare=list(missing),
        )
    match file:
        case FoundingFile():
            founding = _founding(state)
            keys = join.keys_for(home, founding.nonce, founding.mechanism, own, now_ms=now_ms)
            return _join(home, state, keys)
        case JoiningFile():
            return _joined(home, state, file)
        case CharterFile():
            return _sign(home, state, file)
        case SignatureFile():
            return _merge(home, state, file)


def _join(home: Home, state: State, keys: KeySet) -> Came:
    made = seal.join_founding(state.file, own_card(home, keys), root_signer(home, keys), _VERIFIER)
    _save(home, state)
    return _came("JOINING", state, write=canonical.encode(made), name=f"joining-{home.config.party}.json")


def _joined(home: Home, state: State, file: JoiningFile) -> Came:
    card, _ = seal.read_joining(file, _VERIFIER)
    founding, us = _founding(state), home.config.party
    if state.charter is None:
        state.joined[card.party] = file
        _save(home, state)
    elif {c.party: c.root for c in _cards_of(state.charter)}.get(card.party) != card.root:
        raise BadInput(
            f"the charter is made, with another key of {card.party}; found another mechanism to change that",
            field="file",
        )
    missing = tuple(p for p in founding.with_nodes if p != us and p not in state.joined)
    if missing:
        return _came("PROGRESS", state, party=card.party, missing=missing)
    if state.charter is None:
        cards = [(read_card(f.card.encoded(), _VERIFIER), f.card) for f in state.joined.values()]
        keys = join.keys_for(home, founding.nonce)
        mine = own_card(home, keys)
        cards.append((read_card(mine.encoded(), _VERIFIER), mine))
        state.charter = seal.make_charter(founding, cards, root_signer(home, keys))
        state.signed = state.charter.agreement
        _save(home, state)
    return _came("CHARTER", state, party=card.party, write=canonical.encode(state.charter),
                 name=f"charter-{_slug(founding.mechanism)}.json", missing=_unsigned(state))  # fmt: skip


def _sign(home: Home, state: State, file: CharterFile) -> Came:
    root, us = root_signer(home, join.keys_for(home, _founding(state).nonce)), home.config.party
    if root.public not in (card.root for card in _cards_of(file) if card.party == us):
        raise BadInput(
            f"this charter names another key for {us} than this node holds. Nothing was signed", field="file"
        )
    made = seal.sign_charter(file, root)
    state.charter = file
    state.signed = seal.merge(file.agreement, made, _VERIFIER)[0]
    _save(home, state)
    joined = join.keep(home, state.signed, file.cards, state.compared)
    return _came("COMPLETE" if joined.complete else "SIGNATURE", state, write=canonical.encode(made),
                 name=f"signature-{home.config.party}.json", ch=joined.ch, missing=_unsigned(state))  # fmt: skip


def _merge(home: Home, state: State, file: SignatureFile) -> Came:
    if state.charter is None or state.signed is None:
        raise Misuse("a signature came before there was a charter")
    state.signed, names = seal.merge(state.signed, file, _VERIFIER)
    _save(home, state)
    party = ", ".join(name for name in names if name != home.config.party)
    if missing := _unsigned(state):
        return _came("PROGRESS", state, party=party, missing=missing)
    joined = join.keep(home, state.signed, state.charter.cards, state.compared)
    return _came("COMPLETE", state, party=party, ch=joined.ch)


def _came(what: Any, state: State, *, party: str = "", **more: Any) -> Came:
    founding = _founding(state)
    return Came(what, founding.mechanism, founding.mode.value, party or _founder(state).party, **more)


# --- how far each founding is ---


def foundings(home: Home) -> list[dict[str, Any]]:
    """Every founding and invitation of this folder that is not complete as far as the folder knows, oldest first:
    `members` with `card`, `compared` and `signed` (None: not known here), and who is `missing` for what comes next."""
    us, found = home.config.party, []
    for _, state in _states(home):
        founding, founder = _founding(state), _founder(state)
        signed = () if state.signed is None else seal.signed_by(state.signed, _VERIFIER)
        ours = founder.party == us
        cards = {founder.party, us, *state.joined, *(c.party for c in _cards_of(state.charter))}
        members = [
            {
                "party": seat.party, "by_voice": seat.by_voice, "card": None if seat.by_voice else seat.party in cards,
                "compared": None if seat.by_voice or seat.party == us else seat.party in state.compared,
                "signed": None if seat.by_voice else True if seat.party in signed else False if ours else None,
            }
            for seat in founding.seats
        ]  # fmt: skip
        missing, step = _next(state, us, signed)
        if step == "COMPLETE":
            continue
        found.append(
            {
                "mechanism": founding.mechanism, "mode": founding.mode.value, "founder": founder.party,
                "nonce": founding.nonce, "since_ms": founding.from_ms, "step": step, "missing": list(missing),
                "lines": msgspec.to_builtins(founding.lines), "members": members, "says": _says(step, missing, founder),
            }
        )  # fmt: skip
    return [*found, *_invitations(home)]


def _next(state: State, us: str, signed: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    founding, ours = _founding(state), _founder(state).party == us
    if ours and state.charter is None:
        return tuple(p for p in founding.with_nodes if p != us and p not in state.joined), "CARDS"
    if ours:
        missing = tuple(p for p in founding.with_nodes if p not in signed)
        return missing, "SIGNATURES" if missing else "COMPLETE"
    if us not in signed:
        return (), "CHARTER"
    missing = tuple(p for p in founding.with_nodes if p not in signed)
    return missing, "MERGING" if missing else "COMPLETE"


def _says(step: str, missing: tuple[str, ...], founder: Card) -> str:
    names = ", ".join(missing)
    return {
        "CARDS": f"waits for the joining files of {names}: `wideberth accept FILE` takes each",
        "SIGNATURES": f"waits for the signatures of {names}: `wideberth accept FILE` takes each",
        "CHARTER": f"waits for the charter, which {founder.party} sends when every card is there",
        "MERGING": f"we signed; {founder.party} gathers the signatures, and the lines open when the last one is there",
    }[step]


def _invitations(home: Home) -> Iterator[dict[str, Any]]:
    """Invitations of two parties that nobody has replied to."""
    folder = home.path / "invites"
    agreed = set()
    for _, agreement, _ in join.lines_on_file(home):
        agreed.add(parse_agreement(msgspec.json.decode(agreement, type=Envelope).payload_bytes()).nonce)
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        file = seal.parse_file(path.read_bytes())
        if isinstance(file, Invite) and path.stem not in agreed:
            seen = join.look(file)
            yield {
                "mechanism": seen["mechanism"], "mode": seen["mode"], "founder": home.config.party, "nonce": path.stem,
                "since_ms": seen["from_ms"], "step": "REPLY", "missing": [seen["to"]], "lines": seen["lines"],
                "members": [{"party": party, "by_voice": False, "card": party != seen["to"],
                             "compared": None if party == home.config.party else False, "signed": False}
                            for party in sorted((home.config.party, seen["to"]))],
                "says": f"waits for the reply of {seen['to']}: `wideberth accept FILE` takes it",
            }  # fmt: skip


# --- what is on file ---


def _founding(state: State) -> Founding:
    return seal.read_founding(state.file, _VERIFIER)[1]


def _founder(state: State) -> Card:
    return seal.read_founding(state.file, _VERIFIER)[0]


def _unsigned(state: State) -> tuple[str, ...]:
    signed = () if state.signed is None else seal.signed_by(state.signed, _VERIFIER)
    return tuple(p for p in _founding(state).with_nodes if p not in signed)


def _cards_of(charter: CharterFile | None) -> list[Card]:
    return [] if charter is None else [read_card(each.encoded(), _VERIFIER) for each in charter.cards]


def _state_for(home: Home, file: GroupFile) -> State:
    """The founding that a file belongs to. Raises NotFound, BadInput."""
    us = home.config.party
    match file:
        case FoundingFile():
            founder, founding, digest = seal.read_founding(file, _VERIFIER)
            if founder.party == us:
                raise BadInput("this is a founding of our own: carry it to the others", field="file")
            if us not in founding.with_nodes:
                names = ", ".join(seat.party for seat in founding.seats)
                raise BadInput(f"there is no seat for {us} in this mechanism; it is for {names}", field="file")
            known = next((s for _, s in _states(home) if _digest(s) == digest), None)
            return known or State(file)
        case JoiningFile():
            card, digest = seal.read_joining(file, _VERIFIER)
            for _, state in _states(home):
                if _digest(state) == digest and _founder(state).party == us:
                    if card.party == us or card.party not in _founding(state).with_nodes:
                        raise BadInput(f"there is no seat for {card.party} in this mechanism", field="file")
                    return state
            raise NotFound("this joins a mechanism that this node did not found", field="file")
        case CharterFile() | SignatureFile():
            agreement = parse_agreement(file.agreement.payload_bytes())
            for nonce, state in _states(home):
                ours = _founder(state).party == us
                if nonce == agreement.nonce and ours == isinstance(file, SignatureFile):
                    if ours and state.charter is None:
                        raise BadInput("this signs a charter that is not made yet; was it changed?", field="file")
                    return state
            what = "charter" if isinstance(file, CharterFile) else "signature"
            why = "accept the founder's invitation first" if what == "charter" else "signatures go to the founder alone"
            raise NotFound(f"this {what} is of no founding that it could belong to here; {why}", field="file")


def _cards_in(state: State, file: GroupFile, us: str) -> dict[str, Card]:
    """Whose words matter for a file, and what it says their cards are."""
    match file:
        case FoundingFile():
            founder = _founder(state)
            return {founder.party: founder}
        case JoiningFile():
            card, _ = seal.read_joining(file, _VERIFIER)
            return {card.party: card}
        case CharterFile():
            cards = seal.read_charter(file, _founding(state), _founder(state), _VERIFIER)
            return {party: card for party, card in cards.items() if party != us}
        case SignatureFile():
            return {}


def _to_compare(state: State, file: GroupFile, us: str) -> tuple[str, ...]:
    cards = _cards_in(state, file, us)
    return tuple(party for party, card in cards.items() if state.compared.get(party) != card.root)


def _digest(state: State) -> str:
    return canonical.sha256(state.file.founding.payload_bytes())


def _states(home: Home) -> Iterator[tuple[str, State]]:
    folder = home.path / "foundings"
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        yield path.stem, msgspec.json.decode(path.read_bytes(), type=State)


def _save(home: Home, state: State) -> None:
    join.write(_path(home, _founding(state).nonce), msgspec.json.encode(state))


def _path(home: Home, nonce: str) -> Path:
    return home.path / "foundings" / f"{nonce}.json"


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)
