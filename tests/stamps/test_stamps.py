# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable

import msgspec
import pytest
from tsaworld import Authority, Tsa, openssl, serving, with_another_imprint, with_another_nonce

from wideberth.audit_records import Batch, look
from wideberth.clock import SystemClock
from wideberth.core.records import SidecarRecord
from wideberth.core.seal import canonical, checkpoint
from wideberth.core.seal.checkpoint import Checkpoint
from wideberth.core.seal.keys import Ed25519Signer
from wideberth.core.tells import FaultSeen
from wideberth.errors import BadInput, Malformed, StoreFull, Worlds
from wideberth.stamps import KIND, Question, Stamping, check_token, imprints, read_roots, sidecar, token_in

CH = "ab" * 32
NODE = Ed25519Signer(b"\x07" * 32)


def head(size: int = 3, epoch: str = "0" * 32) -> Checkpoint:
    return Checkpoint(CH, "BLUE", epoch, size, bytes([size % 256]) * 32)


TEXT = head().text()


def roots_of(authority: Authority):
    return read_roots([("root.pem", authority.root.read_bytes())])


@pytest.fixture(scope="session")
def roots(authority):
    return roots_of(authority)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def checked(answer: bytes, question: Question, roots):
    return question.check(answer, roots, now_ms(), now_ms())


# --- one question, one answer ---


def test_a_good_stamp_is_accepted_and_dated(authority, roots):
    question, asked_ms = Question(TEXT), now_ms()
    stamp = checked(authority.answer(question.der), question, roots)
    assert asked_ms - 1_000 <= stamp.t_ms <= now_ms()  # openssl's clock has whole seconds
    assert stamp.by == "CN=Coast TSA"
    assert imprints(stamp.token, TEXT)
    assert not imprints(stamp.token, head(4).text())


def test_a_kept_token_verifies_again_without_its_question(authority, roots):
    question = Question(TEXT)
    stamp = checked(authority.answer(question.der), question, roots)
    record = sidecar(stamp, CH, "BLUE", 5)
    assert (record.kind, record.key) == (KIND, canonical.sha256(record.envelope))
    assert check_token(token_in(record.envelope), TEXT, roots) == stamp
    with pytest.raises(Worlds, match="not what it was asked to stamp"):
        check_token(stamp.token, head(4).text(), roots)


def test_openssl_itself_accepts_what_is_kept(authority, roots, tmp_path):
    question = Question(TEXT)
    stamp = checked(authority.answer(question.der), question, roots)
    (tmp_path / "token.der").write_bytes(stamp.token)
    (tmp_path / "checkpoint.txt").write_text(TEXT)
    said = openssl("ts", "-verify", "-token_in", "-in", tmp_path / "token.der", "-data", tmp_path / "checkpoint.txt",
                   "-CAfile", authority.root)  # fmt: skip
    assert b"Verification: OK" in said


def test_a_stamp_of_something_else_is_refused(authority, roots):
    question = Question(TEXT)
    with pytest.raises(Worlds, match="not what it was asked to stamp"):
        checked(authority.answer(with_another_imprint(question.der)), question, roots)


def test_an_answer_to_another_question_is_refused(authority, roots):
    question = Question(TEXT)
    with pytest.raises(Worlds, match="Nonce"):
        checked(authority.answer(with_another_nonce(question.der)), question, roots)


def test_an_answer_is_good_for_its_own_question_only(authority, roots):
    first, second = Question(TEXT), Question(TEXT)
    answer = authority.answer(first.der)
    checked(answer, first, roots)
    with pytest.raises(Worlds, match="Nonce"):
        checked(answer, second, roots)


def test_a_stamp_under_another_root_is_refused(authority, tmp_path):
    question = Question(TEXT)
    stranger = roots_of(Authority(tmp_path / "other"))
    with pytest.raises(Worlds, match="does not verify"):
        checked(authority.answer(question.der), question, stranger)


def test_a_signer_whose_certificate_is_over_is_refused(tmp_path):
    authority = Authority(tmp_path / "tsa")
    authority.make_ended()
    question = Question(TEXT)
    checked(authority.answer(question.der), question, roots_of(authority))
    with pytest.raises(Worlds, match=r"does not verify.*certificate"):
        checked(authority.answer(question.der, "ended"), question, roots_of(authority))


def test_a_stamp_from_another_time_is_refused(authority, roots):
    question = Question(TEXT)
    answer = authority.answer(question.der)
    for off_ms in (-61_500, 61_500):
        with pytest.raises(Worlds, match="check both against a time source"):
            question.check(answer, roots, now_ms() + off_ms, now_ms() + off_ms)
    question.check(answer, roots, now_ms() - 59_000, now_ms() - 58_000)


def test_no_changed_byte_changes_what_a_stamp_says(authority, roots):
    """A token has a few bytes that nobody signs, such as the version of its outermost form; they mean nothing."""
    question = Question(TEXT)
    answer = authority.answer(question.der)
    good = checked(answer, question, roots)
    refused = 0
    for at in range(len(answer)):
        for flip in (0x01, 0xFF):
            bad = answer[:at] + bytes([answer[at] ^ flip]) + answer[at + 1 :]
            try:
                stamp = checked(bad, question, roots)
            except Worlds:
                refused += 1
            else:
                assert (stamp.t_ms, stamp.by) == (good.t_ms, good.by)
                assert imprints(stamp.token, TEXT)
    assert refused > 0.97 * 2 * len(answer)


@pytest.mark.parametrize("answer", [b"", b"\x30", b"not DER at all", bytes(2_000), b"\x30\x03\x02\x01\x00"])
def test_what_is_no_answer_is_refused(answer, roots):
    with pytest.raises(Worlds):
        checked(answer, Question(TEXT), roots)


def test_a_refusal_says_why(authority, roots):
    question = Question(TEXT)
    sha1 = question.der.replace(bytes.fromhex("0609608648016503040201"), bytes.fromhex("0609608648016503040203"))
    with pytest.raises(Worlds, match="gives no stamp"):
        checked(authority.answer(sha1), question, roots)


def test_files_without_certificates_are_named():
    with pytest.raises(BadInput, match=r"root\.txt"):
        read_roots([("root.txt", b"nothing")])


@pytest.mark.parametrize("envelope", [b"", b"{}", b'"!"', b"12"])
def test_what_is_no_kept_stamp_is_malformed(envelope):
    with pytest.raises(Malformed):
        token_in(envelope)


def test_the_audit_knows_stamps_and_names_a_spoilt_one(authority, roots):
    question = Question(TEXT)
    record = sidecar(checked(authority.answer(question.der), question, roots), CH, "BLUE", 5)
    spoilt = msgspec.structs.replace(record, envelope=b'"AAAA"', key=canonical.sha256(b'"AAAA"'))
    good, bad = look(Batch([record, spoilt], {}, {}, {}))
    assert (good.wrong, good.note) == ((), "")
    assert bad.wrong == ("it is kept as a time stamp, and is no DER",)


# --- a node's stamping ---


class Desk:
    """A `Stamping` with all that it keeps and tells."""

    def __init__(self, *tsas: Tsa, roots, answer_s: float = 5) -> None:
        self.kept: list[SidecarRecord] = []
        self.told: list[FaultSeen] = []
        self.full = False
        self.stamping = Stamping([t.url for t in tsas], roots, "BLUE", SystemClock(), keep=self._keep,
                                 tell=self.told.append, answer_s=answer_s)  # fmt: skip

    def _keep(self, record: SidecarRecord) -> None:
        if self.full:
            raise StoreFull("no room")
        self.kept.append(record)

    def signed(self, *heads: Checkpoint, author: str = "BLUE") -> None:
        """The node signed these checkpoints, and they are stored."""
        notes = [checkpoint.seal(each, NODE) for each in heads]
        self.stamping.offer(SidecarRecord(CH, checkpoint.KIND, author, canonical.sha256(n), n, 1) for n in notes)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.005)

    def names(self) -> list[str]:
        return [each.fault for each in self.told]


def run(desk: Desk, story) -> None:
    async def all_of_it() -> None:
        task = asyncio.create_task(desk.stamping.run())
        try:
            await story()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(all_of_it())


def test_own_checkpoints_are_stamped_once_and_others_never(authority, roots):
    with serving(authority) as tsa:
        desk = Desk(tsa, roots=roots)

        async def story() -> None:
            desk.signed(head(9), author="GREEN")
            desk.signed(head(3))
            await desk.until(lambda: desk.kept)
            desk.signed()
            desk.signed(head(5), head(2, "1" * 32))
            await desk.until(lambda: len(desk.kept) == 3)

        run(desk, story)
        assert tsa.asked == 3
    texts = [head(3).text(), head(5).text(), head(2, "1" * 32).text()]
    assert [check_token(token_in(r.envelope), t, roots).by for r, t in zip(desk.kept, texts, strict=True)]
    newest = desk.stamping.newest(CH)
    assert newest is not None
    assert (newest["size"], newest["epoch"], newest["by"]) == (2, "1" * 32, "CN=Coast TSA")
    assert desk.told == []


def test_a_broken_authority_is_named_once_tried_again_and_its_return_is_told(authority, roots):
    with serving(authority) as tsa:
        desk = Desk(tsa, roots=roots)

        async def story() -> None:
            tsa.behave = tsa.breaks
            for n in (1, 2, 3):
                desk.signed(head(n))
                await desk.until(lambda n=n: tsa.asked == n)
            await desk.until(desk.stamping.failing)
            assert desk.kept == []
            tsa.behave = tsa.well
            desk.signed()  # nothing new was said; what is due is due
            await desk.until(lambda: desk.kept)

        run(desk, story)
    assert desk.names() == ["NoStamp", "StampsAgain"]
    assert "HTTP 503" in desk.told[0].sentence
    assert tsa.url in desk.told[0].sentence
    assert {each.whose for each in desk.told} == {"world"}
    assert len(desk.kept) == 1
    check_token(token_in(desk.kept[0].envelope), head(3).text(), roots)


@pytest.mark.parametrize("fault", ["imprint", "nonce", "noise", "long"])
def test_a_wrong_answer_is_named_and_not_kept(authority, roots, fault):
    wrong = {
        "imprint": lambda q: (200, authority.answer(with_another_imprint(q))),
        "nonce": lambda q: (200, authority.answer(with_another_nonce(q))),
        "noise": lambda q: (200, b"<html>welcome</html>"),
        "long": lambda q: (200, bytes(70_000)),
    }
    with serving(authority) as tsa:
        tsa.behave = wrong[fault]
        desk = Desk(tsa, roots=roots)

        async def story() -> None:
            desk.signed(head())
            await desk.until(lambda: desk.told)

        run(desk, story)
    assert desk.names() == ["NoStamp"]
    assert desk.kept == []


def test_a_slow_authority_holds_nobody_up(authority, roots):
    release = threading.Event()

    def slow(_: bytes) -> tuple[int, bytes]:
        release.wait(10)
        return 503, b""

    with serving(authority) as quick, serving(authority) as tsa:
        tsa.behave = slow
        desk = Desk(tsa, quick, roots=roots, answer_s=0.4)

        async def story() -> None:
            desk.signed(head())
            await desk.until(lambda: desk.kept)
            assert desk.told == []  # the quick one has stamped while the slow one is still waited for
            await desk.until(lambda: desk.told)

        run(desk, story)
        assert desk.stamping.failing() == [tsa.url]
        release.set()
    assert "in time" in desk.told[0].sentence


def test_an_authority_that_is_down_is_named(authority, roots):
    with serving(authority) as tsa:
        pass
    desk = Desk(tsa, roots=roots)

    async def story() -> None:
        desk.signed(head())
        await desk.until(lambda: desk.told)

    run(desk, story)
    assert "cannot be reached" in desk.told[0].sentence
    assert desk.told[0].details == {"tsa": tsa.url, "why": "Unreachable"}


def test_a_full_disk_costs_a_stamp_and_nothing_else(authority, roots):
    with serving(authority) as tsa:
        desk = Desk(tsa, roots=roots)

        async def story() -> None:
            desk.full = True
            desk.signed(head(1))
            await desk.until(lambda: desk.told)
            desk.full = False
            desk.signed(head(2))
            await desk.until(lambda: desk.kept)

        run(desk, story)
    assert desk.names() == ["NoStamp", "StampsAgain"]


def test_after_a_start_the_newest_stamp_is_known_and_what_has_none_is_due(authority, roots):
    with serving(authority) as tsa:
        desk = Desk(tsa, roots=roots)

        async def first() -> None:
            desk.signed(head(3))
            await desk.until(lambda: desk.kept)

        run(desk, first)
        notes = [checkpoint.seal(h, NODE) for h in (head(1), head(3))]
        records = [checkpoint.sidecar(n, 1) for n in notes]
        again = Desk(tsa, roots=roots)
        again.stamping.reload(records, desk.kept)
        assert again.stamping.newest(CH) == desk.stamping.newest(CH)
        later = Desk(tsa, roots=roots)
        later.stamping.reload([*records, checkpoint.sidecar(checkpoint.seal(head(4), NODE), 1)], desk.kept)

        async def second() -> None:
            again.signed()
            later.signed()
            await later.until(lambda: later.kept)

        run(later, second)
    assert again.kept == []
    assert later.stamping.newest(CH)["size"] == 4
    assert tsa.asked == 2


def test_without_the_extra_it_says_what_to_install(monkeypatch, roots):
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    with pytest.raises(BadInput, match=r"wideberth\[tsa\]"):
        Stamping(["https://tsa.example"], roots, "BLUE", SystemClock(), keep=lambda _: None, tell=lambda _: None)
