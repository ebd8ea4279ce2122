"""One pattern of secrets: the counterpart of src/telemetry/redact-rule.ts.

The patterns are those of the TypeScript rules, in Python's dialect. Where the dialects differ:
`WHITE` is JavaScript's white space; `LINE_START`, `LINE_END` and `NOT_BREAK` know its four line breaks;
a look-behind of several widths becomes one for each width. Everything else is ASCII, as without the `u` flag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Match, Pattern, Union

Replacement = Union[str, Callable[[Match[str]], str]]

WHITE_CHARACTERS = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript's `\\s` matches and its `trim` takes away."""

WHITE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""JavaScript's `\\s` as a part of a set."""

LINE_START = r"(?<![^\n\r\u2028\u2029])"
LINE_END = r"(?![^\n\r\u2028\u2029])"
NOT_BREAK = r"[^\n\r\u2028\u2029]"
END = r"\Z"

ANY_MARKER = r"\[redacted:[a-z-]{1,32}\]"
"""Any marker, as a part of a pattern."""

WORD_START = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"
"""Not inside a word. A line break escaped in a JSON string (`\\n`) does not count as the end of one."""


@dataclass(frozen=True)
class RedactRule:
    """A pattern, what stands in a match's place, and what a text must hold for it to match at all.

    `hints` are lower-case pieces: without any of them in the text's lower-case form the rule is not tried, because
    Python looks for a pattern at every character more slowly than for a piece.
    """

    pattern: Pattern[str]
    replacement: Replacement
    hints: tuple[str, ...]


def marker(kind: str) -> str:
    """What stands in the place of a secret."""
    return f"[redacted:{kind}]"


def redact_rule(source: str, replacement: Replacement, hints: tuple[str, ...], flags: int = 0) -> RedactRule:
    """A rule from the source text of its pattern."""
    return RedactRule(re.compile(source, flags | re.ASCII), replacement, hints)
