# SPDX-License-Identifier: Apache-2.0
"""TLS 1.3 between two nodes that know each other's certificate, and nobody else's.

Each node has one self-signed certificate; peers exchange it with the invitation, and people compare its fingerprint
over the telephone. There is no authority and no host name: a node may move to another address, and its certificate is
still it. A context made here trusts exactly the certificates it was given; any other ends the handshake before a byte
of ours is sent.

Dates do not count. A certificate says ten years, and `doctor` may warn, but a handshake never fails by them: the pin is
the identity, and a node whose clock went back to 1970, or an invitation from eleven years ago, must not silence a
warning. (OpenSSL: X509_V_FLAG_NO_CHECK_TIME.)

TLS keeps strangers and listeners out. It is not where identity is proven (that is the signature in each entry), nor the
only seal (`link/sealing.py`): a relay may end it.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from wideberth.errors import BadInput

CERTIFICATE_YEARS: Final = 10
# P-256 needs about 500 bytes; a PEM far beyond that is not one of ours and is not worth parsing.
_PEM_CHARS_MAX: Final = 16 * 1024
_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)  # x509_vfy.h; Python has no name for it


class Identity(msgspec.Struct, frozen=True):
    """A node's certificate and its private key, both PEM. `key_pem` is secret."""

    certificate_pem: str
    key_pem: bytes

    def __repr__(self) -> str:
        return f"Identity({fingerprint(self.certificate_pem)})"


def make_identity(party: str, now_ms: int) -> Identity:
    """A fresh ECDSA P-256 key and a self-signed certificate for it: ten years from a day before `now_ms` (UTC).

    P-256 rather than Ed25519 because every TLS stack, proxy and HSM a party may put in front speaks it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    start = datetime.fromtimestamp(now_ms / 1000, UTC) - timedelta(days=1)
    # A common name holds 64 characters (RFC 5280); it is a label for people who look, checked by nobody.
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, (party or "wideberth")[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * CERTIFICATE_YEARS + 3))
        # Not an authority: being trusted itself, it can still vouch for no other.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Identity(
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        key_pem=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def fingerprint(certificate_pem: str) -> str:
    """SHA-256 over the DER, 64 hex digits: what people compare. Raises: BadInput."""
    return hashlib.sha256(_der(certificate_pem)).hexdigest()


def valid_until_ms(certificate_pem: str) -> int:
    """The end that the certificate states, milliseconds UTC; for advice only, see above. Raises: BadInput."""
    return int(x509.load_der_x509_certificate(_der(certificate_pem)).not_valid_after_utc.timestamp() * 1000)


def server_context(own: Identity, clients: Iterable[str] | None = None) -> ssl.SSLContext:
    """What a node listens with. `clients`: certificates (PEM) of those who may connect; None: anybody may, and only
    the sealed and signed contents decide. With `clients` a stranger cannot even begin to speak HTTP.

    More clients can be let in later with `also_trust`. Raises: BadInput.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, own)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        for pem in clients:
            also_trust(context, pem)
    return context


def client_context(peer_pem: str, own: Identity | None = None) -> ssl.SSLContext:
    """What a node calls one peer with: only the holder of exactly `peer_pem` can answer. `own` is shown when the peer
    asks who calls. Raises: BadInput."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, own)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    also_trust(context, peer_pem)
    return context


def also_trust(context: ssl.SSLContext, pem: str) -> None:
    """One more certificate that `context` accepts, from the next handshake on. Raises: BadInput."""
    context.load_verify_locations(cadata=_der(pem))


def present(context: ssl.SSLContext, own: Identity) -> None:
    """Show another certificate from the next handshake on. Raises: BadInput."""
    _load(context, own)


def _context(protocol: ssl._SSLMethod, own: Identity | None) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= _NO_CHECK_TIME
    if own is not None:
        _load(context, own)
    return context


def _load(context: ssl.SSLContext, own: Identity) -> None:
    """`ssl` reads keys from files only. In memory where the system can (Linux), else a file of ours for a moment."""
    text = own.key_pem.rstrip() + b"\n" + own.certificate_pem.encode("ascii", "replace")
    in_memory = hasattr(os, "memfd_create")
    with os.fdopen(os.memfd_create("wideberth-tls"), "wb") if in_memory else tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        try:
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}" if in_memory else file.name)
        except ssl.SSLError:
            raise BadInput(
                "the node's own TLS key and certificate do not fit together; restore both files from one backup"
            ) from None


def _der(pem: str) -> bytes:
    """The one certificate in `pem`. Raises: BadInput."""
    if len(pem) <= _PEM_CHARS_MAX:
        try:
            return x509.load_pem_x509_certificate(pem.encode("ascii")).public_bytes(serialization.Encoding.DER)
        except ValueError:  # UnicodeEncodeError is one
            pass
    raise BadInput("this is not a certificate (PEM, -----BEGIN CERTIFICATE-----)", field="certificate")
