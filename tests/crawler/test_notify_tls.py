"""Mail over TLS, from the start and by STARTTLS, to a real server whose certificate a test authority signed."""

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nights
import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ports import free_port
from test_notify import SECRET, Mailbox

from archive.times import moment
from crawler.morning import gather
from crawler.night import Night
from crawler.notify import Settings, notify_end

Kind = Literal["smtp", "smtps"]


@dataclass(frozen=True)
class Authority:
    """Signs certificates for servers; `file` is what makes a client trust it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    file: Path

    @classmethod
    def made(cls, file: Path) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"authority {file.stem}")])
        built = (
            _unsigned(name, name, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
        return cls(built, key, file)

    def context(self, address: str = "127.0.0.1", *, days: int = 10) -> ssl.SSLContext:
        """Of a server with a certificate for the address that ends in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server")])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        built = (
            _unsigned(name, self.certificate.subject, key, days=days)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        chain = self.file.with_name(f"{address}-{days}.pem")
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int = 10
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


class Server(Controller):
    """A mail server; the controller's own first connection would speak TLS with the server's context."""

    def _trigger_server(self) -> None:
        if self.ssl_context is None:
            super()._trigger_server()
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((self.hostname, self.port), 5) as plain,
            context.wrap_socket(plain) as connection,
        ):
            connection.recv(1)


@contextmanager
def serving(kind: Kind, context: ssl.SSLContext) -> Iterator[tuple[Mailbox, str]]:
    """A mailbox behind a server that takes passwords and mail over TLS alone, and the server's address."""
    box = Mailbox()
    options = {"ssl_context": context} if kind == "smtps" else {"tls_context": context, "require_starttls": True}
    server = Server(
        box,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=box.authenticated,
        auth_require_tls=kind == "smtp",
        ready_timeout=30,
        **options,
    )
    server.start()
    try:
        yield box, f"{kind}://me:{SECRET}@127.0.0.1:{server.port}"
    finally:
        server.stop()


@pytest.fixture
def night(tmp_path: Path) -> Night:
    with nights.opened(tmp_path / "data") as store:
        run_id = nights.night(store, 1, {"a": (12, {"ok": 3})})
        return gather(tmp_path, store.connection, run_id, clock=lambda: moment("2026-02-01T00:00:00Z"))


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = Authority.made(tmp_path / "trusted.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


def settings(url: str) -> Settings:
    return Settings(smtp_url=url, mail_to=("a@x.example",), mail_from="a@x.example")


@pytest.mark.parametrize("kind", ["smtp", "smtps"])
def test_mail_goes_out_encrypted_to_a_server_that_verifies(trusted: Authority, night: Night, kind: Kind) -> None:
    with serving(kind, trusted.context()) as (box, url):
        assert notify_end(night, 0, settings(url)) == ()
    assert box.logins == [(b"me", SECRET.encode())]
    assert [mail["Auto-Submitted"] for mail in box.mails] == ["auto-generated"]


@pytest.mark.parametrize("kind", ["smtp", "smtps"])
def test_a_server_of_an_unknown_authority_gets_neither_password_nor_mail(
    trusted: Authority, tmp_path: Path, night: Night, kind: Kind
) -> None:
    stranger = Authority.made(tmp_path / "stranger.pem")
    with serving(kind, stranger.context()) as (box, url):
        (finding,) = notify_end(night, 0, settings(url))
    assert "SSLCertVerificationError" in finding.message
    assert (box.logins, box.mails) == ([], [])


@pytest.mark.parametrize(("address", "days"), [("127.0.0.9", 10), ("127.0.0.1", -1)], ids=["another's", "expired"])
def test_a_certificate_that_is_not_the_servers_is_refused(
    trusted: Authority, night: Night, address: str, days: int
) -> None:
    with serving("smtp", trusted.context(address, days=days)) as (box, url):
        (finding,) = notify_end(night, 0, settings(url))
    assert "SSLCertVerificationError" in finding.message
    assert (box.logins, box.mails) == ([], [])


def test_a_server_that_speaks_plainly_where_tls_is_asked_for_is_a_finding(trusted: Authority, night: Night) -> None:
    with serving("smtp", trusted.context()) as (box, url):
        (finding,) = notify_end(night, 0, settings(url.replace("smtp://", "smtps://")))
    assert finding.message.startswith("the mail could not be sent: SSLError")
    assert (box.logins, box.mails) == ([], [])
