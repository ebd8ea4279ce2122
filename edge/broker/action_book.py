"""What became of every action that this machine ever took on: on disk, so that each runs at most once, ever."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

# More than any result takes: an action that has begun can tell how it went although the disk is full by then.
_RESULT_BYTES = 262_144


class ActionBook:
    """One folder, for the broker and for what runs an action. An action `ID` has, in the order of its life:

    `ID.space`, room for its result; `ID.turn`, which whoever may run it takes away; `ID.json`, what is to be run, with
    which the id is used; `ID.result`, how it went. When a method returns, a power cut cannot undo what it did.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, action_id: str, record: dict[str, Any]) -> None:
        """Takes an action on. Raises OSError, with nothing of it left, where there is no room for it and its result."""
        self._make_folder()
        try:
            with self._new(action_id, "space") as space:
                os.posix_fallocate(space.fileno(), 0, _RESULT_BYTES)
                os.fsync(space.fileno())
            self._new(action_id, "turn").close()
            with self._new(action_id, "new") as file:
                file.write(json.dumps(record).encode())
                file.flush()
                os.fsync(file.fileno())
            _sync(self._folder)
            # Last: what was left of it before is no action.
            self._file(action_id, "new").rename(self._file(action_id, "json"))
            _sync(self._folder)
        except OSError:
            self.forget(action_id)
            raise

    def forget(self, action_id: str) -> None:
        """Gives the id back, for an action that has not begun and cannot any more. Raises OSError."""
        for part in ("json", "new", "turn", "space"):
            self._file(action_id, part).unlink(missing_ok=True)
        _sync(self._folder)

    def record(self, action_id: str) -> dict[str, Any] | None:
        """What was taken on; None for an id that was never used. Raises OSError."""
        return self._read(action_id, "json")

    def result(self, action_id: str) -> dict[str, Any] | None:
        """How it went; None while that is not known. Raises OSError."""
        return self._read(action_id, "result")

    def take_turn(self, action_id: str) -> bool:
        """Whether the caller is the one who may run the action, or may say that it never ran: true once, ever.

        Raises OSError.
        """
        try:
            self._file(action_id, "turn").unlink()
        except FileNotFoundError:
            return False
        _sync(self._folder)
        return True

    def finish(self, action_id: str, result: dict[str, Any]) -> None:
        """Writes down how it went, into the room that was kept for it. Raises OSError."""
        content = json.dumps(result).encode()
        with self._file(action_id, "space").open("r+b") as file:
            file.write(content)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        self._file(action_id, "space").rename(self._file(action_id, "result"))
        _sync(self._folder)

    def unfinished(self) -> list[str]:
        """The ids of which there is no result. Raises OSError."""
        try:
            names = set(os.listdir(self._folder))
        except FileNotFoundError:
            return []
        ids = (name[: -len(".json")] for name in names if name.endswith(".json"))
        return [action_id for action_id in ids if f"{action_id}.result" not in names]

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        # Each time: whoever made it may have been killed before it was on disk.
        _sync(self._folder.parent)

    def _file(self, action_id: str, part: str) -> Path:
        return self._folder / f"{action_id}.{part}"

    def _new(self, action_id: str, part: str) -> Any:
        descriptor = os.open(self._file(action_id, part), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        return open(descriptor, "wb")

    def _read(self, action_id: str, part: str) -> dict[str, Any] | None:
        file = self._file(action_id, part)
        try:
            return json.loads(file.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise OSError(f"{file}: {error}") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
