"""What the machine must remember across everything: highest fence, lock, activation. On disk, behind one flock."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections import namedtuple

from refusal import Refused

# Longer than the gate ever holds the books: a lock is the longest (STOP_SECONDS and HALT_SECONDS of broker_client).
FLOCK_WAIT_SECONDS = 90
# The state is a few hundred bytes, and never more than a file system's block.
STATE_BYTES_MAX = 4096
FENCE_MAX = 10**15 - 1

Lock = namedtuple("Lock", "reason at")
# An activation is gone with the boot that it began in; whether it still lasts is for the agent's unit to say.
Activation = namedtuple("Activation", "fence run boot")
# `retired` is the highest fence that was stopped. `damage` says why the books cannot be read; then nobody knows the
# fence, and the machine counts as locked.
State = namedtuple("State", "fence retired lock activation damage")

UNUSED = State(fence=0, retired=0, lock=None, activation=None, damage=None)


class BooksFailure(Refused):
    """The books cannot be held or written, so that nothing would be remembered."""

    def __init__(self, what: str, error: OSError, folder: str) -> None:
        why = error.strerror or str(error)
        super().__init__(
            "internal",
            f"The gate's books in {folder} cannot be {what} ({why}). Make room there, or repair what is in the way.",
        )


class Books:
    """
    The books in one folder. `with books:` holds them against every other gate; only then write().

    A write takes no new space where it can be helped, because a machine with a full disk must still be looked at: the
    file that was replaced last is kept as a spare and written over.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._state = os.path.join(folder, "state.json")
        self._spare = os.path.join(folder, "state.spare")
        self._replaced = os.path.join(folder, "state.replaced")
        self._flock = -1

    def __enter__(self) -> Books:
        """Raises BooksFailure when they cannot be had within FLOCK_WAIT_SECONDS."""
        try:
            self._flock = os.open(os.path.join(self._folder, "flock"), os.O_RDWR | os.O_CREAT, 0o600)
            _flock_in_time(self._flock)
        except OSError as error:
            self.__exit__()
            raise BooksFailure("held", error, self._folder) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._flock >= 0:
            os.close(self._flock)
        self._flock = -1

    def read(self) -> State:
        """The state; whole also while another gate writes. Never raises: what cannot be read is damage."""
        try:
            with open(self._state, "rb") as file:
                return _decode(file.read(STATE_BYTES_MAX + 1))
        except FileNotFoundError:
            if os.path.isdir(self._folder):
                return UNUSED
            return self._damaged("the folder is missing")
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            return self._damaged(repr(error))

    def write(self, state: State) -> None:
        """Replaces the state as a whole; when it returns, a power cut cannot undo it. Raises BooksFailure."""
        try:
            self._replace(_encode(state))
        except OSError as error:
            raise BooksFailure("written", error, self._folder) from error

    def _replace(self, content: bytes) -> None:
        # Left by a gate that was killed in between; in its way there would be no spare any more.
        _unlink(self._replaced)
        spare = os.open(self._spare, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            if os.write(spare, content) != len(content):
                raise OSError("written only in part")
            os.ftruncate(spare, len(content))
            os.fsync(spare)
        finally:
            os.close(spare)
        kept = _link(self._state, self._replaced)
        os.rename(self._spare, self._state)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        # Only now: before, a power cut could bring the old name back to a file that is being written over.
        if kept:
            os.rename(self._replaced, self._spare)

    def _damaged(self, why: str) -> State:
        reason = (
            f"The gate's books {self._state} cannot be read ({why}): nothing starts. Restore the file, or delete it "
            "if no supervisor uses this machine."
        )
        return UNUSED._replace(lock=Lock(reason, iso_time(_changed_at(self._state))), damage=reason)


def iso_time(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC with milliseconds."""
    whole, milliseconds = divmod(int(seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{milliseconds:03d}Z"


def _encode(state: State) -> bytes:
    return json.dumps(
        {
            "fence": state.fence,
            "retired": state.retired,
            "lock": state.lock and state.lock._asdict(),
            "activation": state.activation and state.activation._asdict(),
        }
    ).encode("ascii")


def _decode(content: bytes) -> State:
    """Raises ValueError, TypeError or KeyError for anything that `_encode` does not write."""
    if len(content) > STATE_BYTES_MAX:
        raise ValueError("too long")
    read = json.loads(content)
    state = State(
        damage=None,
        **{
            **read,
            "lock": None if read["lock"] is None else Lock(**read["lock"]),
            "activation": None if read["activation"] is None else Activation(**read["activation"]),
        },
    )
    fences = [state.retired, state.fence]
    texts = list(state.lock or ())
    if state.activation is not None:
        fences.append(state.activation.fence)
        texts += [state.activation.run, state.activation.boot]
    if not all(type(fence) is int and 0 <= fence <= FENCE_MAX for fence in fences) or max(fences) > state.fence:
        raise ValueError("a fence is out of range")
    if not all(type(text) is str for text in texts):
        raise ValueError("a text is none")
    return state


def _flock_in_time(descriptor: int) -> None:
    try:
        # Without a timer where nobody else is there, which is nearly always.
        return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass

    def give_up(*_: object) -> None:
        raise TimeoutError(f"another request has held them for {FLOCK_WAIT_SECONDS} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, FLOCK_WAIT_SECONDS)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _link(existing: str, path: str) -> bool:
    try:
        os.link(existing, path)
    except OSError:
        # The first state of all, or a file system without hard links: then there is no spare, and nothing else is lost.
        return False
    return True


def _changed_at(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return time.time()
