"""What the agent asks of the broker."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from threading import Lock
from typing import Any, Iterator, Sequence

import shape
from activation import Activation, ActivationBook
from call_budget import CallBudget
from journal import Journal
from match_command import match_command
from policy import Policy
from policy_file import NoPolicy, PolicyFile
from redaction.redact import redact
from refused import Refused
from run_command import CommandRunner

_MOST_WORDS = 64
# A caller that is over its budget waits so long for its refusal that asking again at once costs it, not the machine.
_OVER_BUDGET_SECONDS = 1.0


class AgentCalls:
    """Answers the agent, within an activation alone and under its name: what it says of itself is only checked."""

    def __init__(self, *, policy: PolicyFile, runner: CommandRunner, book: ActivationBook, journal: Journal) -> None:
        self._policy = policy
        self._runner = runner
        self._book = book
        self._journal = journal
        self._budget = CallBudget()
        self._over_budget = False
        self._lock = Lock()
        self._running = 0

    def answer(self, call: Any, caller: int) -> dict[str, Any]:
        """The reply to one call. Raises Refused."""
        self._pay()
        argv, claimed = _parse(call)
        activation = self._book.current()
        try:
            if activation is None:
                raise Refused("no-activation", "No run is under way on this machine, so nothing is run for an agent.")
            output = self._run(argv, claimed, activation, caller)
        except Refused as refusal:
            self._tell(argv, activation, refused=refusal.code)
            raise
        self._tell(argv, activation, exit=output["exitCode"], ms=output["durationMs"])
        return {**output, "run": activation.run, "trace": activation.trace}

    def _pay(self) -> None:
        """Raises Refused when the agent asks too often. The journal is told once: it is what a flood would push out."""
        if self._budget.take():
            self._over_budget = False
            return
        if not self._over_budget:
            self._over_budget = True
            self._journal.write("the agent asks too often: it is refused, untold, until it asks less", by="agent")
        time.sleep(_OVER_BUDGET_SECONDS)
        raise Refused("busy", "Too many commands were asked for. Wait a few seconds, then ask for fewer.")

    def _run(self, argv: Sequence[str], claimed: str | None, activation: Activation, caller: int) -> dict[str, Any]:
        if claimed is not None and claimed != activation.run:
            raise Refused("wrong-run", "This is not the run that is under way on this machine.")
        try:
            policy = self._policy.policy()
        except NoPolicy as error:
            raise Refused("not-listed", str(error)) from error
        with self._turn(policy):
            command = match_command(argv, policy)
            try:
                return self._runner.run(
                    argv,
                    as_root=command.root,
                    timeout_seconds=policy.limits.command_timeout_seconds,
                    output_bytes=policy.limits.agent_output_bytes,
                    caller=caller,
                )
            except OSError as error:
                message = f"No command can be started on the machine now: {error.strerror}. Try again later."
                raise Refused("busy", message) from error

    @contextmanager
    def _turn(self, policy: Policy) -> Iterator[None]:
        most = policy.limits.concurrent_commands
        with self._lock:
            if self._running >= most:
                raise Refused("busy", f"{most} commands run already. Wait for one of them, then try again.")
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def _tell(self, argv: Sequence[str], activation: Activation | None, **outcome: str | int | None) -> None:
        stamps = activation.stamps() if activation else {}
        # As a whole: a secret may be known by the word before it.
        message, words = redact(f"the agent asked for: {' '.join(argv)}"), redact(json.dumps(argv))
        self._journal.write(message, by="agent", argv=words, **stamps, **outcome)


def _parse(call: Any) -> tuple[tuple[str, ...], str | None]:
    try:
        fields = shape.fields(call, "the call", {"argv"}, frozenset({"run"}))
        argv = shape.texts(fields["argv"], "argv", least=1)
        if len(argv) > _MOST_WORDS:
            raise shape.ShapeError(f"argv must be a list of at most {_MOST_WORDS}")
        return argv, None if fields.get("run") is None else shape.text(fields["run"], "run")
    except shape.ShapeError as error:
        raise Refused("bad-request", f"The broker cannot read this call: {error}.") from error
