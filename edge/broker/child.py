"""Runs one program and never lets it hurt the machine: bounded time, bounded output, lowest priority."""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from processes import kill_all_of

_CHUNK_BYTES = 65_536
# A program that prints this much more than is kept is ended: reading on would only wear out the machine.
_MOST_DISCARDED_BYTES = 8_388_608
# How long a killed program may take to be gone.
_KILLED_SECONDS = 1.0
# The lowest; the priority of input and output follows it (ioprio_set(2)).
_NICENESS = 19
# Far before the broker, the agent's container and whatever this machine is for.
_OOM_SCORE_ADJUST = "900"


@dataclass(frozen=True)
class Ended:
    """How a program ended. `exit_code` is None when it was ended by the time limit, its caller or a signal."""

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    truncated: bool
    duration_ms: int


def failure_of(ended: Ended) -> str:
    """Why a program did not do what it was run for, as far as it said so."""
    if ended.exit_code is None:
        return "it took too long"
    lines = ended.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1].rstrip(".") if lines else f"exit code {ended.exit_code}"


class _Stream:
    """Keeps the beginning of a stream and lets the rest pass by, so that the program never blocks on a full pipe."""

    def __init__(self, descriptor: int, limit: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self.open = True
        self.discarded = 0
        self._limit = limit
        self._kept = bytearray()

    def read(self) -> bool:
        """Reads what is there; False when there is nothing now, or never again."""
        try:
            chunk = os.read(self.descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self.open = False
            return False
        room = self._limit - len(self._kept)
        self._kept += chunk[:room]
        self.discarded += max(0, len(chunk) - room)
        return True

    def kept(self) -> bytes:
        return bytes(self._kept)


def run_child(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    user: Mapping[str, Any],
    timeout_seconds: float,
    keep_bytes: int,
    caller: int | None = None,
    stdin: bytes | None = None,
    trusted: bool = False,
) -> Ended:
    """Runs a program in `/`, with exactly this environment, in a session of its own that ends with it.

    A `trusted` program keeps its caller's priority and umask, may print without end and leave something running.
    `caller` is a socket: when its other side is gone, so is the program. `stdin` must fit into a pipe (64 KiB);
    without it stdin is /dev/null.
    Raises OSError when the program cannot be started.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        list(argv),
        cwd="/",
        env=dict(environment),
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        umask=-1 if trusted else 0o077,
        bufsize=0,
        **user,
    )
    ended_itself = False
    try:
        if not trusted:
            _tame(process.pid, timeout_seconds)
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.write(stdin or b"")
            process.stdin.close()
        assert process.stdout is not None and process.stderr is not None
        streams = [_Stream(pipe.fileno(), keep_bytes) for pipe in (process.stdout, process.stderr)]
        most_discarded = None if trusted else _MOST_DISCARDED_BYTES
        ended_itself = _watch(process.pid, streams, started + timeout_seconds, caller, most_discarded)
    finally:
        # Before it is waited for: until then its number cannot become another's.
        if not ended_itself:
            kill_all_of(process.pid)
        elif not trusted:
            # What it left running in the background.
            os.killpg(process.pid, signal.SIGKILL)
        # One that waits for a broken disk cannot even be killed; what comes next must not wait for it.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_KILLED_SECONDS)
    for stream in streams:
        while stream.open and stream.read() and stream.discarded < _MOST_DISCARDED_BYTES:
            pass
    process.stdout.close()
    process.stderr.close()
    out, err = streams
    code = process.returncode
    return Ended(
        exit_code=code if ended_itself and code is not None and code >= 0 else None,
        stdout=out.kept(),
        stderr=err.kept(),
        truncated=out.discarded > 0 or err.discarded > 0,
        duration_ms=round((time.monotonic() - started) * 1000),
    )


def _watch(
    pid: int, streams: list[_Stream], deadline: float, caller: int | None, most_discarded: int | None
) -> bool:
    """Reads until the program ends, and returns True; or until it must be ended."""
    exited = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(exited, select.POLLIN)
        if caller is not None:
            # Nothing is expected from there; that the other side is gone is always told.
            poll.register(caller, 0)
        for stream in streams:
            poll.register(stream.descriptor, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            ready = {descriptor for descriptor, _ in poll.poll(left * 1000)}
            for stream in streams:
                if stream.descriptor in ready:
                    stream.read()
                    if not stream.open:
                        poll.unregister(stream.descriptor)
                if most_discarded is not None and stream.discarded > most_discarded:
                    return False
            if exited in ready:
                return True
            if caller in ready:
                return False
        return False
    finally:
        os.close(exited)


def _tame(pid: int, timeout_seconds: float) -> None:
    """Puts a program behind everything else on the machine. It may be gone already."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PGRP, pid, _NICENESS)
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        resource.prlimit(pid, resource.RLIMIT_CPU, (round(timeout_seconds) + 1,) * 2)
        with open(f"/proc/{pid}/oom_score_adj", "w", encoding="ascii") as file:
            file.write(_OOM_SCORE_ADJUST)
