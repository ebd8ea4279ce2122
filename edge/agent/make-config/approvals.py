"""What OpenClaw itself lets the agent execute: the client of the machine's broker, and nothing else."""

from __future__ import annotations

from typing import Any

from openclaw_config import AGENT

CLIENT = "/usr/local/bin/on-host"


def approvals() -> dict[str, Any]:
    """
    The document of `openclaw approvals set`. What is not listed is denied, and nobody is asked: a command that waits
    for an approval runs when anyone with the gateway's token says so, even after its supervisor has gone; a denied
    one never does.
    """
    denied = {"ask": "off", "askFallback": "deny", "autoAllowSkills": False}
    return {
        "version": 1,
        "defaults": {"security": "deny", **denied},
        "agents": {AGENT: {"security": "allowlist", **denied, "allowlist": [{"pattern": CLIENT}]}},
    }
