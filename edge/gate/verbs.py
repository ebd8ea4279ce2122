"""What each verb does."""

from __future__ import annotations

import time

from books import Activation, Books, BooksFailure, Lock, State, iso_time
from broker_client import (
    ACTION_SECONDS,
    EVIDENCE_SECONDS,
    HALT_SECONDS,
    START_SECONDS,
    STATE_SECONDS,
    STOP_SECONDS,
    WAIT_SECONDS,
    Broker,
    RefusedByBroker,
)
from machine_file import MachineFile
from refusal import Refused
from version import VERSION

PROTOCOL = 1
# In these states of its unit no process of the agent is left.
GONE = ("inactive", "failed")
BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"

_STDOUT = 1


class Gate:
    """
    One method for each verb: its reply, or Refused. The books are held while the agent is started or stopped and while
    an action begins, so that one change comes after the other; never while a check's commands or an action run.
    """

    def __init__(self, machine: MachineFile, books: Books, broker: Broker) -> None:
        self._machine = machine
        self._books = books
        self._broker = broker

    def status(self) -> dict:
        # Without holding the books: who asks how things are waits for nobody.
        state = self._books.read()
        about = self._broker.ask("about", STATE_SECONDS)
        measured = self._measured()
        activation = _of_this_boot(state)
        installed = ("broker", "plugin", "traces", "image", "policy", "signers")
        return {
            "protocol": PROTOCOL,
            "machine": self._machine.name,
            **measured,
            "run": None if activation is None or measured["agent"] in GONE else activation.run,
            "fence": state.fence,
            "lock": state.lock and state.lock._asdict(),
            "installed": {"gate": VERSION, **{part: about[part] for part in installed}},
            "clock": iso_time(time.time()),
        }

    def start(self, fence: int, run: str, traceparent: str) -> dict:
        with self._books:
            before = self._admissible(fence)
            refusal = self._why_not(before, fence, run)
            if refusal is not None:
                self._save(before, before._replace(fence=fence))
                raise refusal
            # On disk before the agent starts: whatever dies in between, nobody else's run is told as this one.
            self._save(before, before._replace(fence=fence, activation=Activation(fence, run, boot_id())))
            try:
                started = self._broker.ask("agent-start", START_SECONDS, fence=fence, run=run, traceparent=traceparent)
            except RefusedByBroker:
                self._books.write(before._replace(fence=fence))
                raise
        # A stop or a lock need not wait for this.
        agent = self._broker.ask("agent-wait", WAIT_SECONDS)["agent"]
        if agent != "active":
            raise Refused(
                "unit-failed",
                f"The agent's unit was started and is {agent}. See the journal of openclaw-agent on the machine.",
            )
        return {"token": started["token"]}

    def stop(self, fence: int) -> dict:
        try:
            with self._books:
                state = self._books.read()
                if not state.damage:
                    _refuse_old(state, fence)
                    # Before the agent ends: a start of this fence that is still on its way must come to nothing.
                    self._save(state, state._replace(fence=fence, retired=fence))
                return {"agent": self._stop_agent()}
        except BooksFailure:
            # The fence is not retired then, nor always known; but an agent that cannot be stopped is worse. Nothing
            # starts before the books can be written again.
            return {"agent": self._stop_agent()}

    def lock(self, reason: str) -> dict:
        try:
            with self._books:
                state = self._books.read()
                # Damaged books lock the machine until somebody has seen to them, as a lock would.
                if not state.damage:
                    # On disk before the agent is stopped: a machine that dies in between comes back locked.
                    self._books.write(state._replace(lock=Lock(reason, iso_time(time.time()))))
                try:
                    return {"locked": True, **self._brake()}
                except Refused as refusal:
                    message = f"The machine is locked, but its agent or an action may still run. {refusal.message}"
                    raise Refused("internal", message) from refusal
        except BooksFailure as failure:
            agent = self._brake()["agent"]
            message = f"The agent is {agent}, but the machine is not locked. {failure.message}"
            raise Refused("internal", message) from failure

    def unlock(self, reason: str | None) -> dict:
        measured = self._measured()
        with self._books:
            state = self._books.read()
            others = state.lock is not None and reason not in (None, state.lock.reason)
            locked = others or state.damage is not None
            if not locked:
                self._save(state, state._replace(lock=None))
        return {"locked": locked, **measured}

    def evidence(self, fence: int, check: str) -> dict:
        self._admit(fence)
        return self._broker.ask("evidence", EVIDENCE_SECONDS, _STDOUT, fence=fence, check=check)

    def act(self, fence: int, capsule: str) -> dict:
        # Held until the action has begun: whoever comes with a higher fence comes before it or finds it begun.
        with self._books:
            state = self._admissible(fence)
            self._save(state, state._replace(fence=fence))
            if state.lock is not None:
                raise _locked(state.lock)
            return self._broker.ask("act", ACTION_SECONDS, fence=fence, capsule=capsule)

    def result(self, id: str) -> dict:
        return self._broker.ask("result", STATE_SECONDS, id=id)

    def may_connect(self, fence: int) -> None:
        """Raises Refused unless the agent is active under this very fence."""
        state = self._books.read()
        if state.damage:
            raise Refused("internal", state.damage)
        _refuse_old(state, fence)
        activation = _of_this_boot(state)
        agent = self._agent_state()
        if agent != "active" or activation is None or activation.fence != fence:
            raise Refused("not-active", f"No agent is active under fence {fence}; its unit is {agent}.")

    def _why_not(self, state: State, fence: int, run: str) -> Refused | None:
        """Why nothing can be started now; None when it can, or has been by this very start."""
        if fence <= state.retired:
            return _old_fence(state, "has been stopped under this fence")
        if state.lock is not None:
            return _locked(state.lock)
        active = _of_this_boot(state)
        if active is None or (active.fence, active.run) == (fence, run) or self._agent_state() in GONE:
            return None
        message = f"The agent is active for {active.run} under fence {active.fence}. Stop it first."
        return Refused("unit-failed", message)

    def _admit(self, fence: int) -> None:
        """Lets a fence in, remembering it, or raises Refused."""
        with self._books:
            state = self._admissible(fence)
            self._save(state, state._replace(fence=fence))

    def _admissible(self, fence: int) -> State:
        """The state, for a fence that is not too low. Raises Refused."""
        state = self._books.read()
        if state.damage:
            raise Refused("internal", state.damage)
        _refuse_old(state, fence)
        return state

    def _save(self, before: State, after: State) -> None:
        if after != before:
            self._books.write(after)

    def _agent_state(self) -> str:
        return self._broker.ask("agent-state", STATE_SECONDS)["agent"]

    def _measured(self) -> dict:
        """The agent's state, and the action that must not be interrupted, where one runs."""
        agent = self._agent_state()
        action = self._broker.ask("action-state", STATE_SECONDS)["action"]
        return {"agent": agent, **({} if action is None or action["interruptible"] else _named(action))}

    def _brake(self) -> dict:
        """Stops the agent, and the action that may be ended; what is left of both."""
        try:
            agent = self._stop_agent()
        finally:
            # Whatever became of the agent.
            action = self._broker.ask("action-halt", HALT_SECONDS)["action"]
        return {"agent": agent, **({} if action is None else _named(action))}

    def _stop_agent(self) -> str:
        return self._broker.ask("agent-stop", STOP_SECONDS)["agent"]


def boot_id() -> str:
    """What the kernel calls this boot."""
    with open(BOOT_ID_FILE, encoding="ascii") as file:
        return file.read().strip()


def _of_this_boot(state: State) -> Activation | None:
    activation = state.activation
    return activation if activation is not None and activation.boot == boot_id() else None


def _named(action: dict) -> dict:
    """As replies tell of an action that goes on."""
    return {"action": {"id": action["id"], "name": action["name"]}}


def _locked(lock: Lock) -> Refused:
    return Refused("locked", f"The machine has been locked since {lock.at}: {lock.reason}. Unlock it first.")


def _refuse_old(state: State, fence: int) -> None:
    if fence < state.fence:
        raise _old_fence(state, "has been taken over by another supervisor")


def _old_fence(state: State, why: str) -> Refused:
    message = f"The machine has seen fence {state.fence} and {why}. Use a higher one."
    return Refused("old-fence", message, state.fence)
