"""Changes that people approved: begun once, told of as often as asked."""

from __future__ import annotations

import json
import select
import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Callable, Iterator

import action_results
import shape
from action_book import ActionBook
from action_unit import ActionUnit
from admit_capsule import admit_capsule
from boot import boot_id
from capsule import Capsule, parse_capsule, parse_signed_capsule
from capsule_signers import CapsuleSigners
from journal import Journal
from policy import Action
from policy_file import NoPolicy, PolicyFile
from redaction.redact import redact
from refused import Refused
from utc import iso_time


@dataclass(frozen=True)
class UnderWay:
    """An action that runs, or is about to."""

    id: str
    name: str
    interruptible: bool


class Actions:
    """Decides whether an action may begin, begins it, and knows what became of each. Safe to be used by threads."""

    def __init__(
        self,
        *,
        machine: str,
        policy: PolicyFile,
        signers: CapsuleSigners,
        book: ActionBook,
        unit: ActionUnit,
        journal: Journal,
    ) -> None:
        self._machine = machine
        self._policy = policy
        self._signers = signers
        self._book = book
        self._unit = unit
        self._journal = journal
        self._lock = Lock()
        # Read with the first question: a broker that cannot read it must still be there to stop the agent.
        self._unfinished: set[str] | None = None

    def signers(self) -> list[str]:
        """Fingerprints of the keys that may sign."""
        return self._signers.fingerprints()

    def verified(self, signed_capsule: str) -> Capsule:
        """The capsule, if one of the keys that this machine carries signed it. Raises Refused."""
        self._signers.require_keys()
        try:
            signed = parse_signed_capsule(signed_capsule)
            self._signers.verify(signed)
            return parse_capsule(signed.text)
        except shape.ShapeError as error:
            raise Refused("verb-refused", f"The capsule cannot be read: {error}.") from error

    def begin(self, capsule: Capsule, fence: int, agent_is_gone: Callable[[], bool], caller: int) -> dict[str, Any]:
        """Has a verified capsule run, if it is for this machine, this fence and now, and within the policy.

        Raises Refused, also where its id was used, another one runs, or the agent does: it has not begun.
        `caller` is the gate's socket: while the gate is there it holds the machine's books, so that whoever comes with
        a higher fence comes later, and finds the action begun.
        """
        with self._lock:
            action = self._admit(capsule, fence)
            self._refuse_used(capsule)
            current = self._current()
            if current is not None:
                raise Refused("unit-failed", f"{current.name} ({current.id}) runs on this machine. Wait for its end.")
            if not agent_is_gone():
                raise Refused("unit-failed", "The agent runs on this machine. Stop it first.")
            if not _is_there(caller):
                raise Refused("internal", "Who asked for the action is gone.")
            record = self._start(capsule, action)
        words = redact(" ".join(capsule.argv))
        self._tell(f"{capsule.action} begins: {words}", capsule, argv=redact(json.dumps(capsule.argv)))
        return action_results.running(record)

    def result(self, action_id: str) -> dict[str, Any]:
        """What is known of an action now. Raises Refused `internal` where that cannot be measured."""
        with self._lock, _readable():
            record = self._book.record(action_id)
            if record is None:
                return action_results.unknown(action_id)
            return self._result_of(record) or action_results.running(record)

    def under_way(self) -> UnderWay | None:
        """The action that runs. Raises Refused `internal` where that cannot be measured."""
        with self._lock:
            return self._current()

    def halt(self) -> UnderWay | None:
        """Ends the action that runs, if it may be; the one that goes on. Raises Refused `internal`.

        One that has not had its turn yet is not begun any more, whatever it is and however slow systemd is.
        """
        self._take_turns()
        current = self.under_way()
        if current is None or not current.interruptible:
            return current
        self._unit.stop(current.id)
        return self.under_way()

    def _take_turns(self) -> None:
        with self._lock, _readable():
            for action_id in self._open():
                record = self._book.record(action_id)
                if record is not None and self._book.take_turn(action_id):
                    self._book.finish(action_id, action_results.never_began(record))

    def _admit(self, capsule: Capsule, fence: int) -> Action:
        try:
            policy = self._policy.policy()
        except NoPolicy as error:
            raise Refused("verb-refused", str(error)) from error
        return admit_capsule(capsule, machine=self._machine, fence=fence, policy=policy)

    def _refuse_used(self, capsule: Capsule) -> None:
        with _readable():
            used = self._book.record(capsule.id)
        if used is not None:
            message = f"This approval was used at {used['begunAt']}, and is good for once. Ask for its result."
            raise Refused("verb-refused", message)

    def _start(self, capsule: Capsule, action: Action) -> dict[str, Any]:
        record = {
            **{"id": capsule.id, "action": capsule.action, "argv": capsule.argv, "digest": capsule.digest},
            **{"fence": capsule.fence, "run": capsule.run, "traceparent": capsule.traceparent},
            **{"requestedBy": capsule.requested_by, "approvedBy": capsule.approved_by},
            **{"timeoutSeconds": action.timeout_seconds, "interruptible": action.interruptible},
            **{"begunAt": iso_time(time.time() * 1000), "boot": boot_id()},
        }
        try:
            self._book.begin(capsule.id, record)
        except OSError as error:
            message = f"It cannot be written down that the action begins, so it does not: {error.strerror}."
            raise Refused("unit-failed", f"{message} Make room where /var/lib/fleetbot is.") from error
        self._open().add(capsule.id)
        try:
            self._unit.start(capsule.id, action.timeout_seconds)
        except Refused:
            # Where systemd was only slow to answer, the action may have its turn already: then it has begun.
            with _readable():
                if self._book.take_turn(capsule.id):
                    self._book.forget(capsule.id)
                    self._open().discard(capsule.id)
                    raise
        return record

    def _current(self) -> UnderWay | None:
        with _readable():
            for action_id in sorted(self._open()):
                record = self._book.record(action_id)
                if record is not None and self._result_of(record) is None:
                    return UnderWay(action_id, record["action"], record["interruptible"])
                self._open().discard(action_id)
        return None

    def _open(self) -> set[str]:
        """The ids of which no result was seen. Raises OSError when it cannot be read what was begun before."""
        if self._unfinished is None:
            self._unfinished = set(self._book.unfinished())
        return self._unfinished

    def _result_of(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """How it went; None while it runs. An end of which nothing was written down is written down now."""
        action_id = record["id"]
        known = self._book.result(action_id)
        if known is not None or self._unit.is_alive(action_id):
            return known
        # It may have ended since.
        known = self._book.result(action_id)
        if known is None:
            never = self._book.take_turn(action_id)
            known = action_results.never_began(record) if never else action_results.left_no_result(record)
            self._book.finish(action_id, known)
        return known

    def _tell(self, message: str, capsule: Capsule, **more: str | None) -> None:
        self._journal.write(
            message,
            by="gate",
            approval=capsule.id,
            digest=capsule.digest,
            approved_by=" ".join(capsule.approved_by),
            fence=capsule.fence,
            run=capsule.run,
            trace=capsule.traceparent.split("-")[1],
            **more,
        )


@contextmanager
def _readable() -> Iterator[None]:
    """Turns what is wrong with the book into a refusal."""
    try:
        yield
    except (OSError, ValueError) as error:
        message = f"What is known of this machine's actions cannot be read or written: {error}. Mend that on it."
        raise Refused("internal", message) from error


def _is_there(caller: int) -> bool:
    poll = select.poll()
    # Nothing is expected from there; that the other side is gone is always told.
    poll.register(caller, 0)
    return not poll.poll(0)
