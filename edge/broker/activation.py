"""The activation that the agent is running in."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shape

_RUN = re.compile(r"r-[0-9a-z]{10,32}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_HIGHEST_FENCE = 2**53 - 1


@dataclass(frozen=True)
class Activation:
    """One start of the agent: which fence and run it serves, the trace it belongs to, and its gateway's token."""

    fence: int
    run: str
    traceparent: str
    token: str

    @property
    def trace(self) -> str:
        """The trace id of W3C Trace Context."""
        return self.traceparent.split("-")[1]

    def stamps(self) -> dict[str, Any]:
        """What the journal says of everything that belongs to it."""
        return {"fence": self.fence, "run": self.run, "trace": self.trace}


def parse_activation(call: dict[str, Any], token: str) -> Activation:
    """Raises ShapeError."""
    return Activation(parse_fence(call), parse_run(call), parse_traceparent(call), token)


def parse_run(call: dict[str, Any]) -> str:
    """Raises ShapeError."""
    run = shape.text(call.get("run"), "run")
    if not _RUN.fullmatch(run):
        raise shape.ShapeError("run must be the id of a run")
    return run


def parse_traceparent(call: dict[str, Any]) -> str:
    """Raises ShapeError."""
    traceparent = shape.text(call.get("traceparent"), "traceparent")
    if not _TRACEPARENT.fullmatch(traceparent):
        raise shape.ShapeError("traceparent must be one of W3C Trace Context, version 00")
    return traceparent


def parse_fence(call: dict[str, Any]) -> int:
    """Raises ShapeError."""
    return shape.number(call.get("fence"), "fence", 0, _HIGHEST_FENCE)


class ActivationBook:
    """Remembers the activation in memory and on tmpfs, so that a restart of the broker in its midst goes unnoticed.

    `activation.json` may be read by all and is what the agent's unit asserts; the token stands beside it, for root.
    """

    def __init__(self, run_dir: Path) -> None:
        self._file = run_dir / "activation.json"
        self._token_file = run_dir / "activation.token"
        self._current = self._load()

    def current(self) -> Activation | None:
        """The activation, from before the agent's unit starts until it is measured gone."""
        return self._current

    def begin(self, activation: Activation) -> None:
        """Raises OSError."""
        public = {"fence": activation.fence, "run": activation.run, "traceparent": activation.traceparent}
        _write(self._token_file, activation.token, 0o600)
        _write(self._file, json.dumps(public) + "\n", 0o644)
        self._current = activation

    def end(self) -> None:
        """Forgets the activation, if there is one. Raises OSError."""
        self._current = None
        self._file.unlink(missing_ok=True)
        self._token_file.unlink(missing_ok=True)

    def _load(self) -> Activation | None:
        try:
            public = shape.mapping(json.loads(self._file.read_text()), "the activation")
            return parse_activation(public, self._token_file.read_text())
        except (OSError, ValueError, shape.ShapeError):
            # Half written or half removed: the broker was killed in between, and no start was answered.
            return None


def _write(path: Path, content: str, mode: int) -> None:
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
    new.replace(path)
