"""The transient unit in which an action runs: the machine's own, so that no end of agent, gate or broker ends it."""

from __future__ import annotations

from typing import Sequence

from child import Ended, failure_of, run_child
from refused import Refused

_CALL_TIMEOUT_SECONDS = 20.0
# Less than the gate waits for a state (STATE_SECONDS of its broker_client.py), so that it is told why there is none.
_MEASURE_TIMEOUT_SECONDS = 6.0
# Less than the gate waits for a halt (HALT_SECONDS there).
_STOP_TIMEOUT_SECONDS = 10.0
_KEEP_BYTES = 4_096
# The unit's own limit is the last one: what runs the action ends it by itself before, and says so.
_MARGIN_SECONDS = 60
# How long a machine that shuts down waits for an action that must not be interrupted.
_SHUTDOWN_SECONDS = 90
_ALIVE = ("active", "activating", "deactivating", "reloading", "refreshing")
_PROPERTIES = (
    # What runs the action is told to end; it ends the action, or waits for it.
    "KillMode=mixed",
    f"TimeoutStopSec={_SHUTDOWN_SECONDS}",
    "SyslogIdentifier=fleetbot-action",
    # An action that is killed for its memory can still be told of.
    "OOMPolicy=continue",
    "TasksMax=512",
    "CPUWeight=50",
    "IOWeight=50",
    "LimitCORE=0",
)


class ActionUnit:
    """Starts, measures and ends units. Every call is bounded in time. `runner` is what they run, before the id."""

    def __init__(self, runner: Sequence[str], search_path: Sequence[str]) -> None:
        self._runner = tuple(runner)
        self._environment = {"PATH": ":".join(search_path), "LC_ALL": "C"}

    def start(self, action_id: str, timeout_seconds: int) -> None:
        """Queues the start. Raises Refused; the unit may start all the same where systemd answered too late."""
        properties = (*_PROPERTIES, f"RuntimeMaxSec={timeout_seconds + _MARGIN_SECONDS}")
        started = self._call(
            ("systemd-run", "--quiet", "--no-block", "--collect", f"--unit={_unit(action_id)}")
            + tuple(f"--property={value}" for value in properties)
            + ("--", *self._runner, action_id),
            _CALL_TIMEOUT_SECONDS,
        )
        if started.exit_code != 0:
            raise Refused("unit-failed", f"The action's unit cannot be started: {failure_of(started)}.")

    def is_alive(self, action_id: str) -> bool:
        """Whether it runs or is about to. Raises Refused `internal` when that cannot be measured."""
        unit = _unit(action_id)
        ended = self._call(
            ("systemctl", "show", "--property=ActiveState", "--property=Job", unit), _MEASURE_TIMEOUT_SECONDS
        )
        shown = dict(line.split("=", 1) for line in ended.stdout.decode(errors="replace").split() if "=" in line)
        if ended.exit_code != 0 or "ActiveState" not in shown:
            raise Refused("internal", f"The state of {unit} cannot be measured: {failure_of(ended)}. Try again later.")
        return shown["ActiveState"] in _ALIVE or shown.get("Job", "0") not in ("", "0")

    def stop(self, action_id: str) -> None:
        """Ends it; returns when it is gone, or too late. Raises Refused `internal` where systemctl cannot be run."""
        self._call(("systemctl", "stop", _unit(action_id)), _STOP_TIMEOUT_SECONDS)

    def _call(self, argv: Sequence[str], timeout_seconds: float) -> Ended:
        try:
            return run_child(
                argv,
                environment=self._environment,
                user={},
                timeout_seconds=timeout_seconds,
                keep_bytes=_KEEP_BYTES,
                trusted=True,
            )
        except OSError as error:
            raise Refused("internal", f"{argv[0]} cannot be run on the machine: {error.strerror}.") from error


def _unit(action_id: str) -> str:
    return f"fleetbot-action-{action_id}.service"
