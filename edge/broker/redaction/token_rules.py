"""Tokens known by their form, wherever they stand: the counterpart of src/telemetry/token-rules.ts."""

from __future__ import annotations

from .redact_rule import WORD_START, RedactRule, marker, redact_rule

# Each of the widths that a name in a webhook's address may have; the slash saves most tries.
_SLACK_HOOK = "|".join(rf"(?<=hooks\.slack\.com/[a-z]{{{width}}}/)" for width in range(1, 21))

# By kind: the forms, and pieces of which one is in each of them.
_FORMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "slack-token": (
        (
            r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}",
            r"xapp-\d-[A-Za-z0-9-]{8,}",
            rf"(?<=/)(?:{_SLACK_HOOK})[A-Za-z0-9/]{{8,}}",
        ),
        ("xox", "xapp-", "hooks.slack.com/"),
    ),
    "github-token": (
        (r"gh[pousr]_[A-Za-z0-9]{16,}", r"github_pat_[A-Za-z0-9_]{16,}"),
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    ),
    "gitlab-token": (
        (r"gl(?:pat|dt|rt|ptt|ft|soat|cbt|agent)-[A-Za-z0-9_.-]{20,}",),
        ("glpat-", "gldt-", "glrt-", "glptt-", "glft-", "glsoat-", "glcbt-", "glagent-"),
    ),
    "aws-key": (
        (r"(?<![A-Z0-9])A(?:KIA|SIA|ROA|IDA|GPA|NPA)[A-Z0-9]{16}(?![A-Z0-9])",),
        ("akia", "asia", "aroa", "aida", "agpa", "anpa"),
    ),
    "google-key": (
        (
            r"AIza[A-Za-z0-9_-]{35}",
            r"ya29\.[A-Za-z0-9_.-]{20,}",
            r"GOCSPX-[A-Za-z0-9_-]{20,}",
            rf"{WORD_START}1//0[A-Za-z0-9_-]{{30,}}",
        ),
        ("aiza", "ya29.", "gocspx-", "1//0"),
    ),
    "api-key": (
        (
            # OpenAI, Anthropic and those who copied them. The digit tells them from hyphenated words.
            rf"{WORD_START}sk-(?=[A-Za-z_-]{{0,64}}\d)[A-Za-z0-9_-]{{16,}}",
            r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
            r"npm_[A-Za-z0-9]{30,}",
            r"pypi-[A-Za-z0-9_-]{40,}",
            r"hf_[A-Za-z0-9]{30,}",
            r"do[opr]_v1_[a-f0-9]{40,}",
            r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}",
            rf"{WORD_START}hv[sbr]\.[A-Za-z0-9_-]{{20,}}",
            r"dckr_pat_[A-Za-z0-9_-]{20,}",
            r"AGE-SECRET-KEY-1[A-Z0-9]{20,}",
            r"glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}",
            r"ATATT3[A-Za-z0-9_=-]{20,}",
            # OpenShift's OAuth tokens; the digest of an image has a colon in that place.
            r"sha256~[A-Za-z0-9_-]{30,}",
        ),
        (
            *("sk-", "k_live_", "k_test_", "npm_", "pypi-", "hf_", "_v1_", "sg.", "hvs.", "hvb.", "hvr."),
            *("dckr_pat_", "age-secret-key-1", "glsa_", "atatt3", "sha256~"),
        ),
    ),
    # Not after a hyphen: each of many beginnings would be searched to the end.
    "jwt": (
        (rf"{WORD_START}(?<!-)eyJ[A-Za-z0-9_-]{{8,}}\.[A-Za-z0-9_-]{{4,}}(?:\.[A-Za-z0-9_-]*){{0,3}}",),
        ("eyj",),
    ),
    # Base64 of `-----BEGIN … PRIVATE KEY`, as in kubeconfigs and Kubernetes' Secrets; not of CERTIFICATE nor of PUBLIC
    # KEY.
    "private-key": ((r"LS0tLS1CRUdJTi(?!BDRVJU|BQVUJMSUMg)[A-Za-z0-9+/]{12,}={0,2}",), ("ls0tls1crudjti",)),
    # As in /etc/shadow.
    "password-hash": (
        (r"\$(?:1|2[abxy]|5|6|7|y|gy|argon2id?|scrypt)\$[A-Za-z0-9./$=,+]{20,}",),
        ("$1$", "$2a$", "$2b$", "$2x$", "$2y$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$argon2i", "$scrypt$"),
    ),
}

TOKEN_RULES: tuple[RedactRule, ...] = tuple(
    redact_rule("|".join(sources), marker(kind), hints) for kind, (sources, hints) in _FORMS.items()
)
