"""How the gate says no."""

from __future__ import annotations

# `refusalCodes` of src/edge-client/gate-protocol.ts.
CODES = ("verb-refused", "old-fence", "locked", "not-active", "unit-failed", "internal")


class Refused(Exception):
    """What was asked is refused: one of CODES and a sentence that tells an operator what to do."""

    def __init__(self, code: str, message: str, fence: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fence = fence

    def reply(self) -> dict:
        """The refusal as it goes over the wire."""
        body = {"code": self.code, "message": self.message}
        return body if self.fence is None else {**body, "fence": self.fence}
