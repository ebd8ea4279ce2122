"""The machine file: where things are on this machine."""

from __future__ import annotations

import json
from collections import namedtuple

from refusal import Refused

# What the gate needs of it, with the type of each.
FIELDS = {"name": str, "gatewayPort": int, "stateDir": str, "runDir": str, "agentUser": str}

MachineFile = namedtuple("MachineFile", "name gateway_port state_dir run_dir agent_user")


def read_machine_file(path: str) -> MachineFile:
    """Reads what setup-edge.sh wrote. Raises Refused `internal` where it is missing or another thing."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        values = [content[field] for field in FIELDS]
        if any(type(value) is not kind for value, kind in zip(values, FIELDS.values())):
            raise ValueError("a field has another type")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            "internal", f"The machine file {path} cannot be used ({error!r}). Run setup-edge.sh on the machine again."
        ) from error
    return MachineFile(*values)
