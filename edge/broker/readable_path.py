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
    # First by its name alone: a look at the file system can hang for ever where the agent may not even look.
    if not _is_listed(word, policy):
        return False
    try:
        return _is_listed(os.path.realpath(word), policy)
    except OSError:
        return False


def _is_listed(path: str, policy: Policy) -> bool:
    secret = tuple(pattern.lower() for pattern in policy.secret)
    return _matches(path, policy.readable) and not _matches(path.lower(), secret)


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)
