"""Runs one action that the broker took on, and writes down how it went: `run_action.py [OPTIONS] ID`.

Root's, in a transient unit of its own (action_unit.py). It outlives the broker and everything that asked for it.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

# Isolated mode leaves the folder out where this file is run by its own name.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import action_results  # noqa: E402  (needs the path above)
from action_book import ActionBook  # noqa: E402
from child import Ended  # noqa: E402
from journal import Journal  # noqa: E402
from run_command import EXIT_NOT_EXECUTABLE, SEARCH_PATH, run_program  # noqa: E402


def main() -> None:
    """Ends with exit code 0 once the result is written down, whatever it is."""
    options = _options()
    # An action changes the machine for all who use it: what it makes is as readable as a service would make it.
    os.umask(0o022)
    told, tell = socket.socketpair()
    told_to_end = []

    def end(*_: object) -> None:
        told_to_end.append(True)
        tell.close()

    book = ActionBook(options.book)
    record = book.record(options.id)
    if record is None:
        sys.exit(f"There is no action {options.id}: nothing was done.")
    # Whoever must not be interrupted is waited for.
    signal.signal(signal.SIGTERM, end if record["interruptible"] else lambda *_: None)
    if not book.take_turn(options.id):
        sys.exit(f"The action {options.id} had its turn before: nothing was done.")
    started_at = time.time()
    ended = _run(record, (str(options.programs),) if options.programs else SEARCH_PATH, told.fileno())
    result = action_results.ended(record, ended, started_at=started_at, told_to_end=bool(told_to_end))
    book.finish(options.id, result)
    _tell(Journal(options.journal, "fleetbot-action"), record, result)


def _run(record: dict[str, Any], search_path: tuple[str, ...], told: int) -> Ended:
    try:
        return run_program(
            record["argv"],
            search_path=search_path,
            user={},
            timeout_seconds=record["timeoutSeconds"],
            output_bytes=action_results.OUTPUT_BYTES,
            caller=told,
            trusted=True,
        )
    except OSError as error:
        return Ended(EXIT_NOT_EXECUTABLE, b"", f"No program can be started: {error.strerror}\n".encode(), False, 0)


def _tell(journal: Journal, record: dict[str, Any], result: dict[str, Any]) -> None:
    journal.write(
        result["detail"],
        approval=record["id"],
        digest=record["digest"],
        approved_by=" ".join(record["approvedBy"]),
        fence=record["fence"],
        run=record["run"],
        trace=record["traceparent"].split("-")[1],
        exit=result["exitCode"],
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run_action", description=__doc__)
    parser.add_argument("--book", type=Path, required=True)
    parser.add_argument("--journal", type=Path, default=Path("/run/systemd/journal/socket"))
    parser.add_argument("--programs", type=Path, help="the only folder where programs are looked for")
    parser.add_argument("id")
    return parser.parse_args()


if __name__ == "__main__":
    main()
