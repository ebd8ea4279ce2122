"""fleetbot's broker: runs listed commands on this machine for its gate and its agent, starts and stops the agent, and
begins what people approved.

Run as root by fleetbot-broker.service. The sockets come from systemd; options exist for tests and for trying by hand.
"""

from __future__ import annotations

import argparse
import os
import pwd
import signal
import socket
import sys
import threading
from pathlib import Path

from action_book import ActionBook
from action_unit import ActionUnit
from actions import Actions
from activation import ActivationBook
from agent_calls import AgentCalls
from agent_unit import CONTAINER_UID, AgentUnit
from capsule_signers import CapsuleSigners
from gate_calls import GateCalls
from identity import identity_of, subordinate_ids
from journal import Journal
from machine_file import load_machine_file
from policy_file import PolicyFile
from run_command import SEARCH_PATH, CommandRunner
from server import Door, serve
from shape import ShapeError

_GATE_USER = "fleetbot"
# A capsule comes with its signature; an agent's command is short.
_LONGEST_GATE_CALL_BYTES = 262_144
_LONGEST_AGENT_CALL_BYTES = 16_384
_MOST_GATE_CALLS = 32
_MOST_AGENT_CALLS = 16
_THREAD_STACK_BYTES = 524_288
# sd_listen_fds(3)
_FIRST_LISTEN_DESCRIPTOR = 3


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    options = _options()
    # Before anything else runs: a signal that comes early counts too.
    ending, wake = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(wake, b"\0"))
    threading.stack_size(_THREAD_STACK_BYTES)
    os.umask(0o077)

    search_path = (str(options.programs),) if options.programs else SEARCH_PATH
    os.environ["PATH"] = ":".join(search_path)
    machine = load_machine_file(options.machine)
    agent_user = identity_of(machine.agent_user)
    subordinate = subordinate_ids(agent_user, options.subuid)
    policy = PolicyFile(options.policy, machine.name)
    journal = Journal(options.journal, "fleetbot-broker")
    book = ActivationBook(machine.run_dir)
    root = identity_of(pwd.getpwuid(os.geteuid()).pw_name)
    runner = CommandRunner(identity_of(machine.read_user), root, search_path)

    sockets = dict(options.listen) or _inherited_sockets()
    agent_calls = AgentCalls(policy=policy, runner=runner, book=book, journal=journal)
    # The agent's user and its container; not the collector's, which has another uid of that user's.
    agent_uids = {agent_user.uid, subordinate.on_host(CONTAINER_UID)}
    agent_door = Door(
        listening=sockets["agent"],
        admits=lambda uid: uid in agent_uids,
        answer=agent_calls.answer,
        longest_call_bytes=_LONGEST_AGENT_CALL_BYTES,
        most_at_once=_MOST_AGENT_CALLS,
        unreadable_code="bad-request",
        overloaded_code="busy",
    )
    actions = Actions(
        machine=machine.name,
        policy=policy,
        signers=CapsuleSigners(options.capsule_signers, machine.run_dir, search_path),
        book=ActionBook(options.actions),
        unit=ActionUnit(_action_runner(options), search_path),
        journal=journal,
    )
    gate_calls = GateCalls(
        actions=actions,
        machine=machine,
        policy=policy,
        runner=runner,
        unit=AgentUnit(agent_user, subordinate, search_path, quadlet=machine.quadlet),
        book=book,
        journal=journal,
        end_agent_calls=agent_door.end_calls,
    )
    gate_uids = {os.geteuid(), *_uids_of(_GATE_USER)}
    gate_door = Door(
        listening=sockets["gate"],
        admits=lambda uid: uid in gate_uids,
        answer=gate_calls.answer,
        longest_call_bytes=_LONGEST_GATE_CALL_BYTES,
        most_at_once=_MOST_GATE_CALLS,
        unreadable_code="verb-refused",
        overloaded_code="internal",
    )
    serve([gate_door, agent_door], ending)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fleetbot-broker", description=__doc__)
    parser.add_argument("--machine", type=Path, default=Path("/etc/fleetbot/machine.json"))
    parser.add_argument("--policy", type=Path, default=Path("/etc/fleetbot/policy.json"))
    parser.add_argument("--capsule-signers", type=Path, default=Path("/etc/fleetbot/capsule-signers"))
    parser.add_argument("--actions", type=Path, default=Path("/var/lib/fleetbot/broker/actions"))
    parser.add_argument("--subuid", type=Path, default=Path("/etc/subuid"))
    parser.add_argument("--journal", type=Path, default=Path("/run/systemd/journal/socket"))
    parser.add_argument("--programs", type=Path, help="the only folder where programs are looked for")
    parser.add_argument(
        "--listen", type=_listen, action="append", default=[], metavar="NAME=PATH", help="instead of systemd's sockets"
    )
    return parser.parse_args()


def _action_runner(options: argparse.Namespace) -> tuple[str, ...]:
    """How an action's unit runs `run_action.py`, before the action's id."""
    program = Path(__file__).resolve().with_name("run_action.py")
    programs = ("--programs", str(options.programs)) if options.programs else ()
    return (
        *(sys.executable, "-I", "-S", str(program), "--book", str(options.actions)),
        *("--journal", str(options.journal), *programs),
    )


def _listen(argument: str) -> tuple[str, socket.socket]:
    name, _, path = argument.partition("=")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    Path(path).unlink(missing_ok=True)
    listening.bind(path)
    listening.listen()
    return name, listening


def _inherited_sockets() -> dict[str, socket.socket]:
    """The sockets that systemd gave, by their names (FileDescriptorName=)."""
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != str(len(names)):
        return {}
    return {name: socket.socket(fileno=_FIRST_LISTEN_DESCRIPTOR + n) for n, name in enumerate(names)}


def _uids_of(name: str) -> set[int]:
    try:
        return {pwd.getpwnam(name).pw_uid}
    except KeyError:
        return set()


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, ShapeError) as error:
        sys.exit(f"The broker cannot start: {error}. `setup-edge.sh` writes its files anew.")
    except KeyError as error:
        sys.exit(f"The broker cannot start: {error} is missing. `setup-edge.sh` makes users and sockets anew.")
