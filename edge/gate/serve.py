"""One request from its line to its answer and its exit code."""

from __future__ import annotations

import json
import os
import select
import sys
import time

import journal
from books import Books
from broker_client import Broker
from grammar import HELP, parse_verb
from machine_file import read_machine_file
from refusal import Refused
from verbs import Gate

MACHINE_FILE = "/etc/fleetbot/machine.json"
# What is read from stdin, which only `act` looks at.
CAPSULE_BYTES_MAX = 64 * 1024
CAPSULE_SECONDS = 10

_STDIN, _STDOUT, _STDERR = 0, 1, 2

# Importing `typing` would take longer than most requests.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """
    Serves the request in SSH_ORIGINAL_COMMAND and ends the process. What else can be said is on the forced command's
    own line (`--machine-file`, `--journal`), and never in the environment, into which SSH lets its clients write.
    """
    options = _options(sys.argv[1:])
    line = os.environb.get(b"SSH_ORIGINAL_COMMAND")
    client = os.environb.get(b"SSH_CONNECTION", b"").decode("ascii", "replace").partition(" ")[0]
    verb = parse_verb(line)
    fields = {"from": client, **_told(verb)}
    began = time.monotonic()

    def tell(outcome: str, priority: int = journal.INFO, **more: object) -> None:
        message = f"{journal.shown(line)} from {client or 'this machine'}: {outcome}"
        milliseconds = round((time.monotonic() - began) * 1000)
        journal.tell(message, priority, {**fields, "ms": milliseconds, **more}, options["--journal"])

    try:
        if verb is None:
            raise Refused("verb-refused", HELP)
        _serve(*verb, options["--machine-file"], tell)
        tell("done")
        exit_code = 0
    except Refused as refusal:
        tell(f"refused ({refusal.code}): {refusal.message}", journal.WARNING, refused=refusal.code)
        exit_code = _refuse(refusal)
    except Exception as error:  # noqa: BLE001  (whatever it is, the client gets an answer that follows the protocol)
        tell(f"the gate failed: {error!r}", journal.ERROR, refused="internal")
        message = "The gate failed. Its reason is in the journal of fleetbot-gate on the machine."
        exit_code = _refuse(Refused("internal", message))
    # Nothing is left to tidy up, and the next request may be waiting for the processor.
    os._exit(exit_code)


def _told(verb: tuple[str, dict] | None) -> dict:
    """A verb and its words as fields of the journal, with the names that the broker's have."""
    if verb is None:
        return {}
    words = dict(verb[1])
    traceparent = words.pop("traceparent", None)
    return {"verb": verb[0], "trace": traceparent and traceparent.split("-")[1], **words}


def _options(words: list[str]) -> dict:
    given = dict(zip(words[::2], words[1::2]))
    options = {"--machine-file": MACHINE_FILE, "--journal": journal.SOCKET, **given}
    if len(options) > 2 or len(words) != 2 * len(given):
        sys.exit("The gate takes only --machine-file PATH and --journal PATH.")
    return options


def _serve(verb: str, words: dict, machine_file: str, tell: Callable[[str], None]) -> None:
    """Answers on stdout. Raises Refused."""
    machine = read_machine_file(machine_file)
    books = Books(os.path.join(machine.state_dir, "gate"))
    gate = Gate(machine, books, Broker(os.path.join(machine.run_dir, "gate.sock")))
    if verb == "connect":
        from relay import open_gateway, relay

        gate.may_connect(**words)
        gateway = open_gateway(machine.gateway_port, machine.agent_user)
        if gateway is not None:
            # It may last as long as the agent, and end with a kill that leaves no time to tell.
            tell("connected")
            relay(gateway)
        return
    if verb == "act":
        words["capsule"] = _read_capsule()
    reply = getattr(gate, verb)(**words)
    _write(_STDOUT, reply)


def _refuse(refusal: Refused) -> int:
    _write(_STDERR, refusal.reply())
    return 1


def _read_capsule() -> str:
    """All of stdin. Raises Refused where it is too long, no text, or does not end in time."""
    content = b""
    deadline = time.monotonic() + CAPSULE_SECONDS
    while len(content) <= CAPSULE_BYTES_MAX:
        ready, _, _ = select.select([_STDIN], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise Refused("verb-refused", f"The capsule on stdin did not end within {CAPSULE_SECONDS} s.")
        chunk = os.read(_STDIN, CAPSULE_BYTES_MAX)
        if chunk == b"":
            try:
                return content.decode("utf-8")
            except UnicodeDecodeError as error:
                raise Refused("verb-refused", "The capsule on stdin is not text in UTF-8.") from error
        content += chunk
    raise Refused("verb-refused", f"The capsule on stdin is longer than {CAPSULE_BYTES_MAX} bytes.")


def _write(descriptor: int, reply: dict) -> None:
    content = json.dumps(reply).encode("ascii")
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    except OSError:
        # Who asked is gone. What was done stays done, and is in the journal.
        pass
