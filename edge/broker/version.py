"""The version of this broker: that of the whole edge kit (edge/VERSION)."""

from __future__ import annotations

VERSION = "1.1.0"
