"""Secrets known by the place where they stand: the counterpart of src/telemetry/place-rules.ts."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Match

from .assignment_rules import SECRET_VALUE
from .redact_rule import LINE_END, LINE_START, NOT_BREAK, WHITE, WORD_START, RedactRule, marker, redact_rule

_PASSWORD = rf"\g<1>{marker('password')}"

# `scheme://user:password@host` and `scheme://token@host`; the host stays, and so does `ssh://git@host`.
_URL_CREDENTIALS = redact_rule(
    "(?<=://)(?:" rf"""[^{WHITE}/?#"'`<>:@[]{{0,256}}:[^{WHITE}/?#"'`<>]{{0,4096}}"""
    # A password may hold what should have been escaped; `host:port/path` is none.
    rf"""|[^{WHITE}/?#"'`<>:@[]{{0,256}}:(?!\d{{1,5}}[/?#])[^{WHITE}"'`<>]{{0,512}}"""
    rf"""|(?<!ssh://)(?<!sftp://)[^{WHITE}/?#"'`<>:@[]{{1,4096}}"""
    ")@",
    f"{marker('url-credentials')}@",
    ("://",),
    re.IGNORECASE,
)

_HEADERS = redact_rule(
    r"""(?P<name>(?:authorization|(?<![a-z])(?:set-)?cookie)\\{0,7}["']?[ \t]{0,8}[:=][ \t]{0,8})"""
    rf"""{SECRET_VALUE}(?:[ \t]+[^\n"'`\\]+)?""",
    rf"\g<name>\g<open>{marker('authorization')}",
    ("authorization", "cookie"),
    re.IGNORECASE,
)

# A digit, or another character that words do not have, tells a token from "bearer authentication".
_BEARER = redact_rule(
    rf"({WORD_START}bearer[ \t]{{1,8}})(?=[A-Za-z]{{0,64}}[\d._~+/=-])[A-Za-z0-9._~+/=-]{{8,}}",
    rf"\g<1>{marker('authorization')}",
    ("bearer",),
    re.IGNORECASE,
)


def _hide_login(match: Match[str]) -> str:
    """Base64 of `user:password`; decoded as leniently as Node does, without padding and with a digit too many."""
    digits = match[2].rstrip("=")
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    decoded = b64decode(digits + "=" * (-len(digits) % 4))
    return f"{match[1]}{marker('authorization')}" if b":" in decoded else match[0]


_BASIC = redact_rule(
    rf"({WORD_START}basic[ \t]{{1,8}})([A-Za-z0-9+/]{{4,}}={{0,2}})",
    _hide_login,
    ("basic",),
    re.IGNORECASE,
)

# The same where container tools keep logins: `"auth": "…"` of a registry.
_REGISTRY_LOGIN = redact_rule(
    r'("auth\\{0,7}"[ \t]{0,8}:[ \t]{0,8}\\{0,7}")([A-Za-z0-9+/]{4,}={0,2})', _hide_login, ('"auth',)
)

# Redis' own settings, whose names do not say password.
_REDIS_PASSWORD = redact_rule(
    rf"""{LINE_START}([ \t]{{0,32}}(?:requirepass|masterauth)[ \t]{{1,32}}["']?)[^{WHITE}"']+""",
    _PASSWORD,
    ("requirepass", "masterauth"),
)

# Options that take a password without saying so.
_COMMANDS = redact_rule(
    r"""(\bsshpass[ \t]{1,8}-p[ \t]{0,8}["']?"""
    r"""|\bredis-cli\b[^\n|;&]{0,256}[ \t]-a[ \t]{1,8}["']?"""
    r"""|\b(?:mysql|mariadb)(?:dump|admin)?\b[^\n|;&]{0,256}[ \t]-p["']?"""
    rf"""|\bcurl\b[^\n|;&]{{0,256}}[ \t](?:-u|--user)[ \t=]{{0,8}}["']?[^{WHITE}:"']{{1,64}}:)"""
    rf"""[^{WHITE}"']+""",
    _PASSWORD,
    ("sshpass", "redis-cli", "mysql", "mariadb", "curl"),
)

# `machine … login … password …`, on one line or several.
_NETRC = redact_rule(
    rf"(\b(?:machine|login|account)[{WHITE}]{{1,16}}[^{WHITE}]{{1,256}}[{WHITE}]{{1,16}}password[{WHITE}]{{1,16}})"
    rf"[^{WHITE}]+",
    _PASSWORD,
    ("password",),
)

# `host:port:database:user:password`, a whole line.
_PGPASS = redact_rule(
    rf"{LINE_START}([A-Za-z0-9.*_/-]{{1,256}}:(?:\d{{4,5}}|\*):[^:{WHITE}]{{1,64}}:[^:{WHITE}]{{1,64}}:)"
    rf"(?:[^:\n\\]|\\{NOT_BREAK})+{LINE_END}",
    _PASSWORD,
    (":",),
)

PLACE_RULES: tuple[RedactRule, ...] = (
    _URL_CREDENTIALS,
    _HEADERS,
    _BEARER,
    _BASIC,
    _REGISTRY_LOGIN,
    _REDIS_PASSWORD,
    _COMMANDS,
    _NETRC,
    _PGPASS,
)
