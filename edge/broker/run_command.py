"""Runs one listed command on the host: what the agent cannot see from its container."""

from __future__ import annotations

import errno
import os
import re
from typing import Any, Mapping, Sequence

from child import Ended, run_child
from identity import Identity
from redaction.redact import redact

SEARCH_PATH = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where programs are looked for, whatever the PATH of this process is."""

# Read beyond the limit, so that a secret that straddles it is whole when it is looked for.
_REDACTION_MARGIN_BYTES = 8_192

# Colours and titles of terminals (ECMA-48): between a name and its value they would hide a secret from the rules.
_TERMINAL_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
# What no text holds. Between the words of a command line the kernel puts a NUL, where the rules expect a blank.
_CONTROLS = {code: " " if code == 0 else None for code in (*range(9), 11, 12, *range(14, 32), 127)}

# The machine has no room for another process, pipe or page; any other error is the program's.
_NO_ROOM = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)

# As in shells.
_EXIT_NOT_FOUND = 127
EXIT_NOT_EXECUTABLE = 126


class CommandRunner:
    """Runs argument vectors: no shell, no stdin, a fixed environment, bounded time and output. Keeps no state."""

    def __init__(self, read_user: Identity, root: Identity, search_path: Sequence[str]) -> None:
        self._read_user = read_user
        self._root = root
        self._search_path = search_path

    def run(
        self, argv: Sequence[str], *, as_root: bool, timeout_seconds: float, output_bytes: int, caller: int
    ) -> dict[str, Any]:
        """What the command printed, redacted, in the shape of `commandOutputSchema` (src/fleet/evidence.ts).

        A program that is not installed has exit code 127, one that may not be executed 126. It is ended when the
        other side of the socket `caller` is gone. Raises OSError when no process can be started at all.
        """
        ended = run_program(
            argv,
            search_path=self._search_path,
            user=(self._root if as_root else self._read_user).popen_arguments(),
            timeout_seconds=timeout_seconds,
            output_bytes=output_bytes,
            caller=caller,
        )
        stdout, out_was_cut = redact_and_cut(ended.stdout, output_bytes)
        stderr, err_was_cut = redact_and_cut(ended.stderr, output_bytes)
        return {
            "argv": [redact(word) for word in argv],
            "exitCode": ended.exit_code,
            "stdout": stdout,
            "stderr": stderr,
            "truncated": ended.truncated or out_was_cut or err_was_cut,
            "durationMs": ended.duration_ms,
        }


def run_program(
    argv: Sequence[str],
    *,
    search_path: Sequence[str],
    user: Mapping[str, Any],
    timeout_seconds: float,
    output_bytes: int,
    caller: int,
    trusted: bool = False,
) -> Ended:
    """Runs an argument vector whose program is looked for in the search path alone; its output is not redacted yet.

    What is kept of each stream is enough for `redact_and_cut` with the same limit. The exit codes and OSError are
    those of `CommandRunner.run`; `trusted` is that of `run_child`.
    """
    program = _find(argv[0], search_path)
    if program is None:
        return Ended(_EXIT_NOT_FOUND, b"", f"{argv[0]}: command not found\n".encode(), False, 0)
    environment = {
        "PATH": ":".join(search_path),
        "LC_ALL": "C",
        "HOME": "/",
        # Nobody is there to turn a page.
        "PAGER": "cat",
        "SYSTEMD_PAGER": "",
    }
    try:
        return run_child(
            (program, *argv[1:]),
            environment=environment,
            user=user,
            timeout_seconds=timeout_seconds,
            keep_bytes=output_bytes + _REDACTION_MARGIN_BYTES,
            caller=caller,
            trusted=trusted,
        )
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise
        return Ended(EXIT_NOT_EXECUTABLE, b"", f"{argv[0]}: {error.strerror}\n".encode(), False, 0)


def _find(name: str, search_path: Sequence[str]) -> str | None:
    candidates = (os.path.join(folder, name) for folder in search_path)
    return next((path for path in candidates if os.path.isfile(path)), None)


def redact_and_cut(output: bytes, limit: int) -> tuple[str, bool]:
    """What may be told of a stream that was kept up to the limit and the margin, and whether that is not all of it."""
    text = _TERMINAL_SEQUENCE.sub("", output.decode(errors="replace")).translate(_CONTROLS)
    redacted = redact(text).encode()
    # However much shorter redaction made the rest: what was read last may be the beginning of a secret.
    is_whole = len(output) < limit + _REDACTION_MARGIN_BYTES
    shown = redacted[: limit if is_whole else min(limit, max(0, len(redacted) - _REDACTION_MARGIN_BYTES))]
    return shown.decode(errors="ignore"), len(shown) < len(redacted)
