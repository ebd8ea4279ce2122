"""The counterpart of src/telemetry/looks-random.ts."""

from __future__ import annotations

import re
from collections import Counter
from math import log2

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
# What ssh prints of public keys: base64 of a length and a name.
_PUBLIC_KEY = re.compile(r"AAAA[A-Z]")
_PATH = re.compile(r"[./~]")
_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE | re.ASCII)
_MIXED = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"[0-9]"))
_MIN_HEX_DIGITS = 32
_MIN_BITS_PER_CHARACTER = 3.5


def looks_random(value: str) -> bool:
    """Whether a value of at least 20 characters is more likely a generated secret than a name, path or id."""
    if _UUID.fullmatch(value) or _PUBLIC_KEY.match(value) or _PATH.match(value):
        return False
    if _HEX.fullmatch(value):
        return len(value) >= _MIN_HEX_DIGITS
    mixed = all(pattern.search(value) for pattern in _MIXED)
    return mixed and _bits_per_character(value) >= _MIN_BITS_PER_CHARACTER


def _bits_per_character(text: str) -> float:
    """Shannon's entropy of the text's own characters."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * log2(share) for share in shares)
