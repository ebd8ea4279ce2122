"""`connect`: stdin and stdout become a connection to the gateway's loopback port."""

from __future__ import annotations

import os
import select
import socket

from port_owner import is_uid_of, listeners
from refusal import Refused

HOST = "127.0.0.1"
# On loopback only a listener whose queue is full takes longer than a moment.
CONNECT_SECONDS = 5
# What waits in each direction at most; nothing more is read before it has been passed on.
CHUNK_BYTES = 64 * 1024

_STDIN = 0
_STDOUT = 1


def open_gateway(port: int, agent_user: str) -> socket.socket | None:
    """
    A connection to the agent's gateway; None while nobody takes one. Raises Refused `unit-failed` where anybody else
    than the agent listens: the token that is about to be sent is for the agent alone.
    """
    before = _agents_listeners(port, agent_user)
    if not before:
        return None
    try:
        gateway = socket.create_connection((HOST, port), CONNECT_SECONDS)
    except OSError:
        return None
    # The same sockets before and after: nobody can have taken the connection in between.
    if _agents_listeners(port, agent_user) != before:
        gateway.close()
        return None
    gateway.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return gateway


def _agents_listeners(port: int, agent_user: str) -> set[tuple[int, str]]:
    found = listeners(port)
    strangers = sorted({uid for uid, _ in found if not is_uid_of(agent_user, uid)})
    if strangers:
        raise Refused(
            "unit-failed",
            f"Port {port} is held by a process of uid {strangers[0]}, not by the agent. "
            f"Find it with `ss -ltnp sport = :{port}` on the machine and end it.",
        )
    return found


def relay(gateway: socket.socket) -> None:
    """
    Passes bytes on in both directions until the gateway has said all, or one side is gone. The end of stdin is passed
    on as the end of what the gateway gets; the gateway's end is the end of all.
    """
    gateway.setblocking(False)
    os.set_blocking(_STDIN, False)
    os.set_blocking(_STDOUT, False)
    port = gateway.fileno()
    # What was read and not yet passed on. Each side is read again only once there is none.
    to_gateway, to_client = b"", b""
    stdin_open, gateway_reads, gateway_writes = True, True, True
    poll = select.poll()
    while gateway_writes or to_client:
        # The client's side of stdout is always watched: that it is gone shows only there.
        poll.register(_STDOUT, select.POLLOUT if to_client else 0)
        _watch(poll, _STDIN, select.POLLIN if stdin_open and gateway_reads and not to_gateway else 0)
        _watch(
            poll,
            port,
            (select.POLLIN if gateway_writes and not to_client else 0)
            | (select.POLLOUT if gateway_reads and to_gateway else 0),
        )
        ready = dict(poll.poll())
        if ready.get(_STDOUT, 0) & ~select.POLLOUT:
            return
        if _STDOUT in ready:
            written = _write(_STDOUT, to_client)
            if written is None:
                return
            to_client = to_client[written:]
        elif port in ready and gateway_writes and not to_client:
            read = _read(port)
            gateway_writes, to_client = read != b"", read or b""
        if port in ready and to_gateway:
            written = _write(port, to_gateway)
            gateway_reads, to_gateway = written is not None, b"" if written is None else to_gateway[written:]
        elif _STDIN in ready:
            read = _read(_STDIN)
            stdin_open, to_gateway = read != b"", read or b""
        if gateway_reads and not stdin_open and not to_gateway:
            gateway_reads = False
            _end_writing(gateway)


def _watch(poll: select.poll, descriptor: int, events: int) -> None:
    """Watches for events; for none, not at all: poll() would tell of a broken descriptor again and again."""
    poll.register(descriptor, events)
    if events == 0:
        poll.unregister(descriptor)


def _read(descriptor: int) -> bytes | None:
    """What there is to read; empty at the end, also where the other side broke off; None where there is nothing yet."""
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _write(descriptor: int, content: bytes) -> int | None:
    """How many bytes were taken; None where nobody takes any more."""
    try:
        return os.write(descriptor, content)
    except BlockingIOError:
        return 0
    except OSError:
        return None


def _end_writing(gateway: socket.socket) -> None:
    try:
        gateway.shutdown(socket.SHUT_WR)
    except OSError:
        # It is gone already; reading will tell.
        pass
