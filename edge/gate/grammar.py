"""The exact grammar of a request: src/edge-client/gate-protocol.ts, as src/sandbox/machine/parse-verb.ts reads it."""

from __future__ import annotations

import re

# The longest line of the grammar is a lock with 200 characters of four bytes each.
LINE_BYTES_MAX = 1024
REASON_CHARACTERS_MAX = 200

# At most 15 digits: always exact as a JavaScript number.
FENCE = "[1-9][0-9]{0,14}"
RUN = "r-[0-9a-z]{10,32}"
# W3C Trace Context version 00; ids of only zeros are invalid there.
TRACEPARENT = "00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
ACTION = "a-[0-9a-z]{12}"
NAME = "[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?"

# What follows each verb, word by word. The reasons of `lock` and `unlock` are read apart.
WORDS = {
    "status": {},
    "start": {"fence": FENCE, "run": RUN, "traceparent": TRACEPARENT},
    "connect": {"fence": FENCE},
    "stop": {"fence": FENCE},
    "evidence": {"fence": FENCE, "check": NAME},
    "act": {"fence": FENCE},
    "result": {"id": ACTION},
}

HELP = (
    "The gate knows only: status, start FENCE RUN TRACEPARENT, connect FENCE, stop FENCE, evidence FENCE CHECK, "
    "act FENCE, result ID, lock REASON, unlock REASON, unlock. Single spaces."
)


def parse_verb(line: bytes | None) -> tuple[str, dict] | None:
    """The verb and its named words; None for anything that is not exactly in the grammar."""
    if line is None or len(line) > LINE_BYTES_MAX:
        return None
    try:
        # A double space leaves an empty word, which nothing below matches.
        verb, *words = line.decode("utf-8").split(" ")
    except UnicodeDecodeError:
        return None
    if verb in ("lock", "unlock"):
        return _with_reason(verb, words)
    expected = WORDS.get(verb)
    if expected is None or len(words) != len(expected):
        return None
    if not all(re.fullmatch(pattern, word) for pattern, word in zip(expected.values(), words)):
        return None
    values = dict(zip(expected, words))
    return verb, {**values, "fence": int(values["fence"])} if "fence" in values else values


def _with_reason(verb: str, words: list[str]) -> tuple[str, dict] | None:
    if verb == "unlock" and not words:
        return verb, {"reason": None}
    reason = " ".join(words)
    printable = bool(words) and all(_is_printable(word) for word in words)
    if not printable or (verb == "lock" and len(reason) > REASON_CHARACTERS_MAX):
        return None
    return verb, {"reason": reason}


def _is_printable(word: str) -> bool:
    if word.isascii():
        return word != "" and word.isprintable()
    import unicodedata  # only here: most reasons need no table of all characters

    return all(
        # Not assigned (Cn) as far as this Python knows: an emoji newer than it must not keep a machine from being
        # locked. Code points that will never be characters stay out.
        not _is_noncharacter(ord(character))
        if category == "Cn"
        else category[0] not in "CZ"
        for character, category in ((character, unicodedata.category(character)) for character in word)
    )


def _is_noncharacter(code_point: int) -> bool:
    return code_point & 0xFFFE == 0xFFFE or 0xFDD0 <= code_point <= 0xFDEF
