# SPDX-License-Identifier: Apache-2.0
"""Time stamps by somebody else (RFC 3161) on this node's own checkpoints. Optional; nothing ever waits for one.

    stamping = Stamping(urls, roots, "BLUE", clock, keep=…, tell=…)
    stamping.offer(batch.store)      after SignCheckpoints, once it is durable
    await stamping.run()             one task per authority, until cancelled

What is stamped is SHA-256 over a checkpoint's text: what its author signs, without the signature lines, so that a
stamp holds for every copy, cosigned or not. It says: this tree, and so each entry in it, was there at that time, by
the clock of an authority (TSA) that neither side runs. It says nothing about who signed, and never "not before".

The token is kept as it was sent: a sidecar of kind `stamp`, a JSON string of base64 DER (a CMS ContentInfo, RFC 3161
§2.4.2), filed under its own hash. It belongs to the checkpoint whose text has the hash in its message imprint.

When an authority fails, is slow or answers wrongly, that is told once; the newest checkpoint is tried again whenever
checkpoints are signed. A newer checkpoint of an epoch covers the older ones, so only the newest one waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wideberth.clock import Clock
from wideberth.core.limits import KIB
from wideberth.core.records import Record, SidecarRecord
from wideberth.core.say import instant
from wideberth.core.seal import canonical, checkpoint
from wideberth.core.seal.keys import b64, unb64
from wideberth.core.tells import FaultSeen
from wideberth.errors import BadInput, Fault, Malformed, Unreachable, Worlds

if TYPE_CHECKING:
    import aiohttp
    import rfc3161_client
    from cryptography.x509 import Certificate

KIND: Final = "stamp"  # of the sidecar that keeps one
# An authority that takes longer has a bad minute; the next one comes.
ANSWER_S: Final = 10.0
# Tokens are 1 to 6 kB, with all certificates of a long chain.
ANSWER_BYTES_MAX: Final = 64 * KIB
# A token made for our nonce was made between question and answer. Beyond this either clock is badly wrong, and a TSA
# whose certificate has ended cannot date itself back into its time.
APART_MS_MAX: Final = 60_000
# Checkpoints of a line that a stored stamp is matched with after a start; later ones are matched as they are stamped.
_MATCHED: Final = 256

_SHA256: Final = "2.16.840.1.101.3.4.2.1"
# PKIStatusInfo "granted" (RFC 3161 §2.4.2): with it a token becomes the answer that the library reads.
_GRANTED: Final = bytes.fromhex("3003020100")


class Stamp(msgspec.Struct, frozen=True):
    """A token that verified. `t_ms` is the authority's clock, UTC; `by` the subject of its certificate (RFC 4514)."""

    t_ms: int
    by: str
    token: bytes


# --- question and answer ---


class Question:
    """One request for one checkpoint's text, with a nonce of its own. `der` is what is posted."""

    def __init__(self, text: str) -> None:
        lib = _library()
        builder = lib.TimestampRequestBuilder().data(text.encode()).hash_algorithm(lib.HashAlgorithm.SHA256)
        request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
        self.text = text
        self.nonce = request.nonce
        self.der = request.as_bytes()

    def check(self, answer: bytes, roots: Sequence[Certificate], asked_ms: int, answered_ms: int) -> Stamp:
        """The stamp in an answer: for this text, this nonce, under one of `roots`, and made just now. Raises Worlds."""
        stamp = _checked(answer, self.text, roots, self.nonce)
        if not asked_ms - APART_MS_MAX <= stamp.t_ms <= answered_ms + APART_MS_MAX:
            raise Worlds(
                f"its clock says {instant.show(stamp.t_ms)} and this node's {instant.show(answered_ms)}; check both "
                "against a time source"
            )
        return stamp


def check_token(token: bytes, text: str, roots: Sequence[Certificate]) -> Stamp:
    """A kept token again, years later: the certificates must have been valid when it was made. Raises Worlds."""
    return _checked(_as_answer(token), text, roots, None)


def _checked(answer: bytes, text: str, roots: Sequence[Certificate], nonce: int | None) -> Stamp:
    lib = _library()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd certificates are refused by what follows, not by a line on a terminal
            response = lib.decode_timestamp_response(answer)
            if response.status != lib.PKIStatus.GRANTED:
                why = "; ".join(response.status_string) or f"status {int(response.status)}"
                raise Worlds(f"it gives no stamp ({why[:200]})")
            imprint = response.tst_info.message_imprint
            digest = hashlib.sha256(text.encode()).digest()
            if imprint.hash_algorithm.dotted_string != _SHA256 or imprint.message != digest:
                raise Worlds("what it stamped is not what it was asked to stamp")
            lib.VerifierBuilder(roots=list(roots), nonce=nonce).build().verify(response, digest)
            return Stamp(_t_ms(response), _signer(response), response.time_stamp_token())
    except Fault:
        raise
    except Exception as why:  # the library's own faults, and those of the parsers below it
        raise Worlds(f"its answer does not verify ({str(why)[:200]})") from None


def _as_answer(token: bytes) -> bytes:
    """A DER sequence of status and token: what the library reads."""
    body = _GRANTED + token
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    length = size if len(body) < 0x80 else bytes([0x80 | len(size)]) + size
    return b"\x30" + length + body


def _t_ms(response: rfc3161_client.TimeStampResponse) -> int:
    return round(response.tst_info.gen_time.timestamp() * 1000)


def _signer(response: rfc3161_client.TimeStampResponse) -> str:
    from cryptography import x509

    (signer,) = response.signed_data.signer_infos
    for der in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(der)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            return certificate.subject.rfc4514_string()
    raise Worlds("its answer holds no certificate of the one who signed it")


def _said(token: bytes) -> tuple[int, str] | None:
    """Time and signer as a token of our own store says them, unverified; None when it cannot be read."""
    try:
        response = _library().decode_timestamp_response(_as_answer(token))
        return _t_ms(response), _signer(response)
    except (Fault, ValueError):
        return None


def _library() -> Any:
    """Lazy: the library is an extra, and only a node with a TSA needs it. Raises BadInput."""
    try:
        import rfc3161_client
    except ImportError:
        raise BadInput("time stamps need the extra `tsa`: install wideberth[tsa]", field="tsa") from None
    return rfc3161_client


def read_roots(files: Iterable[tuple[str, bytes]]) -> tuple[Certificate, ...]:
    """Root certificates out of PEM files, each named. Raises BadInput."""
    from cryptography import x509

    found: list[Certificate] = []
    for name, pem in files:
        try:
            here = x509.load_pem_x509_certificates(pem)
        except ValueError:
            raise BadInput(f"{name} holds no certificates in PEM", field="tsa_roots") from None
        found.extend(certificate for certificate in here if certificate not in found)
    return tuple(found)


# --- what is kept ---


def sidecar(stamp: Stamp, ch: str, author: str, stored_ms: int) -> SidecarRecord:
    """As the store keeps it; `author` is whose checkpoint it is."""
    envelope = msgspec.json.encode(b64(stamp.token))
    return SidecarRecord(ch, KIND, author, canonical.sha256(envelope), envelope, stored_ms)


def token_in(envelope: bytes) -> bytes:
    """The DER in a kept stamp. Raises Malformed."""
    try:
        return unb64(msgspec.json.decode(envelope, type=str), "stamp")
    except msgspec.DecodeError as why:
        raise Malformed(f"stamp: {why}") from None


def imprints(token: bytes, text: str) -> bool:
    """Whether a token holds the hash of this text: to find the checkpoint by, never to believe."""
    return hashlib.sha256(text.encode()).digest() in token


# --- the tasks ---


class _Authority:
    """One TSA: what waits to be stamped (the newest checkpoint of each epoch), and whether it worked last time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.due: dict[str, checkpoint.Checkpoint] = {}
        self.wanted = asyncio.Event()
        self.failing = False


class Stamping:
    """`keep` makes a record durable or raises a Fault; `tell` takes what people should know. On the loop's thread."""

    def __init__(
        self, urls: Sequence[str], roots: Sequence[Certificate], us: str, clock: Clock, *,
        keep: Callable[[SidecarRecord], None], tell: Callable[[FaultSeen], None], answer_s: float = ANSWER_S,
    ) -> None:  # fmt: skip
        _library()
        self._authorities = [_Authority(url) for url in urls]
        self._roots = tuple(roots)
        self._us = us
        self._clock = clock
        self._keep = keep
        self._tell = tell
        self._answer_s = answer_s
        self._newest: dict[str, dict[str, Any]] = {}

    def reload(self, checkpoints: Iterable[SidecarRecord], stamps: Iterable[SidecarRecord]) -> None:
        """What the store holds, oldest first, before `run`: the newest checkpoint without a stamp is due again."""
        heads: dict[str, deque[checkpoint.Checkpoint]] = {}
        for record in (r for r in checkpoints if r.author == self._us):
            here = heads.setdefault(record.ch, deque(maxlen=_MATCHED))
            here.append(checkpoint.read(record.envelope)[0])
        tokens: dict[str, deque[bytes]] = {}
        for record in stamps:
            with contextlib.suppress(Malformed):  # the audit names it
                tokens.setdefault(record.ch, deque(maxlen=_MATCHED)).append(token_in(record.envelope))
        for ch, here in heads.items():
            kept = tokens.get(ch, ())
            for head in {head.origin: head for head in here}.values():
                if not any(imprints(token, head.text()) for token in kept):
                    self._due(head)
        for ch, kept in tokens.items():
            if (said := _said(kept[-1])) is not None:
                match = next((h for h in reversed(heads.get(ch, ())) if imprints(kept[-1], h.text())), None)
                self._note(ch, match, *said)

    def newest(self, ch: str) -> dict[str, Any] | None:
        """`{"t_ms", "by", "epoch", "size"}` of a line's newest stamp; `size`: it covers our entries up to there."""
        return self._newest.get(ch)

    def failing(self) -> list[str]:
        """Authorities that gave no stamp when they were last asked."""
        return [each.url for each in self._authorities if each.failing]

    def offer(self, records: Iterable[Record]) -> None:
        """What was just made durable; own checkpoints in it are stamped. Never waits. What is due is tried again."""
        for record in records:
            if isinstance(record, SidecarRecord) and (record.kind, record.author) == (checkpoint.KIND, self._us):
                self._due(checkpoint.read(record.envelope)[0])
        for authority in self._authorities:
            if authority.due:
                authority.wanted.set()

    def _due(self, head: checkpoint.Checkpoint) -> None:
        for authority in self._authorities:
            authority.due[head.origin] = head

    async def run(self) -> None:
        """Until cancelled."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=self._answer_s)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as http:
            await asyncio.gather(*(self._serve(http, authority) for authority in self._authorities))

    async def _serve(self, http: aiohttp.ClientSession, authority: _Authority) -> None:
        while True:
            await authority.wanted.wait()
            authority.wanted.clear()
            try:
                while authority.due:
                    origin, head = next(iter(authority.due.items()))
                    await self._stamp(http, authority.url, head)
                    if authority.due.get(origin) is head:
                        del authority.due[origin]
                    self._works(authority)
            except Fault as fault:
                self._failed(authority, fault)

    async def _stamp(self, http: aiohttp.ClientSession, url: str, head: checkpoint.Checkpoint) -> None:
        question = await asyncio.to_thread(Question, head.text())
        asked_ms = self._clock.now().t_ms
        answer = await _post(http, url, question.der)
        now_ms = self._clock.now().t_ms
        stamp = await asyncio.to_thread(question.check, answer, self._roots, asked_ms, now_ms)
        self._keep(sidecar(stamp, head.ch, self._us, now_ms))
        self._note(head.ch, head, stamp.t_ms, stamp.by)

    def _note(self, ch: str, head: checkpoint.Checkpoint | None, t_ms: int, by: str) -> None:
        self._newest[ch] = {
            "t_ms": t_ms, "by": by, "epoch": head.epoch if head else "", "size": head.size if head else 0
        }  # fmt: skip

    def _failed(self, authority: _Authority, fault: Fault) -> None:
        if authority.failing:
            return
        authority.failing = True
        sentence = (
            f"no time stamps from {authority.url}: {fault.sentence}. The record goes on without them, and it is asked "
            "again with every checkpoint"
        )
        details = {"tsa": authority.url, "why": fault.name}
        self._tell(FaultSeen("NoStamp", "world", sentence, details=details))

    def _works(self, authority: _Authority) -> None:
        if authority.failing:
            authority.failing = False
            sentence = f"time stamps from {authority.url} come again"
            self._tell(FaultSeen("StampsAgain", "world", sentence, details={"tsa": authority.url}))


async def _post(http: aiohttp.ClientSession, url: str, der: bytes) -> bytes:
    """RFC 3161 §3.4. Raises Unreachable, Worlds."""
    import aiohttp

    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    answer = bytearray()
    try:
        async with http.post(url, data=der, headers=headers, allow_redirects=False) as response:
            if response.status != 200:
                raise Worlds(f"it answers HTTP {response.status}")
            async for chunk in response.content.iter_chunked(8 * KIB):
                answer += chunk
                if len(answer) > ANSWER_BYTES_MAX:
                    raise Worlds(f"its answer is longer than {ANSWER_BYTES_MAX} bytes")
    except TimeoutError:
        raise Unreachable("it does not answer in time") from None
    except (aiohttp.ClientError, OSError) as why:
        raise Unreachable(f"it cannot be reached ({str(why)[:200] or type(why).__name__})") from None
    return bytes(answer)
