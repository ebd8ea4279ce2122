"""Private keys in texts: the counterpart of src/telemetry/redact-private-keys.ts."""

from __future__ import annotations

import re

from .redact_rule import NOT_BREAK, WHITE_CHARACTERS, marker

_MARKER = marker("private-key")

# Characters of a private key's block, generously.
_LONGEST_KEY = 32_768
_LONGEST_LINE = 512
# Base64 shorter than this, on a line with something else, is taken for a word.
_SHORTEST_PIECE = 12

_BEGIN = r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_END = r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"

_ANY = re.compile(r"PRIVATE KEY|Private-Lines|b3BlbnNzaC1rZXktdjE")
# A whole block, on many lines or (in an environment variable) on one.
_WHOLE_BLOCK = re.compile(rf"{_BEGIN}(?:(?!----)[\s\S]){{0,{_LONGEST_KEY}}}{_END}", re.ASCII)
# Where key material starts whose end was cut off: PEM, PuTTY, and the first bytes of an OpenSSH key.
_OPEN_BLOCK = re.compile(
    rf"{_BEGIN}|Private-Lines: \d{{1,4}}(?=\r?\n)|b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=]{{0,80}}", re.ASCII
)
_CLOSE_BLOCK = re.compile(_END)
# A line break, also as it stands inside a JSON string.
_LINE_BREAK = re.compile(r"\r?\n|(?:\\r)?\\n")
# What a (trimmed) line of a private key's block looks like: base64, a header of PEM, PGP or PuTTY, or nothing.
_KEY_LINE = re.compile(
    r"(?:[A-Za-z0-9+/=]{1,128}"
    rf"|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|Private-MAC): {NOT_BREAK}{{0,200}})?"
)
_BASE64_AT_START = re.compile(r"[A-Za-z0-9+/=]*")
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def redact_private_keys(text: str) -> str:
    """Replaces private keys (PEM, OpenSSH, PGP, PuTTY), also those of which only the beginning or the end is there.

    Certificates and public keys stay.
    """
    if not _ANY.search(text):
        return text
    return _without_tails(_without_heads(_WHOLE_BLOCK.sub(_MARKER, text)))


def _without_heads(text: str) -> str:
    """Blocks whose end is missing: from the first line as far as lines look like a key."""
    pieces: list[str] = []
    at = 0
    for match in _OPEN_BLOCK.finditer(text):
        if match.start() < at:
            continue
        pieces += (text[at : match.start()], _MARKER)
        at = _end_of_key(text, match.end())
    return "".join((*pieces, text[at:]))


def _end_of_key(text: str, start: int) -> int:
    at = start
    while at < len(text):
        rest = text[at : at + _LONGEST_LINE]
        line_break = _LINE_BREAK.search(rest)
        line = rest[: line_break.start()] if line_break else rest
        if not _is_key_line(line):
            return at + _piece_at_start(text[at : at + _LONGEST_KEY])
        if line_break is None:
            return at + len(line)
        at += line_break.end()
    return at


def _without_tails(text: str) -> str:
    """Blocks whose beginning is missing: back from the last line as far as lines look like a key."""
    pieces: list[str] = []
    at = 0
    for match in _CLOSE_BLOCK.finditer(text):
        pieces += (_without_key_at_end(text[at : match.start()]), _MARKER)
        at = match.end()
    return "".join((*pieces, text[at:]))


def _without_key_at_end(text: str) -> str:
    key_start = line_end = len(text)
    for line_break in reversed(list(_LINE_BREAK.finditer(text))):
        line = text[line_break.end() : line_end]
        if not _is_key_line(line):
            return text[: _start_of_piece(line, line_end, key_start)]
        key_start, line_end = line_break.end(), line_break.start()
    line = text[:line_end]
    return "" if _is_key_line(line) else text[: _start_of_piece(line, line_end, key_start)]


def _is_key_line(line: str) -> bool:
    return _KEY_LINE.fullmatch(line.strip(WHITE_CHARACTERS)) is not None


def _piece_at_start(line: str) -> int:
    """How much of the line's start is base64 that something else follows, such as a note that the rest was cut."""
    start = len(line) - len(line.lstrip(WHITE_CHARACTERS))
    piece = _BASE64_AT_START.match(line, start)
    end = piece.end() if piece else start
    return 0 if end - start < _SHORTEST_PIECE else end


def _start_of_piece(line: str, line_end: int, key_start: int) -> int:
    """Where base64 at the end of a line starts that something else precedes; without any, `key_start`."""
    end = at = len(line.rstrip(WHITE_CHARACTERS))
    while at > 0 and line[at - 1] in _BASE64:
        at -= 1
    return key_start if end - at < _SHORTEST_PIECE else line_end - len(line) + at
