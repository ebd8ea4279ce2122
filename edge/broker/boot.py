"""Which boot of the machine this is."""

from __future__ import annotations

from pathlib import Path

_BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """What the kernel calls this boot. Raises OSError."""
    return _BOOT_ID_FILE.read_text(encoding="ascii").strip()
