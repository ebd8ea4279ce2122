"""The machine's journal, by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL)."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from pathlib import Path

_LONGEST_VALUE = 4_096


class Journal:
    """Writes one entry for one fact and never waits: a journal that takes nothing loses it to stderr."""

    def __init__(self, path: Path, identifier: str) -> None:
        self._path = str(path)
        self._identifier = identifier
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def write(self, message: str, **values: str | int | None) -> None:
        """An entry with a message and fields `FLEETBOT_NAME`; None leaves a field out. Secrets are hidden already."""
        fields = {"MESSAGE": message, "SYSLOG_IDENTIFIER": self._identifier}
        fields.update((f"FLEETBOT_{name.upper()}", str(value)) for name, value in values.items() if value is not None)
        # A line break would begin another field.
        lines = [f"{name}={value[:_LONGEST_VALUE]}".replace("\n", " ") for name, value in fields.items()]
        entry = "".join(f"{line}\n" for line in lines).encode(errors="replace")
        try:
            self._socket.sendto(entry, self._path)
        except OSError:
            with suppress(OSError):
                print(" ".join(lines), file=sys.stderr, flush=True)
