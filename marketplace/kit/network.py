"""A client is one address, however a proxy, a socket or a translator writes it."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# The IPv4 stands in the last 32 bits: NAT64 (RFC 6052, 2.1), its prefix for local use (RFC 8215), and what a translator
# makes of IPv4 (RFC 2765, 2.1: ::ffff:0:a.b.c.d).
LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
TRANSLATED = (ip_network("64:ff9b::/96"), LOCAL_NAT64, ip_network("::ffff:0:0:0/96"))
PORT = re.compile(r":[A-Za-z0-9._-]*")  # a number, or a name that hides it (RFC 7239, 6.3)
LONGEST = 100  # characters of anything that could be an address with its port


def client_address(text: str) -> str | None:
    """The address alone, without brackets, port and zone; None where it is none (`unknown`, `_hidden`: RFC 7239, 6.3).

    IPv4 inside IPv6 is the IPv4: mapped (RFC 4291, 2.5.5.2), behind NAT64, and of 6to4 and Teredo, where one host holds
    many IPv6 networks, or many hosts share one.
    """
    found = _parsed(text.strip().strip('"')[:LONGEST])
    return None if found is None else str(_inner(found) or found)


def network_of(address: str) -> str:
    """Whose address it is: a household's IPv6 is a /64, any address of it is theirs (RFC 6177)."""
    plain = client_address(address)
    if plain is None:
        return address
    return str(ip_network((plain, 64), strict=False)) if ":" in plain else plain


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    host, rest = _divided(text)
    if rest and not PORT.fullmatch(rest):
        return None
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _divided(text: str) -> tuple[str, str]:
    """The host, and the port with its colon: after IPv4, also inside IPv6, that is clear without brackets."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest
    host, colon, rest = text.rpartition(":")
    return (host, colon + rest) if "." in host or (host.count(":") == 0 and colon) else (text, "")


def _inner(found: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(found, IPv4Address):
        return None
    if any(found in prefix for prefix in TRANSLATED):
        low = int(found) & 0xFFFFFFFF
        return IPv4Address(low if low or found not in LOCAL_NAT64 else _around_the_middle(int(found)))
    return found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)


def _around_the_middle(bits: int) -> int:
    """Of a prefix of 48 bits: 16 bits before the octet of zeros and 16 after it (RFC 6052, 2.2)."""
    return (bits >> 64 & 0xFFFF) << 16 | bits >> 40 & 0xFFFF
