"""WARC and WACZ files as other tools write them, made by hand: every oddity in its place."""

import gzip
import hashlib
import io
import json
import socket
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

DATE = "2021-01-05T08:00:00Z"


def http(body: bytes, *headers: bytes, status: bytes = b"200 OK", media_type: bytes = b"text/html") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: " + media_type, *headers]
    if not any(header.lower().startswith(b"transfer-encoding") for header in headers):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(body: bytes) -> bytes:
    middle = len(body) // 2
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:middle], body[middle:])) + b"0\r\n\r\n"


def page(text: str) -> bytes:
    return f"<!doctype html><html><head><title>{text}</title></head><body><p>{text}</p></body></html>".encode()


def record(
    kind: str, url: str | None, block: bytes, *, name: str = "", date: str = DATE, version: str = "1.0", **fields: str
) -> bytes:
    """One record. `name` makes its id; `fields` are further ones, `_` for `-`, the date's value as given."""
    headers = {"WARC-Type": kind, "WARC-Date": date}
    if name:
        headers["WARC-Record-ID"] = record_id(name)
    if url is not None:
        headers["WARC-Target-URI"] = url
    headers |= {field.replace("_", "-"): value for field, value in fields.items()}
    headers.setdefault("Content-Type", "application/http; msgtype=response" if kind != "resource" else "text/html")
    headers.setdefault("Content-Length", str(len(block)))
    lines = "".join(f"{field}: {value}\r\n" for field, value in headers.items())
    return f"WARC/{version}\r\n{lines}\r\n".encode() + block + b"\r\n\r\n"


def record_id(name: str) -> str:
    return f"<urn:uuid:{hashlib.md5(name.encode()).hexdigest()}>"


def info() -> bytes:
    return record("warcinfo", None, b"software: another tool\r\n", name="info", Content_Type="application/warc-fields")


def by_member(records: list[bytes]) -> bytes:
    return b"".join(gzip.compress(one, mtime=0) for one in records)


def one_stream(records: list[bytes]) -> bytes:
    return gzip.compress(b"".join(records), mtime=0)


def wacz(members: dict[str, bytes], hashes: dict[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    resources = [{"path": name, "hash": digest} for name, digest in (hashes or {}).items()]
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("datapackage.json", json.dumps({"profile": "data-package", "resources": resources}))
        for name, data in members.items():
            package.writestr(name, data)
    return out.getvalue()


def fetched(url: str) -> bytes:
    """The bytes that a server sends for `url`."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def saved(folder: Path, data: bytes, name: str = "other.warc.gz") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
