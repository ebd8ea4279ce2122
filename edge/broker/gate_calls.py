"""What the gate asks of the broker."""

from __future__ import annotations

import json
import time
from secrets import token_urlsafe
from threading import BoundedSemaphore, Lock
from typing import Any, Callable

import shape
from actions import Actions, UnderWay
from activation import Activation, ActivationBook, parse_activation, parse_fence
from agent_unit import GONE, AgentUnit
from capsule import parse_action_id
from journal import Journal
from machine_file import MachineFile
from policy import Check, Policy
from policy_file import NoPolicy, PolicyFile
from refused import Refused
from run_command import CommandRunner
from utc import iso_time
from version import VERSION

_TOKEN_BYTES = 32
# Checks whose commands run at the same time; further ones wait for their turn. The agent's commands are not counted.
_CHECKS_AT_ONCE = 4
# Checks that run or wait; further ones are refused, so that the gate's door is never too full for a stop.
_MOST_CHECKS = 16


class GateCalls:
    """Answers the gate, which has seen to fence and lock before."""

    def __init__(
        self,
        *,
        actions: Actions,
        machine: MachineFile,
        policy: PolicyFile,
        runner: CommandRunner,
        unit: AgentUnit,
        book: ActivationBook,
        journal: Journal,
        end_agent_calls: Callable[[], None],
    ) -> None:
        self._actions = actions
        self._machine = machine
        self._policy = policy
        self._runner = runner
        self._unit = unit
        self._book = book
        self._journal = journal
        self._end_agent_calls = end_agent_calls
        self._starts_and_stops = Lock()
        self._checks = BoundedSemaphore(_CHECKS_AT_ONCE)
        self._places_for_checks = BoundedSemaphore(_MOST_CHECKS)
        self._verbs: dict[str, Callable[[dict[str, Any], int], dict[str, Any]]] = {
            "about": self._about,
            "agent-state": self._agent_state,
            "agent-start": self._agent_start,
            "agent-wait": self._agent_wait,
            "agent-stop": self._agent_stop,
            "evidence": self._evidence,
            "act": self._act,
            "action-state": self._action_state,
            "action-halt": self._action_halt,
            "result": self._result,
        }

    def answer(self, call: Any, caller: int) -> dict[str, Any]:
        """The reply to one call. Raises Refused."""
        try:
            verb = self._verbs.get(shape.text(shape.mapping(call, "it").get("do"), "do"))
            if verb is None:
                raise Refused("verb-refused", f"The broker is asked for one of: {', '.join(self._verbs)}.")
            return {"ok": verb(call, caller)}
        except shape.ShapeError as error:
            raise Refused("verb-refused", f"The broker cannot read this call: {error}.") from error

    def _about(self, _call: dict[str, Any], _caller: int) -> dict[str, Any]:
        return {
            "broker": VERSION,
            "policy": self._policy.digest(),
            "image": self._machine.image,
            "plugin": self._machine.plugin,
            "traces": self._machine.traces,
            "signers": self._actions.signers(),
        }

    def _agent_state(self, _call: dict[str, Any], _caller: int) -> dict[str, Any]:
        return {"agent": self._unit.state()}

    def _agent_wait(self, _call: dict[str, Any], _caller: int) -> dict[str, Any]:
        return {"agent": self._unit.settled()}

    def _agent_start(self, call: dict[str, Any], _caller: int) -> dict[str, Any]:
        wanted = parse_activation(call, token_urlsafe(_TOKEN_BYTES))
        with self._starts_and_stops:
            acting = self._actions.under_way()
            if acting is not None:
                message = f"{acting.name} ({acting.id}) runs on this machine. Wait for its end."
                raise Refused("unit-failed", message)
            current = self._book.current()
            if not self._unit.is_gone():
                if current is not None and (current.fence, current.run) == (wanted.fence, wanted.run):
                    return {"token": current.token}
                raise Refused("unit-failed", "An agent runs on this machine already; stop it first.")
            self._begin(wanted)
        self._journal.write("the agent is started", by="gate", **wanted.stamps())
        return {"token": wanted.token}

    def _begin(self, activation: Activation) -> None:
        try:
            self._book.begin(activation)
            self._unit.start(activation.token)
        except OSError as error:
            self._book.end()
            raise Refused("unit-failed", f"The activation cannot be written down: {error}.") from error
        except Refused:
            self._book.end()
            raise

    def _agent_stop(self, _call: dict[str, Any], _caller: int) -> dict[str, Any]:
        with self._starts_and_stops:
            current = self._book.current()
            state = self._unit.stop()
            if state in GONE:
                self._book.end()
                self._end_agent_calls()
            if state in GONE and current is not None:
                self._unit.forget_token()
        self._journal.write(f"the agent was stopped: {state}", by="gate", **(current.stamps() if current else {}))
        return {"agent": state}

    def _evidence(self, call: dict[str, Any], caller: int) -> dict[str, Any]:
        fence = parse_fence(call)
        name = shape.text(call.get("check"), "check")
        try:
            policy = self._policy.policy()
        except NoPolicy as error:
            raise Refused("verb-refused", str(error)) from error
        check = policy.checks.get(name)
        if check is None:
            raise Refused(
                "verb-refused",
                f'The check "{name}" is not among those that this machine is authorised for: '
                f"{', '.join(policy.checks)}. After a change of the fleet file, renew its policy.",
            )
        if not self._places_for_checks.acquire(blocking=False):
            raise Refused("internal", f"{_MOST_CHECKS} checks run or wait on this machine already. Try again later.")
        try:
            return self._outputs_of(name, check, policy, fence, caller)
        finally:
            self._places_for_checks.release()

    def _outputs_of(self, name: str, check: Check, policy: Policy, fence: int, caller: int) -> dict[str, Any]:
        outputs = []
        with self._checks:
            collected_at = iso_time(time.time() * 1000)
            for argv in check.commands:
                try:
                    output = self._runner.run(
                        argv,
                        as_root=check.root,
                        timeout_seconds=policy.limits.command_timeout_seconds,
                        output_bytes=policy.limits.output_bytes,
                        caller=caller,
                    )
                except OSError as error:
                    raise Refused("internal", f"No command can be started on the machine: {error.strerror}.") from error
                outputs.append(output)
                self._journal.write(
                    f"evidence for {name}: {' '.join(output['argv'])}",
                    by="gate",
                    fence=fence,
                    check=name,
                    argv=json.dumps(output["argv"]),
                    exit=output["exitCode"],
                    ms=output["durationMs"],
                )
        return {"check": name, "collectedAt": collected_at, "outputs": outputs}

    def _act(self, call: dict[str, Any], caller: int) -> dict[str, Any]:
        fence = parse_fence(call)
        capsule = self._actions.verified(shape.text(call.get("capsule"), "capsule"))
        with self._starts_and_stops:
            return self._actions.begin(capsule, fence, self._unit.is_gone, caller)

    def _result(self, call: dict[str, Any], _caller: int) -> dict[str, Any]:
        return self._actions.result(parse_action_id(call))

    def _action_state(self, _call: dict[str, Any], _caller: int) -> dict[str, Any]:
        return _told(self._actions.under_way())

    def _action_halt(self, _call: dict[str, Any], _caller: int) -> dict[str, Any]:
        return _told(self._actions.halt())


def _told(action: UnderWay | None) -> dict[str, Any]:
    return {"action": action and {"id": action.id, "name": action.name, "interruptible": action.interruptible}}
