"""Times as they go over the wire."""

from __future__ import annotations

from datetime import datetime, timezone


def iso_time(milliseconds: float) -> str:
    """Milliseconds since the epoch as ISO 8601 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
