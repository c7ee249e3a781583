"""Two ways to speak TLS: verified, and relaxed for servers that verification cannot reach.

Old government servers offer self-signed or expired certificates, chains without the intermediate, TLS 1.0, 3DES or
renegotiation of before RFC 5746. Their pages are still wanted, but never silently: the verdict of the failed
verification and the chain the server showed are part of the exchange.
"""

from __future__ import annotations

import ssl
from typing import Any, Literal

import certifi

from archive.model import TlsFacts

Profile = Literal["plain", "verified", "relaxed"]


def verified_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Verifies chain and name against certifi's and the system's roots, and those in `ca_file` (PEM)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certifi.where())
    context.load_default_certs()
    if ca_file:
        context.load_verify_locations(ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


def relaxed_context() -> ssl.SSLContext:
    """Verifies nothing and accepts every protocol version and cipher that OpenSSL still carries."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Since OpenSSL 3, TLS 1.0 and 1.1 need level 0: their handshake signs with SHA-1.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= 0x4  # SSL_OP_LEGACY_SERVER_CONNECT; named in `ssl` since Python 3.12 only
    context.set_alpn_protocols(["http/1.1"])
    return context


def tls_facts(connection: ssl.SSLObject, *, verdict: str) -> TlsFacts:
    """What a finished handshake agreed on. `verdict` is why verification failed, "" when it did not."""
    cipher = connection.cipher()
    return TlsFacts(
        version=connection.version() or "",
        cipher=cipher[0] if cipher else "",
        verified=not verdict,
        verdict=verdict,
        chain=_chain(connection),
    )


def failure_text(error: Exception) -> str:
    """Short, stable description of a failed handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"handshake: {error.reason or error}"
    return f"handshake: {error or type(error).__name__}"


def _chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    """DER certificates as the server sent them; only its own where Python does not tell the others."""
    if hasattr(connection, "get_unverified_chain"):  # Python 3.13
        return tuple(connection.get_unverified_chain())
    inner: Any = getattr(connection, "_sslobj", None)
    if hasattr(inner, "get_unverified_chain"):  # Python 3.10 to 3.12
        return tuple(ssl.PEM_cert_to_DER_cert(shown.public_bytes()) for shown in inner.get_unverified_chain() or ())
    own = connection.getpeercert(binary_form=True)
    return (own,) if own else ()
