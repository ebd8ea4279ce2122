"""The agent's unit, which belongs to the agent's own user: started, stopped and measured."""

from __future__ import annotations

import json
import os
import time
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import Sequence

from child import Ended, failure_of, run_child
from identity import Identity, SubordinateIds
from processes import kill_processes_of, processes_of
from refused import Refused

UNIT = "openclaw-agent.service"
_SECRET = "openclaw-gateway-token"
_SECRET_KEY = "token"

_CALL_TIMEOUT_SECONDS = 20.0
# Less than the gate waits for a state (STATE_SECONDS of its broker_client.py), so that it is told why there is none.
_MEASURE_TIMEOUT_SECONDS = 6.0
# Longer than the unit's own TimeoutStopSec, after which systemd kills.
_STOP_TIMEOUT_SECONDS = 30.0
_START_TIMEOUT_SECONDS = 60.0
_GONE_TIMEOUT_SECONDS = 10.0
_POLL_SECONDS = 0.1
_KEEP_BYTES = 16_384
# Podman writes the file of its secrets anew at every change: on a full file system it would lose all of them.
_LEAST_FREE_BYTES = 16 * 1024 * 1024

# systemd's ActiveState, reduced to `agentStates` of src/edge-client/gate-protocol.ts.
_STATES = {
    "inactive": "inactive",
    "activating": "activating",
    "active": "active",
    "reloading": "active",
    "refreshing": "active",
    "deactivating": "deactivating",
    "failed": "failed",
}
CONTAINER_UID = 1000
"""As whom the agent's container runs, by the container's own numbers; the collector's is another."""

GONE = ("inactive", "failed")
"""States in which no process of the agent's is left, once `stop` has returned them."""


class AgentUnit:
    """Talks to the user manager of the agent's user, as that user. Every call is bounded in time.

    Where `quadlet` makes the unit of a pod, the pod reads the token by the name and the key of its secret; else
    `podman run` reads it from a secret of its own, as setup's units/without-quadlet say.
    """

    def __init__(
        self, user: Identity, subordinate: SubordinateIds, search_path: Sequence[str], *, quadlet: bool
    ) -> None:
        self._user = user
        self._quadlet = quadlet
        self._secret = _SECRET if quadlet else f"{_SECRET}.{_SECRET_KEY}"
        self._subordinate = subordinate
        runtime_dir = f"/run/user/{user.uid}"
        self._environment = {
            "PATH": ":".join(search_path),
            "LC_ALL": "C",
            "HOME": user.home,
            "XDG_RUNTIME_DIR": runtime_dir,
            # Podman moves what it leaves running out of the broker's control group with it.
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime_dir}/bus",
        }

    def state(self) -> str:
        """The unit's state now. Raises Refused `internal` when it cannot be measured."""
        ended = self._systemctl("--user", "show", "--property=ActiveState", "--property=Job", UNIT)
        shown = dict(line.split("=", 1) for line in ended.stdout.decode(errors="replace").split() if "=" in line)
        state = _STATES.get(shown.get("ActiveState", ""))
        # One that takes too long is there.
        if ended.exit_code not in (0, None) and self._manager_is_gone():
            return "inactive"
        if ended.exit_code != 0 or state is None:
            raise Refused(
                "internal",
                f"The state of {UNIT} cannot be measured: {failure_of(ended)}. "
                f"See `systemctl status user@{self._user.uid}.service` on the machine.",
            )
        # A start that waits for its turn.
        return "activating" if state in GONE and shown.get("Job", "0") not in ("", "0") else state

    def _manager_is_gone(self) -> bool:
        """Whether the user manager has ended, and with it all of its units."""
        ended = self._systemctl("show", "--property=ActiveState", f"user@{self._user.uid}.service")
        return ended.exit_code == 0 and ended.stdout.strip() in (b"ActiveState=inactive", b"ActiveState=failed")

    def _systemctl(self, *arguments: str) -> Ended:
        return self._call("systemctl", *arguments, timeout=_MEASURE_TIMEOUT_SECONDS)

    def start(self, token: str) -> None:
        """Gives the token to the next start and queues it. Raises Refused `unit-failed`."""
        if not self._has_room():
            raise Refused(
                "unit-failed",
                f"The file system of {self._user.home} is full, so the agent cannot be started. Make room on it.",
            )
        created = self._create_secret(token)
        if created.exit_code != 0:
            # One is left of an activation that did not end as it should.
            self.forget_token()
            created = self._create_secret(token)
        if created.exit_code != 0:
            raise Refused("unit-failed", f"The gateway's token cannot be given to the agent: {failure_of(created)}.")
        started = self._call("systemctl", "--user", "start", "--no-block", UNIT)
        if started.exit_code != 0:
            raise Refused("unit-failed", f"{UNIT} cannot be started: {failure_of(started)}.")

    def _create_secret(self, token: str) -> Ended:
        # The form in which every podman reads what a secretKeyRef names: base64 by key.
        secret = json.dumps({_SECRET_KEY: b64encode(token.encode()).decode()}) if self._quadlet else token
        return self._call("podman", "secret", "create", self._secret, "-", stdin=secret.encode())

    def forget_token(self) -> None:
        """Removes the token from the container's secrets, as far as that can be done: it opens nothing any more."""
        if self._has_room():
            with suppress(Refused):
                self._call("podman", "secret", "rm", self._secret)

    def _has_room(self) -> bool:
        found = os.statvfs(self._user.home)
        return found.f_bavail * found.f_frsize >= _LEAST_FREE_BYTES

    def settled(self) -> str:
        """The unit's state once it is no longer starting, or after a minute."""
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while (state := self.state()) == "activating" and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return state

    def stop(self) -> str:
        """Stops the unit, kills what is left of the container, and measures.

        `inactive` and `failed` are only returned when no process of the container's user is left; any other state
        means that some are. Raises Refused `internal` when it cannot be measured.
        """
        uid = self._container_uid()
        # Without room for another process it is killed all the same, which makes room.
        with suppress(Refused):
            self._call("systemctl", "--user", "stop", UNIT, timeout=_STOP_TIMEOUT_SECONDS)
        deadline = time.monotonic() + _GONE_TIMEOUT_SECONDS
        while True:
            kill_processes_of(uid)
            state = self.state()
            left = processes_of(uid)
            if (state in GONE and not left) or time.monotonic() >= deadline:
                break
            time.sleep(_POLL_SECONDS)
        return "deactivating" if left and state in GONE else state

    def is_gone(self) -> bool:
        """Whether neither the unit runs nor a process of the container's user is left."""
        return self.state() in GONE and not processes_of(self._container_uid())

    def _container_uid(self) -> int:
        """The host's uid of the container's user. Raises Refused: nothing of another user's may ever be killed."""
        uid = self._subordinate.on_host(CONTAINER_UID)
        if uid is None:
            raise Refused("internal", f"/etc/subuid gives {self._user.name} fewer than {CONTAINER_UID} uids.")
        if _has_name(uid):
            raise Refused("internal", f"/etc/subuid gives {self._user.name} the uid {uid} of another user.")
        return uid

    def _call(self, *argv: str, stdin: bytes | None = None, timeout: float = _CALL_TIMEOUT_SECONDS) -> Ended:
        try:
            return run_child(
                argv,
                environment=self._environment,
                user=self._user.popen_arguments(),
                timeout_seconds=timeout,
                keep_bytes=_KEEP_BYTES,
                stdin=stdin,
                # Podman leaves the process running that holds its user's namespace.
                trusted=True,
            )
        except OSError as error:
            raise Refused("internal", f"{argv[0]} cannot be run on the machine: {error.strerror}.") from error


def _has_name(uid: int) -> bool:
    # The file alone: behind pwd there may be a directory service, and a stop must not wait for a network.
    lines = Path("/etc/passwd").read_text(errors="replace").splitlines()
    return str(uid) in (line.split(":")[2] for line in lines if line.count(":") >= 6)
