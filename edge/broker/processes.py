"""The processes of this machine, as /proc shows them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Iterator

# A process that forks while it is looked at is found in a later round.
_KILL_ROUNDS = 5


def kill_all_of(leader: int) -> None:
    """SIGKILL for a process that leads a session, for all of that session, and for what descends from it.

    The leader must not have been waited for yet, so that its number cannot be another's. What left the session and
    lost its parents before stays: listed commands do no such thing.
    """
    for _ in range(_KILL_ROUNDS):
        alive = _family_of(leader)
        if not alive:
            return
        for pid in alive:
            _kill(pid)


def processes_of(uid: int) -> list[int]:
    """All processes with this uid as real, effective, saved or file system's, zombies left out.

    Raises OSError when that cannot be measured: nobody may take a machine without room to look for one without agent.
    """
    return [pid for pid in _pids() if _belongs_to(pid, uid)]


def kill_processes_of(uid: int) -> None:
    """SIGKILL for every process of a uid; those that are born meanwhile are left to the next call."""
    for pid in processes_of(uid):
        # Gone already; or, where the broker is not root (in tests), not ours.
        with suppress(ProcessLookupError, PermissionError):
            process = os.pidfd_open(pid)
            try:
                # Looked at again: the number may have become another process's, and that one is held now.
                if _belongs_to(pid, uid):
                    signal.pidfd_send_signal(process, signal.SIGKILL)
            finally:
                os.close(process)


def _belongs_to(pid: int, uid: int) -> bool:
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            status = dict(line.split(":", 1) for line in file if ":" in line)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return str(uid) in status.get("Uid", "").split() and not status.get("State", "").strip().startswith("Z")


def _family_of(leader: int) -> list[int]:
    parents: dict[int, int] = {}
    family = {leader}
    alive = []
    for pid in _pids():
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                # proc(5): after the name, which ends with the last ")": state, parent, process group, session.
                state, parent, _, session = file.read().rpartition(b")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        parents[pid] = int(parent)
        if int(session) == leader:
            family.add(pid)
        if state not in (b"Z", b"X"):
            alive.append(pid)
    return [pid for pid in alive if any(ancestor in family for ancestor in _line_of(pid, parents))]


def _line_of(pid: int, parents: dict[int, int]) -> Iterator[int]:
    """The process, its parent and so on."""
    seen: set[int] = set()
    while pid in parents and pid not in seen:
        seen.add(pid)
        yield pid
        pid = parents[pid]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # Gone already; or, where the broker is not root (in tests), not ours.
        pass
