"""The part of a machine's policy that its agent is told: which commands the broker takes from it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from problem import Problem


class Policy(NamedTuple):
    """The machine's name, the patterns of the commands that the agent may run, and the paths that it may read."""

    machine: str
    patterns: list[str]
    readable: list[str]


def read_policy(path: str, machine: str) -> Policy:
    """Reads it. The broker checks the whole file; here only what the agent is told matters."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        policy: Any = json.loads(text)
        read = Policy(
            str(policy["machine"]),
            [str(command["pattern"]) for command in policy["agent"]["commands"]],
            [str(path) for path in policy["agent"]["readable"]],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(f"{path} is no policy. Make it with `fleetbot edge policy {machine}`.") from error
    if read.machine != machine:
        raise Problem(f"{path} is for {read.machine}. Make the one of {machine} with `fleetbot edge policy {machine}`.")
    return read
