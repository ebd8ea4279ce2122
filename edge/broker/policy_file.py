"""The policy in force: read again whenever its file has changed."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from threading import Lock

from policy import Policy, parse_policy
from shape import ShapeError

_LARGEST_POLICY_BYTES = 4_194_304


class NoPolicy(Exception):
    """There is no policy, or none that can be used: a sentence that says how to renew it."""


class PolicyFile:
    """Safe to be used by several threads."""

    def __init__(self, path: Path, machine: str) -> None:
        self._path = path
        self._machine = machine
        self._lock = Lock()
        self._seen: tuple[int, ...] | None = None
        self._read: tuple[Policy, str] | NoPolicy = self._problem("it was not read yet")

    def policy(self) -> Policy:
        """Raises NoPolicy."""
        return self._current()[0]

    def digest(self) -> str | None:
        """`sha256:` and the digest of the file's bytes; None while no policy is in force."""
        try:
            return self._current()[1]
        except NoPolicy:
            return None

    def _current(self) -> tuple[Policy, str]:
        with self._lock:
            try:
                found = os.stat(self._path)
                version = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
                if version != self._seen:
                    self._read = self._parse(self._path)
                    self._seen = version
            except OSError as error:
                self._seen = None
                self._read = self._problem(error.strerror or str(error))
            if isinstance(self._read, NoPolicy):
                raise self._read
            return self._read

    def _parse(self, path: Path) -> tuple[Policy, str] | NoPolicy:
        with path.open("rb") as file:
            data = file.read(_LARGEST_POLICY_BYTES)
        try:
            return parse_policy(data, self._machine), f"sha256:{sha256(data).hexdigest()}"
        except ShapeError as error:
            return self._problem(str(error))

    def _problem(self, reason: str) -> NoPolicy:
        return NoPolicy(
            f"The policy {self._path} of this machine cannot be used: {reason}. Write it anew with what "
            f"`fleetbot edge policy {self._machine}` prints."
        )
