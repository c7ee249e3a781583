"""Which addresses may be connected to.

A page of a government site may redirect anywhere, and a host name may resolve to anything at any time. So the check is
on the address the socket is opened to, never on the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str, int], Awaitable[tuple[str, ...]]]

CACHE_SECONDS = 60.0

# Beyond what `ipaddress` of every supported Python calls private (IANA special-purpose registries).
_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/3")
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """The address is on the public internet. An IPv4 address inside an IPv6 one (mapped, NAT64) is judged itself."""
    try:
        return _is_public(ipaddress.ip_address(address))
    except ValueError:
        return False


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not address.is_private and not any(address in network for network in _SPECIAL_V4)
    if address.ipv4_mapped is not None:
        return _is_public(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.is_private or address.is_multicast or address not in _GLOBAL_V6:
        return False
    return not any(address in network for network in _SPECIAL_V6)


async def system_lookup(host: str, port: int) -> tuple[str, ...]:
    """Addresses of `host` in the system resolver's order; raises OSError when there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class Resolver:
    """Remembers what `lookup` said for a minute. Addresses are checked at every use, so a stale answer is no risk."""

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup = lookup
        self._known: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Addresses to try, in order; raises OSError (or UnicodeError for an impossible name)."""
        known = self._known.get((host, port))
        if known is not None and known[0] > time.monotonic():
            return known[1]
        addresses = await self._lookup(host, port)
        self._known[host, port] = (time.monotonic() + CACHE_SECONDS, addresses)
        return addresses
