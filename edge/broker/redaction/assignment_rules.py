"""Secrets known by the name before them: the counterpart of src/telemetry/assignment-rules.ts."""

from __future__ import annotations

import re
from typing import Match

from .looks_random import looks_random
from .redact_rule import ANY_MARKER, END, WHITE, RedactRule, marker, redact_rule

# Names of secrets by the kind under which they are reported. Whatever stands before them in a word counts.
_NAMES = {
    "password": "|".join(
        (
            "passw(?:or)?d",
            "passphrase",
            # Not the words "bypass" and "pass: 12", nor the variable PWD, which holds a folder.
            rf"""(?<=[_-])pass(?=[{WHITE}"'\\=:\d])""",
            "(?<![a-z])pass(?==)",
            "(?<=[_-])pwd",
            rf"""(?<![a-z_])pwd(?=["']?[{WHITE}]?[=:][{WHITE}]?["']?[^{WHITE}/"'])""",
        )
    ),
    "token": "token",
    "secret": "|".join(
        (
            "secret",
            "psk",
            "(?:api|access|account|auth|encryption|master|preshared|private|secret|shared|signing)[ _-]?key",
            "connection[_-]?string",
            "x-amz-signature",
        )
    ),
}

# For each kind, pieces of which one is in each of its names.
_HINTS = {
    "password": ("pass", "pwd"),
    "token": ("token",),
    "secret": ("secret", "psk", "key", "string", "x-amz-signature"),
}
_ALL_HINTS = tuple(hint for hints in _HINTS.values() for hint in hints)

# Names under which harmless values stand too: only a value that looks random is a secret there.
_VAGUE_NAMES = "key|auth|credentials?|session|signature|sig|pwd|pass"

# Endings that make the name one of something harmless: `password_file`, `tokens`, `token_count`.
_HARMLESS_ENDING = "|".join(
    (
        r"s\b",
        "s?[_-]?(?:file|path|dir|type|name|ref|ids?|count|age|url|uri|endpoint|length|limit|ttl|timeout|policy|used"
        "|authentication)(?![a-z])",
        "s?[_-]?(?:expir|iz)",
    )
)
_ENDING = rf"(?!{_HARMLESS_ENDING})\w{{0,40}}"

# In any notation of environments, YAML, JSON (also inside a JSON string), INI, URLs and XML.
_ASSIGNS = r"""\\{0,7}["'`]?[ \t]{0,32}(?:=>|:=|={1,2}|:|(?<!-)>)[ \t]{0,32}"""

# Nothing to hide, or hidden already.
_HARMLESS_VALUE = (
    rf"(?:true|false|null|none|nil|yes|no|undefined|{ANY_MARKER})" rf"""(?:[{WHITE}"'`\\,;&)}}\]<]|{END})"""
)
_QUOTED_VALUE = (
    r"""(?P<open>(?P<escapes>\\{0,7})(?P<quote>\"\"\"|'''|["'`]))"""
    rf"(?!{_HARMLESS_VALUE})"
    r"(?:(?!(?<!\\)(?P=escapes)(?P=quote))[^\n]){1,65536}"
)
_PLAIN_VALUE = rf"""(?!{_HARMLESS_VALUE})[^{WHITE}&"'`<]+"""

SECRET_VALUE = f"(?:{_QUOTED_VALUE}|{_PLAIN_VALUE})"
"""A value after a name: what its quotes hold (escaped quotes too), or all up to a blank, quote, `&` or `<`."""

# The end of `-name` or `--name`, each width that it may have; nothing else stands before it in its word.
_BEFORE_OPTION = rf"""[{WHITE}"'`[(,]"""
_OPTION_ENDS = "|".join(
    (
        *(rf"(?<={_BEFORE_OPTION}-[a-z_-]{{{width}}})" for width in range(61)),
        rf"(?<={_BEFORE_OPTION}--[a-z_-]{{60}})",
    )
)


def _assigned(kind: str) -> RedactRule:
    """`name = value`."""
    return redact_rule(
        f"(?P<name>(?:{_NAMES[kind]}){_ENDING}{_ASSIGNS}){SECRET_VALUE}",
        rf"\g<name>\g<open>{marker(kind)}",
        _HINTS[kind],
        re.IGNORECASE,
    )


def _option(kind: str) -> RedactRule:
    """`--name value`, also as two strings of a list. The text begins with a line break (see `redact`)."""
    return redact_rule(
        rf"(?P<name>(?:{_NAMES[kind]})(?:{_OPTION_ENDS}){_ENDING}"
        rf"""(?:[ \t]{{1,8}}|["'],[{WHITE}]{{0,8}}(?=["'])))(?!-){SECRET_VALUE}""",
        rf"\g<name>\g<open>{marker(kind)}",
        _HINTS[kind],
        re.IGNORECASE,
    )


_ANY_NAME = "|".join(_NAMES.values())

# `password: |` of YAML: the value is the next line.
_BLOCK_SCALAR = redact_rule(
    rf"""(?P<name>(?:{_ANY_NAME}){_ENDING}["']?:[ \t]{{1,32}}[|>][+-]?\d?[ \t]{{0,32}}\r?\n[ \t]{{1,128}})[^\n]+""",
    rf"\g<name>{marker('secret')}",
    _ALL_HINTS,
    re.IGNORECASE,
)

# `name: DB_PASSWORD` and `value: …` under it, as Kubernetes lists environments.
_NAME_AND_VALUE = redact_rule(
    r"""(?P<name>\bname["']?:[ \t]{0,8}["']?[A-Za-z0-9_-]{0,64}(?:password|passwd|secret|token|key)["']?,?"""
    rf"""[{WHITE}]{{1,128}}["']?value["']?:[ \t]{{0,8}}){SECRET_VALUE}""",
    rf"\g<name>\g<open>{marker('secret')}",
    ("name",),
    re.IGNORECASE,
)


def _hide_random(match: Match[str]) -> str:
    return f"{match[1]}{marker('secret')}" if looks_random(match[2]) else match[0]


# Also in prose: "the token is 8fJ…".
_RANDOM = redact_rule(
    rf"((?:{_VAGUE_NAMES}|{_NAMES['password']}|token|secret)"
    rf"""(?:{_ASSIGNS}|[ \t]{{1,8}}(?:is[ \t]{{1,8}})?)\\{{0,7}}["'`]?)([A-Za-z0-9+/_.~%-]{{20,}}={{0,2}})""",
    _hide_random,
    ("key", "auth", "credential", "session", "sig", "pwd", "pass", "token", "secret"),
    re.IGNORECASE,
)

ASSIGNMENT_RULES: tuple[RedactRule, ...] = (
    _BLOCK_SCALAR,
    _NAME_AND_VALUE,
    *(_option(kind) for kind in _NAMES),
    *(_assigned(kind) for kind in _NAMES),
    _RANDOM,
)
