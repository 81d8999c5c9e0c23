# SPDX-License-Identifier: Apache-2.0
"""A real time-stamping authority on this machine: `openssl ts` behind a small HTTP server on loopback.

    authority = Authority(folder)            roots, certificates and settings, made by openssl
    answer = authority.answer(question)      a DER answer to a DER question
    with serving(authority) as tsa:          tsa.url; tsa.behave = … to let it fail; tsa.asked counts

The signer's certificate alone is sent along: the client library is strict DER and refuses a set of certificates that
is not sorted, which `openssl ts` does not do for a chain of several (its setting `certs`).
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

OPENSSL = shutil.which("openssl")

CA = """
[ca]
default_ca = this
[this]
dir = {dir}
database = {dir}/index.txt
serial = {dir}/serial
new_certs_dir = {dir}/issued
certificate = {dir}/root.pem
private_key = {dir}/root.key
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[tsa]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
"""
TSA = """
[tsa]
default_tsa = this
[this]
serial = {dir}/stamps
signer_cert = {dir}/{name}.pem
signer_key = {dir}/{name}.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.32473.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def openssl(*arguments: str | Path) -> bytes:
    done = subprocess.run(
        [str(OPENSSL), *map(str, arguments)], capture_output=True, check=False, stdin=subprocess.DEVNULL
    )  # fmt: skip
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr.decode()[-600:]}"
    return done.stdout


class Authority:
    """A root and signers under it. A signer's certificate is valid from 2020 to 2099 but for `ended`, until 2021."""

    def __init__(self, folder: Path, name: str = "Coast TSA") -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "issued").mkdir()
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("1000")
        (folder / "stamps").write_text("01")
        (folder / "ca.cnf").write_text(CA.format(dir=folder))
        self.root = folder / "root.pem"
        openssl(
            "req", "-x509", *self._fresh_key("root"), "-out", self.root, "-days", "36500", "-subj", f"/CN={name} root"
        )  # fmt: skip
        self._issue("good", name, "20990101000000Z")

    def make_ended(self) -> None:
        """One signer more, `ended`."""
        self._issue("ended", "The ended one", "20210101000000Z")

    def _fresh_key(self, name: str) -> tuple[str | Path, ...]:
        key = self.folder / f"{name}.key"
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key

    def _issue(self, name: str, subject: str, ends: str) -> None:
        at = self.folder
        openssl("req", *self._fresh_key(name), "-out", at / f"{name}.csr", "-subj", f"/CN={subject}")
        openssl(
            "ca", "-batch", "-notext", "-config", at / "ca.cnf", "-in", at / f"{name}.csr", "-out", at / f"{name}.pem",
            "-extensions", "tsa", "-startdate", "20200101000000Z", "-enddate", ends,
        )  # fmt: skip
        (at / f"{name}.cnf").write_text(TSA.format(dir=at, name=name))

    def answer(self, question: bytes, signer: str = "good") -> bytes:
        query, reply = self.folder / "question.tsq", self.folder / "answer.tsr"
        query.write_bytes(question)
        openssl("ts", "-reply", "-config", self.folder / f"{signer}.cnf", "-queryfile", query, "-out", reply)
        return reply.read_bytes()


def with_another_imprint(question: bytes) -> bytes:
    found = re.search(rb"\x04\x20(.{32})", question, re.DOTALL)
    assert found is not None
    return question[: found.start(1)] + bytes(32) + question[found.end(1) :]


def with_another_nonce(question: bytes) -> bytes:
    """The nonce stands before the last three bytes, which ask for certificates."""
    assert question.endswith(b"\x01\x01\xff")
    return question[:-4] + bytes([question[-4] ^ 1]) + question[-3:]


class Tsa:
    """`behave(question)` gives status and body."""

    def __init__(self, url: str, authority: Authority) -> None:
        self.url = url
        self.authority = authority
        self.asked = 0
        self.behave: Callable[[bytes], tuple[int, bytes]] = self.well

    def well(self, question: bytes) -> tuple[int, bytes]:
        return 200, self.authority.answer(question)

    def breaks(self, _: bytes) -> tuple[int, bytes]:
        return 503, b"closed for repairs"


@contextlib.contextmanager
def serving(authority: Authority) -> Iterator[Tsa]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            question = self.rfile.read(int(self.headers["Content-Length"]))
            tsa.asked += 1
            status, body = tsa.behave(question)
            with contextlib.suppress(ConnectionError):  # who asked may have gone
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tsa = Tsa(f"http://127.0.0.1:{server.server_port}/tsr", authority)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield tsa
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
