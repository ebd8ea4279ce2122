"""The configuration of the machine's OpenClaw: one agent with one tool, and everything else off."""

from __future__ import annotations

from typing import Any

from models import Models

AGENT = "edge"
GATEWAY_PORT = 18789
PLUGIN = "fleetbot"
PLUGIN_FOLDER = "/opt/fleetbot/plugin"
WORKSPACE = "/state/workspace"
# Longer than on-host waits for the broker, so that the agent sees why.
EXEC_SECONDS = 45
# The supervisor ends a task earlier; this is for one that nobody supervises any more.
TASK_SECONDS = 900


def openclaw_config(machine: str, models: Models) -> dict[str, Any]:
    """The content of openclaw.json for OpenClaw 2026.9.6."""
    return {
        "gateway": {
            "mode": "local",
            "bind": "loopback",
            "port": GATEWAY_PORT,
            "auth": {"mode": "token"},
            "controlUi": {"enabled": False},
            "http": {"endpoints": {"chatCompletions": {"enabled": True}}},
        },
        "models": {"catalogRefresh": {"enabled": False}, "providers": models.providers()},
        "agents": {
            "defaults": {
                "model": models.choice(),
                "skills": [],
                "skipBootstrap": True,
                "heartbeat": {"every": "0m"},
                "timeoutSeconds": TASK_SECONDS,
            },
            "entries": {AGENT: {"name": "Edge", "workspace": WORKSPACE}},
        },
        "tools": {
            # `write` would bring apply_patch with it, and a search for tools would be a tool.
            "allow": ["exec"],
            "toolSearch": False,
            "exec": {"mode": "allowlist", "timeoutSeconds": EXEC_SECONDS},
            "loopDetection": {"enabled": True},
        },
        "plugins": {
            "allow": [PLUGIN],
            "load": {"paths": [PLUGIN_FOLDER]},
            "slots": {"memory": "none"},
            "entries": {
                PLUGIN: {"enabled": True, "hooks": {"allowConversationAccess": True}, "config": {"host": machine}}
            },
        },
        "cron": {"enabled": False},
        "diagnostics": {"enabled": True},
        "update": {"checkOnStart": False},
    }
