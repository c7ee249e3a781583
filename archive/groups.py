"""The WARC records of one exchange, written and read back: a group that ends with its metadata record.

    [certificates] response | revisit, request, [interim …], [trailing], [rendered], metadata

What a browser drew is a resource record, or a revisit of an earlier one with the same bytes, whose place the metadata
has. The metadata record is the mark that the group is whole; without it the group does not count. Run, site and
decision records are groups of their own. Everything that is not HTTP under its own URL stands under `urn:gongkai:`, so
that replay tools do not take it for the page.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from archive import http1
from archive.model import Exchange, Outcome, Role, Target, TlsFacts, Truncation
from archive.prepare import Prepared
from archive.reader import Located, Record, records
from archive.records import (
    BYTES_TYPE,
    JSON_TYPE,
    PROFILE_IDENTICAL,
    PROFILE_NOT_MODIFIED,
    REQUEST_TYPE,
    RESPONSE_TYPE,
    URN,
    WarcRecord,
    json_block,
    new_record_id,
)
from archive.rows import Finished, FullResponse
from archive.times import instant, moment

CAPTURE = "capture"
RUN_BEGIN = "run_begin"
RUN_END = "run_end"
SITE = "site"
IMPORT = "import"
DECISION = "decision"
# What a browser made of a page, beside the response that it was given.
RENDERED = f"{URN}rendered:"
HTML_TYPE = "text/html; charset=utf-8"
# How compressed bodies begin: gzip, zip (docx, xlsx, ofd), rar, 7z, JPEG, PNG; gzip in the first of several chunks.
_DENSE = (b"\x1f\x8b\x08", b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\xff\xd8\xff", b"\x89PNG")
_GZIP_IN_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,8}[^\n]{0,16}\n\x1f\x8b\x08")
_MAGIC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Marking:
    """What only the recorder knows of a capture: its run and what became of its frontier row."""

    run_id: str
    outcome: Outcome
    finished: Finished = "acknowledged"
    not_before: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """The resource record that holds what a browser drew, and where it lies. `digest` is that of its bytes."""

    record_id: str
    date: str
    digest: str
    warc_file: str
    offset: int
    length: int


def capture_records(
    prepared: Prepared,
    marking: Marking,
    refers_to: FullResponse | None,
    known_certificates: set[str],
    drawn_before: Drawn | None = None,
) -> tuple[list[WarcRecord], int]:
    """The records of one exchange in the order to be written, and the index of the main one.

    `refers_to` makes it a revisit, and `drawn_before` what was drawn of it. Certificates not yet in
    `known_certificates` come first and are added to it.
    """
    exchange = prepared.exchange
    date = instant(exchange.started_at)
    wire = _wire_headers(exchange)
    metadata_id = new_record_id()
    main_id = new_record_id() if exchange.response else metadata_id
    concurrent = (("WARC-Concurrent-To", main_id),)
    found = _certificates(exchange, date, known_certificates)
    response_index = len(found)
    if exchange.response:
        found.append(_main_record(prepared, main_id, date, wire, refers_to))
    if exchange.request:
        found.append(
            WarcRecord(
                "request", new_record_id(), date, exchange.url, REQUEST_TYPE, exchange.request, wire + concurrent
            )
        )
    for interim in exchange.interim:
        found.append(_side_record("interim", RESPONSE_TYPE, date, interim, concurrent))
    if exchange.trailing:
        found.append(_side_record("trailing", BYTES_TYPE, date, exchange.trailing, concurrent))
    if exchange.rendered is not None:
        found.append(_drawn_record(exchange.url, exchange.rendered, date, concurrent, drawn_before))
    facts = _capture_facts(prepared, marking)
    if drawn_before is not None:
        facts["drawn_before"] = asdict(drawn_before)
    block = json_block(facts)
    target_uri = f"{URN}{CAPTURE}:{metadata_id[10:-1]}"
    headers = concurrent if exchange.response else ()
    found.append(WarcRecord("metadata", metadata_id, date, target_uri, JSON_TYPE, block, headers))
    return found, response_index if exchange.response else len(found) - 1


def _drawn_record(
    url: str, drawn: bytes, date: str, headers: tuple[tuple[str, str], ...], before: Drawn | None
) -> WarcRecord:
    uri = f"{RENDERED}{url}"
    if before is None:
        return WarcRecord("resource", new_record_id(), date, uri, HTML_TYPE, drawn, headers)
    headers += (
        ("WARC-Profile", PROFILE_IDENTICAL),
        ("WARC-Refers-To", before.record_id),
        ("WARC-Refers-To-Target-URI", uri),
        ("WARC-Refers-To-Date", before.date),
        ("WARC-Payload-Digest", before.digest),
    )
    return WarcRecord("revisit", new_record_id(), date, uri, HTML_TYPE, b"", headers)


def note_record(kind: str, name: str, date: str, facts: dict[str, object]) -> WarcRecord:
    """A metadata record of its own: the beginning or end of a run, a site file, a decision."""
    return WarcRecord(
        "metadata", new_record_id(), date, f"{URN}{kind}:{name}", JSON_TYPE, json_block({"type": kind, **facts})
    )


def _main_record(
    prepared: Prepared, record_id: str, date: str, wire: tuple[tuple[str, str], ...], refers_to: FullResponse | None
) -> WarcRecord:
    exchange, headers = prepared.exchange, wire
    if refers_to is None:
        if prepared.payload_digest is not None:
            headers += (("WARC-Payload-Digest", prepared.payload_digest),)
        if exchange.truncated is not None:
            headers += (("WARC-Truncated", exchange.truncated),)
        is_dense = _is_dense(prepared)
        block = exchange.response
        return WarcRecord("response", record_id, date, exchange.url, RESPONSE_TYPE, block, headers, is_dense)
    is_unmodified = prepared.outcome == "not_modified"
    headers += (
        ("WARC-Profile", PROFILE_NOT_MODIFIED if is_unmodified else PROFILE_IDENTICAL),
        ("WARC-Refers-To", refers_to.record_id),
        ("WARC-Refers-To-Target-URI", refers_to.url),
        ("WARC-Refers-To-Date", refers_to.captured_at),
    )
    if is_unmodified:
        return WarcRecord("revisit", record_id, date, exchange.url, RESPONSE_TYPE, exchange.response, headers)
    headers += (("WARC-Payload-Digest", refers_to.payload_digest),)
    head_length = prepared.head.length if prepared.head else 0
    block = exchange.response[:head_length]
    return WarcRecord("revisit", record_id, date, exchange.url, RESPONSE_TYPE, block, headers)


def _is_dense(prepared: Prepared) -> bool:
    """A body that came compressed, by its coding or by its kind."""
    if prepared.head is None:
        return False
    body = prepared.exchange.response[prepared.head.length : prepared.head.length + _MAGIC_BYTES]
    return body.startswith(_DENSE) or _GZIP_IN_CHUNK.match(body) is not None


def _wire_headers(exchange: Exchange) -> tuple[tuple[str, str], ...]:
    headers: tuple[tuple[str, str], ...] = ()
    if exchange.peer:
        headers += (("WARC-IP-Address", _address(exchange.peer)),)
    headers += (("WARC-Protocol", "http/1.1"),)
    if exchange.tls is not None:
        headers += (
            ("WARC-Protocol", exchange.tls.version.lower().replace("tlsv", "tls/")),
            ("WARC-Cipher-Suite", exchange.tls.cipher),
        )
    return headers


def _address(peer: str) -> str:
    """The IP address of `peer`, which may carry a port: `192.0.2.1:80`, `[2001:db8::1]:80`."""
    if peer.startswith("["):
        return peer[1:].partition("]")[0]
    return peer.partition(":")[0] if peer.count(":") == 1 else peer


def _certificates(exchange: Exchange, date: str, known: set[str]) -> list[WarcRecord]:
    found = []
    for certificate in exchange.tls.chain if exchange.tls else ():
        name = sha256(certificate).hexdigest()
        if name in known:
            continue
        known.add(name)
        uri = f"{URN}certificate:{name}"
        found.append(WarcRecord("resource", new_record_id(), date, uri, "application/pkix-cert", certificate))
    return found


def _side_record(
    kind: str, content_type: str, date: str, block: bytes, headers: tuple[tuple[str, str], ...]
) -> WarcRecord:
    record_id = new_record_id()
    return WarcRecord("metadata", record_id, date, f"{URN}{kind}:{record_id[10:-1]}", content_type, block, headers)


def _capture_facts(prepared: Prepared, marking: Marking) -> dict[str, object]:
    target, exchange, tls = prepared.target, prepared.exchange, prepared.exchange.tls
    facts: dict[str, object] = {
        "type": CAPTURE,
        "run_id": marking.run_id,
        "outcome": marking.outcome,
        "finished": marking.finished,
        "not_before": marking.not_before,
        "url": target.url,
        "requested_url": exchange.url,
        "method": exchange.method,
        "role": target.role,
        "site": target.site,
        "channel": target.channel,
        "via": target.via,
        "anchor": target.anchor,
        "listed_date": target.listed_date,
        "depth": target.depth,
        "parameters": target.parameters,
        "target_method": target.method,
        "body_base64": _base64(target.body),
        "headers": target.headers,
        "started_at": instant(exchange.started_at),
        "elapsed_ms": exchange.elapsed_ms,
        "peer": exchange.peer,
        "truncated": exchange.truncated,
        "error": exchange.error,
        "tls": None,
    }
    if tls is not None:
        facts["tls"] = {
            "version": tls.version,
            "cipher": tls.cipher,
            "verified": tls.verified,
            "verdict": tls.verdict,
            "chain": [sha256(certificate).hexdigest() for certificate in tls.chain],
        }
    return facts


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@dataclass(frozen=True, slots=True)
class Group:
    """Records that belong together. `kind` is the metadata's `type`, and `facts` its body.

    `problem` is set, and `facts` empty, for damaged stretches of the file and for a group that lacks its end.
    `end` is the first byte after it.
    """

    kind: str
    offset: int
    end: int
    facts: dict[str, Any] = field(default_factory=dict)
    members: tuple[Located, ...] = ()
    problem: str | None = None

    @property
    def main(self) -> Located:
        """The response or revisit, else the metadata record."""
        for member in self.members:
            if member.record is not None and member.record.type in ("response", "revisit"):
                return member
        return self.members[-1]


def groups(path: Path, *, start: int = 0) -> Iterator[Group]:
    """Groups of a file of ours from `start` on; what is damaged or unfinished comes as a group with a problem."""
    held: list[Located] = []
    for located in records(path, start=start):
        record = located.record
        if record is None or located.problem is not None:
            problem = located.problem or "no record"
            yield Group("problem", held[0].offset if held else located.offset, _end(located), problem=problem)
            held = []
            continue
        held.append(located)
        kind, facts = _mark(record)
        if kind is None:
            continue
        main_id = record.get("WARC-Concurrent-To")
        if main_id and all(member.record is None or member.record.record_id != main_id for member in held):
            yield Group("problem", held[0].offset, _end(located), problem=f"record {main_id} is missing before these")
        else:
            yield Group(kind, held[0].offset, _end(located), facts, tuple(held))
        held = []
    if held:
        yield Group("problem", held[0].offset, _end(held[-1]), problem="the records lack their closing metadata")


def _end(located: Located) -> int:
    return located.offset + located.length


def _mark(record: Record) -> tuple[str | None, dict[str, Any]]:
    """The kind of group that `record` ends, None when it ends none."""
    if record.type == "warcinfo":
        return "warcinfo", {}
    if record.type != "metadata" or record.get("Content-Type") != JSON_TYPE:
        return None, {}
    if not record.target_uri.startswith(URN):
        return None, {}
    try:
        facts = json.loads(record.block)
    except ValueError:
        return None, {}
    return (facts["type"], facts) if isinstance(facts, dict) and "type" in facts else (None, {})


def target_of(facts: dict[str, Any]) -> Target:
    """The target in a capture's metadata."""
    return Target(
        url=facts["url"],
        role=cast(Role, facts["role"]),
        site=facts["site"],
        channel=facts["channel"],
        method=facts["target_method"],
        body=base64.b64decode(facts["body_base64"]),
        headers=tuple((name, value) for name, value in facts["headers"]),
        via=facts["via"],
        anchor=facts["anchor"],
        listed_date=facts["listed_date"],
        depth=facts["depth"],
        parameters=facts["parameters"],
    )


def exchange_of(
    group: Group, full_response: bytes | None, certificates: dict[str, bytes], rendered: bytes | None = None
) -> Exchange:
    """The exchange that a group holds. `full_response` is the response an identical-payload revisit refers to,
    `rendered` what was drawn before and again.

    `certificates` maps digests to those met so far; the group's own are added.
    """
    facts, main_id = group.facts, group.main.record.record_id if group.main.record else ""
    request, response, trailing = b"", b"", b""
    interim: list[bytes] = []
    for member in group.members:
        record = member.record
        if record is None:
            continue
        if record.type == "request":
            request = record.block
        elif record.record_id == main_id and record.type == "response":
            response = record.block
        elif record.record_id == main_id and record.type == "revisit":
            response = _revisited(record, full_response)
        elif record.target_uri.startswith(f"{URN}interim:"):
            interim.append(record.block)
        elif record.target_uri.startswith(f"{URN}trailing:"):
            trailing = record.block
        elif record.type == "resource" and record.target_uri.startswith(RENDERED):
            rendered = record.block
        elif record.target_uri.startswith(f"{URN}certificate:"):
            certificates[record.target_uri.rpartition(":")[2]] = record.block
    head = http1.split_head(response) if response else None
    return Exchange(
        url=facts["requested_url"],
        method=facts["method"],
        started_at=moment(facts["started_at"]),
        elapsed_ms=facts["elapsed_ms"],
        request=request,
        response=response,
        status=head.status if head else None,
        headers=head.headers if head else (),
        interim=tuple(interim),
        trailing=trailing,
        peer=facts["peer"],
        tls=_tls(facts["tls"], certificates),
        truncated=cast("Truncation | None", facts["truncated"]),
        error=facts["error"],
        rendered=rendered,
    )


def _revisited(record: Record, full_response: bytes | None) -> bytes:
    if record.get("WARC-Profile") != PROFILE_IDENTICAL or full_response is None:
        return record.block
    head = http1.split_head(full_response)
    return record.block + full_response[head.length if head else 0 :]


def _tls(facts: dict[str, Any] | None, certificates: dict[str, bytes]) -> TlsFacts | None:
    if facts is None:
        return None
    chain: Sequence[str] = facts["chain"]
    return TlsFacts(
        version=facts["version"],
        cipher=facts["cipher"],
        verified=facts["verified"],
        verdict=facts["verdict"],
        chain=tuple(certificates[name] for name in chain if name in certificates),
    )
