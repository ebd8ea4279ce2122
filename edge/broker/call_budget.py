"""How often the agent may ask: a program in its container may ask without end, and every call costs the machine."""

from __future__ import annotations

import time
from threading import Lock
from typing import Callable

# Far more than a model asks for: it thinks for seconds between two calls.
_AT_ONCE = 100
_PER_SECOND = 5.0


class CallBudget:
    """So many calls at once, and so many more each second. Safe to be used by several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._left = float(_AT_ONCE)
        self._counted_at = clock()

    def take(self) -> bool:
        """Whether one more call is within the budget; it is counted then."""
        with self._lock:
            now = self._clock()
            self._left = min(_AT_ONCE, self._left + (now - self._counted_at) * _PER_SECOND)
            self._counted_at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
