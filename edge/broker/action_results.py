"""How an action went, as `actionReplySchema` of src/edge-client/gate-protocol.ts has it."""

from __future__ import annotations

import time
from typing import Any

from boot import boot_id
from child import Ended
from run_command import redact_and_cut
from utc import iso_time

# Of each stream: people read it on a card.
OUTPUT_BYTES = 16_384


def unknown(action_id: str) -> dict[str, Any]:
    """Of an id that was never used."""
    detail = "No action of this id was ever begun on this machine."
    return {"id": action_id, "outcome": "unknown", "detail": detail}


def running(record: dict[str, Any]) -> dict[str, Any]:
    """Of one that was begun and has not ended."""
    detail = f"{record['action']} was begun at {record['begunAt']}."
    return {"id": record["id"], "outcome": "running", "detail": detail}


def ended(record: dict[str, Any], end: Ended, *, started_at: float, told_to_end: bool) -> dict[str, Any]:
    """Of one whose program has ended. `started_at`: seconds since the epoch."""
    stdout, _ = redact_and_cut(end.stdout, OUTPUT_BYTES)
    stderr, _ = redact_and_cut(end.stderr, OUTPUT_BYTES)
    return {
        "id": record["id"],
        "outcome": "done" if end.exit_code == 0 else "failed",
        "detail": _sentence(record, end, told_to_end),
        "exitCode": end.exit_code,
        "stdout": stdout,
        "stderr": stderr,
        "startedAt": iso_time(started_at * 1000),
        "endedAt": iso_time(time.time() * 1000),
    }


def never_began(record: dict[str, Any]) -> dict[str, Any]:
    """Of one that was taken on and whose turn nobody can take any more."""
    detail = f"{record['action']} never began, and cannot begin any more."
    return {"id": record["id"], "outcome": "unknown", "detail": detail}


def left_no_result(record: dict[str, Any]) -> dict[str, Any]:
    """Of one that had its turn and is gone without a word."""
    name, action_id = record["action"], record["id"]
    if record["boot"] == boot_id():
        detail = (
            f"{name} was ended from outside before it could say how it went: how far it came is not known. The "
            "journal of fleetbot-action on the machine may tell more."
        )
        return {"id": action_id, "outcome": "failed", "detail": detail}
    detail = f"The machine restarted while {name} ran: how far it came is not known. Look at the machine."
    return {"id": action_id, "outcome": "lost", "detail": detail}


def _sentence(record: dict[str, Any], end: Ended, told_to_end: bool) -> str:
    took = f"{end.duration_ms / 1000:.1f} s"
    if end.exit_code is not None:
        return f"{record['action']} ended with exit code {end.exit_code} after {took}."
    if told_to_end:
        return f"{record['action']} was told to end (by a lock, a shutdown or by hand) and was ended after {took}."
    if end.duration_ms >= record["timeoutSeconds"] * 1000:
        return f"{record['action']} took longer than it may and was ended after {record['timeoutSeconds']} s."
    return f"{record['action']} was ended by a signal after {took}."
