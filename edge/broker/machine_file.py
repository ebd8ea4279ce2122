"""What setup wrote down about this machine: /etc/fleetbot/machine.json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import shape


@dataclass(frozen=True)
class MachineFile:
    """Who this machine is, whom it runs things as, and what setup installed."""

    name: str
    run_dir: Path
    agent_user: str
    read_user: str
    image: str | None
    plugin: str | None
    traces: bool
    quadlet: bool


def load_machine_file(path: Path) -> MachineFile:
    """Reads the file. Fields that only others need are left to them.

    Raises OSError or ShapeError.
    """
    data = shape.mapping(shape.decode(path.read_bytes()), "the file")

    def word(field: str) -> str:
        return shape.text(data.get(field), field)

    def word_or_none(field: str) -> str | None:
        return None if data.get(field) is None else word(field)

    return MachineFile(
        name=word("name"),
        run_dir=Path(word("runDir")),
        agent_user=word("agentUser"),
        read_user=word("readUser"),
        image=word_or_none("image"),
        plugin=word_or_none("plugin"),
        traces=shape.truth(data.get("traces"), "traces"),
        quadlet=shape.truth(data.get("quadlet"), "quadlet"),
    )
