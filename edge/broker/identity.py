"""As whom a process runs."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Identity:
    """A user of this machine with all of its groups."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str

    def popen_arguments(self) -> dict[str, Any]:
        """What makes `subprocess` run a process as this user. Nothing where this process already is that user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": self.groups}


def identity_of(name: str) -> Identity:
    """Raises KeyError when there is no such user."""
    user = pwd.getpwnam(name)
    return Identity(name, user.pw_uid, user.pw_gid, tuple(os.getgrouplist(name, user.pw_gid)), user.pw_dir)


@dataclass(frozen=True)
class SubordinateIds:
    """The uids that a user's containers have on the host (subuid(5)), in the order of the file."""

    ranges: tuple[range, ...]

    def __contains__(self, uid: int) -> bool:
        return any(uid in ids for ids in self.ranges)

    def on_host(self, container_uid: int) -> int | None:
        """The host's uid of a container's; its uid 0 is the user itself, 1 the first subordinate one."""
        rest = container_uid - 1
        for ids in self.ranges:
            if rest < len(ids):
                return ids[rest]
            rest -= len(ids)
        return None


def subordinate_ids(user: Identity, path: Path) -> SubordinateIds:
    """Reads the user's lines of a file like /etc/subuid. Raises OSError or ValueError."""
    ranges = []
    for line in path.read_text().splitlines():
        owner, _, rest = line.strip().partition(":")
        if owner in (user.name, str(user.uid)):
            start, _, count = rest.partition(":")
            ranges.append(range(int(start), int(start) + int(count)))
    return SubordinateIds(tuple(ranges))
