"""The broker's two doors: one JSON line in, one JSON line out, then close."""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
import traceback
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, Callable

import shape
from refused import Refused

_REQUEST_SECONDS = 5.0
_REPLY_SECONDS = 30.0
_GRACE_SECONDS = 5.0
_END_SECONDS = 2.0
_CHUNK_BYTES = 16_384
_MOST_CHUNKS_UNREAD = 64
_MOST_TURNED_AWAY = 16


@dataclass
class Door:
    """A listening socket, who may come in, how many at once, and what is answered.

    `answer` gets the decoded call and the caller's descriptor, and raises Refused. The codes are those of a call that
    cannot be read and of a broker that can do nothing now.
    """

    listening: socket.socket
    admits: Callable[[int], bool]
    answer: Callable[[Any, int], dict[str, Any]]
    longest_call_bytes: int
    most_at_once: int
    unreadable_code: str
    overloaded_code: str
    inside: set[socket.socket] = field(default_factory=set)
    turned_away: deque[socket.socket] = field(default_factory=lambda: deque(maxlen=_MOST_TURNED_AWAY))
    lock: Lock = field(default_factory=Lock)

    def end_calls(self) -> None:
        """Ends every call that is being served, and what runs for it; returns when they are gone, or after a while."""
        with self.lock:
            for caller in self.inside:
                with suppress(OSError):
                    caller.shutdown(socket.SHUT_RDWR)
        self.wait_for_calls(_END_SECONDS)

    def wait_for_calls(self, seconds: float) -> None:
        """Returns when no call is being served, or after this long."""
        deadline = time.monotonic() + seconds
        while self.inside and time.monotonic() < deadline:
            time.sleep(0.01)


def serve(doors: list[Door], until: int) -> None:
    """Serves until the descriptor `until` can be read; then lets calls end for a while, and ends the rest.

    Nothing that a caller sends, or leaves out, ends it or takes more than a bounded amount of memory and time.
    """
    poll = select.poll()
    poll.register(until, select.POLLIN)
    by_descriptor = {door.listening.fileno(): door for door in doors}
    for descriptor, door in by_descriptor.items():
        door.listening.setblocking(False)
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if until in ready:
            break
        for descriptor in ready:
            _let_in(by_descriptor[descriptor])
    grace = time.monotonic() + _GRACE_SECONDS
    for door in doors:
        door.wait_for_calls(grace - time.monotonic())
    for door in doors:
        door.end_calls()


def _let_in(door: Door) -> None:
    try:
        caller, _ = door.listening.accept()
    except OSError as error:
        if not isinstance(error, BlockingIOError):
            # Out of descriptors or memory: the caller waits in the queue. Do not spin.
            time.sleep(0.1)
        return
    with door.lock:
        if len(door.inside) < door.most_at_once:
            door.inside.add(caller)
        full = caller not in door.inside
    if full:
        _turn_away(door, caller, f"{door.most_at_once} calls are being served already. Try again later.")
        return
    try:
        Thread(target=_serve_call, args=(door, caller), daemon=True).start()
    except RuntimeError:
        _turn_away(door, caller, "The machine has no room for another thread. Try again later.")


def _turn_away(door: Door, caller: socket.socket, message: str) -> None:
    with door.lock:
        door.inside.discard(caller)
    caller.setblocking(False)
    with suppress(OSError):
        caller.send(_encode(_refusal(door.overloaded_code, message)))
        caller.shutdown(socket.SHUT_WR)
    # Closed only later: a caller that is still writing would fail before it reads the refusal.
    door.turned_away.append(caller)


def _serve_call(door: Door, caller: socket.socket) -> None:
    try:
        reply = _reply_to(door, caller)
        if reply is not None:
            caller.settimeout(_REPLY_SECONDS)
            caller.sendall(_encode(reply))
    except OSError:
        # The caller has gone.
        pass
    finally:
        with door.lock:
            door.inside.discard(caller)
        _close(caller)


def _close(caller: socket.socket) -> None:
    """Closes a connection. What was sent and not read would make the caller fail although it has its reply."""
    with suppress(OSError):
        caller.setblocking(False)
        for _ in range(_MOST_CHUNKS_UNREAD):
            if not caller.recv(_CHUNK_BYTES):
                break
    caller.close()


def _reply_to(door: Door, caller: socket.socket) -> dict[str, Any] | None:
    try:
        line = _read_line(caller, door)
        if line is None:
            return None
        _, uid, _ = struct.unpack("iII", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if not door.admits(uid):
            raise Refused(door.unreadable_code, "This socket is not for this user.")
        try:
            call = shape.decode(line)
        except shape.ShapeError as error:
            raise Refused(door.unreadable_code, "A call is one line of JSON.") from error
        return door.answer(call, caller.fileno())
    except Refused as refusal:
        return _refusal(refusal.code, refusal.message)
    except MemoryError:
        return _refusal(door.overloaded_code, "The machine has no memory left for this call. Try again later.")
    except Exception:  # pylint: disable=broad-except
        # A defect of the broker's; it must not end the broker.
        traceback.print_exc(file=sys.stderr)
        return _refusal(door.overloaded_code, "The broker failed; its journal says why.")


def _read_line(caller: socket.socket, door: Door) -> bytes | None:
    """One line; None when the caller went away without a word."""
    deadline = time.monotonic() + _REQUEST_SECONDS
    data = bytearray()
    while b"\n" not in data:
        caller.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            chunk = caller.recv(_CHUNK_BYTES)
        except socket.timeout as error:
            raise Refused(door.unreadable_code, f"No call came within {_REQUEST_SECONDS:.0f} seconds.") from error
        if not chunk:
            if not data:
                return None
            raise Refused(door.unreadable_code, "A call ends with a line break.")
        data += chunk
        if len(data) > door.longest_call_bytes:
            raise Refused(door.unreadable_code, f"A call is at most {door.longest_call_bytes} bytes long.")
    return bytes(data.split(b"\n", 1)[0])


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {"refused": {"code": code, "message": message}}


def _encode(reply: dict[str, Any]) -> bytes:
    return json.dumps(reply, separators=(",", ":")).encode() + b"\n"
