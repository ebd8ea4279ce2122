"""A call that is not served."""

from __future__ import annotations


class Refused(Exception):
    """Why a call is not served: a code that the caller knows and a sentence for the operator."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
