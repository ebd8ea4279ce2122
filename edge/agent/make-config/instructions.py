"""The agent's system prompt, AGENTS.md, from its template and the machine's policy."""

from __future__ import annotations

import re

from policy import Policy


def instructions(template: str, policy: Policy) -> str:
    """The template with every placeholder filled in."""
    values = {
        "machine": policy.machine,
        "commands": listing(policy.patterns),
        "readable": listing(policy.readable),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match.group(1)], template)


def listing(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)
