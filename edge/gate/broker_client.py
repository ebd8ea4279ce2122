"""Asks the broker: one JSON line there, one back, over its Unix socket."""

from __future__ import annotations

import json
import select
import socket
import time

from refusal import CODES, Refused

# How long each request may take, in seconds; the broker bounds what it does more tightly by itself.
STATE_SECONDS = 8
START_SECONDS = 30
WAIT_SECONDS = 70
STOP_SECONDS = 75
HALT_SECONDS = 12
EVIDENCE_SECONDS = 300
ACTION_SECONDS = 60

# Evidence is the longest reply, and the client takes 4 MiB of it at most.
REPLY_BYTES_MAX = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class RefusedByBroker(Refused):
    """The broker itself said no: it did nothing. After any other Refused of ask() that is not known."""


class Broker:
    """The broker behind one socket."""

    def __init__(self, path: str) -> None:
        self._path = path

    def ask(self, do: str, seconds: float, reader: int | None = None, **fields: object) -> dict:
        """
        What the broker replies. Raises Refused, also once nobody reads the descriptor `reader` any more: the broker
        then ends what it runs for nobody.
        """
        request = json.dumps({"do": do, **fields}).encode("ascii") + b"\n"
        try:
            line = self._exchange(request, time.monotonic() + seconds, reader)
            reply = json.loads(line)
            if type(reply.get("ok")) is dict:
                return reply["ok"]
            code, message = reply["refused"]["code"], reply["refused"]["message"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Refused(
                "internal",
                f"The broker did not answer {do} ({error}). See `systemctl status fleetbot-broker.socket` and the "
                "journal of fleetbot-broker on the machine.",
            ) from error
        raise RefusedByBroker(code if code in CODES else "internal", str(message))

    def _exchange(self, request: bytes, deadline: float, reader: int | None) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_left(deadline))
            connection.connect(self._path)
            connection.sendall(request)
            poll = select.poll()
            poll.register(connection, select.POLLIN)
            if reader is not None:
                # It tells of nothing but that it is broken.
                poll.register(reader, 0)
            reply = bytearray()
            while not reply.endswith(b"\n"):
                ready = dict(poll.poll(_left(deadline) * 1000))
                if reader in ready:
                    raise BrokenPipeError("who asked is gone")
                chunk = connection.recv(_CHUNK_BYTES) if ready else b""
                if ready and not chunk:
                    break
                reply += chunk
                if len(reply) > REPLY_BYTES_MAX:
                    raise ValueError(f"its reply has more than {REPLY_BYTES_MAX} bytes")
        return bytes(reply)


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise socket.timeout("timed out")
    return seconds
