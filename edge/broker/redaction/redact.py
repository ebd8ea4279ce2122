"""Secrets never leave the machine: the counterpart of src/telemetry/redact.ts."""

from __future__ import annotations

from .assignment_rules import ASSIGNMENT_RULES
from .place_rules import PLACE_RULES
from .redact_private_keys import redact_private_keys
from .redact_rule import marker
from .token_rules import TOKEN_RULES

_RULES = (*TOKEN_RULES, *PLACE_RULES, *ASSIGNMENT_RULES)

# What is hidden can bring out something else beside it; a text is settled after two rounds, nearly always.
_MAX_ROUNDS = 5

# Far above every limit on outputs.
_MAX_CHARACTERS = 4_000_000


def redact(text: str) -> str:
    """Replaces every secret in a text with `[redacted:KIND]`: tokens, passwords, private keys, URLs' credentials.

    Idempotent; takes time linear in the text. Doubt hides: where a name says "password", whatever follows goes. What
    is longer than four million characters is cut there.
    """
    if len(text) > _MAX_CHARACTERS:
        return redact(text[:_MAX_CHARACTERS]) + marker("too-long")
    before = text
    for _ in range(_MAX_ROUNDS):
        after = _redact_once(before)
        if after == before:
            break
        before = after
    return before


def _redact_once(text: str) -> str:
    # So that what begins at the text's start also stands after something: a look-behind has one width in Python.
    result = "\n" + redact_private_keys(text)
    folded = result.lower()
    for rule in _RULES:
        if not any(hint in folded for hint in rule.hints):
            continue
        result, count = rule.pattern.subn(rule.replacement, result)
        if count:
            folded = result.lower()
    return result[1:]
