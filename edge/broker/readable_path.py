"""Which files the agent may have read."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

from policy import Policy


def is_readable(word: str, policy: Policy) -> bool:
    """Whether a path is absolute, without `..`, and it and the file that it leads to are readable and no secret.

    Upper and lower case are alike in secrets: TLS.KEY is one too.

    A link may still be changed between this look and that of the command, by someone who may write where it stands.
    Such a command never runs as root (see `parse_policy`) but as the read user, and what it prints is redacted: what
    remains is a file that the read user may read and the policy calls a secret.
    """
    if not word.startswith("/") or "\0" in word or ".." in word.split("/"):
        return False
    try:
        real = os.path.realpath(word)
    except OSError:
        return False
    return all(_matches(path, policy.readable) and not _is_secret(path, policy) for path in {word, real})


def _is_secret(path: str, policy: Policy) -> bool:
    return _matches(path.lower(), tuple(pattern.lower() for pattern in policy.secret))


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)
