"""The processes of this machine, as /proc shows them."""

from __future__ import annotations

import os
import signal
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
    """All processes with this uid as real, effective, saved or file system's, zombies left out."""
    found = []
    for pid in _pids():
        try:
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                status = dict(line.split(":", 1) for line in file if ":" in line)
        except OSError:
            continue
        if str(uid) in status.get("Uid", "").split() and not status.get("State", "").strip().startswith("Z"):
            found.append(pid)
    return found


def kill_processes_of(uid: int) -> None:
    """SIGKILL for every process of a uid; those that are born meanwhile are left to the next call."""
    for pid in processes_of(uid):
        _kill(pid)


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
