"""Tells the journal of every call, in journald's native protocol (systemd's JOURNAL_NATIVE_PROTOCOL)."""

from __future__ import annotations

import socket

SOCKET = "/run/systemd/journal/socket"
IDENTIFIER = "fleetbot-gate"
INFO = 6
WARNING = 4
ERROR = 3
# Of a request that is not in the grammar this much is told: anyone with the key could fill the journal otherwise.
SHOWN_CHARACTERS_MAX = 200


def tell(message: str, priority: int, fields: dict, path: str = SOCKET) -> None:
    """Sends one entry. Silent where there is no journal, or it takes none: a call does not wait for its record."""
    entry = {
        "MESSAGE": message,
        "PRIORITY": priority,
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        **{f"FLEETBOT_{name.upper()}": value for name, value in fields.items() if value not in (None, "")},
    }
    datagram = b"".join(_field(name, str(value)) for name, value in entry.items())
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
            journal.setblocking(False)
            journal.connect(path)
            journal.send(datagram)
    except OSError:
        pass


def shown(line: bytes | None) -> str:
    """A request as it may be told: in ASCII, on one line, cut."""
    return "nothing" if line is None else ascii(line.decode("utf-8", "replace"))[:SHOWN_CHARACTERS_MAX]


def _field(name: str, value: str) -> bytes:
    content = value.encode("utf-8", "replace")
    # With its length, because it may hold newlines.
    return name.encode("ascii") + b"\n" + len(content).to_bytes(8, "little") + content + b"\n"
