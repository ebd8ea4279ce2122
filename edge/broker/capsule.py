"""What people approved, and its signature: the counterpart of src/fleet/capsule.ts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import shape
from activation import parse_fence, parse_run, parse_traceparent

ACTION_ID = re.compile(r"a-[0-9a-z]{12}")
"""The id of an approval, which is that of the action that it allows."""

_VERSION = 1
_LATEST_MS = 2**53 - 1
_FIELDS = {
    *("version", "id", "machine", "fence", "run", "traceparent", "action", "argv", "digest"),
    *("requestedBy", "approvedBy", "signedAt", "expiresAt"),
}


@dataclass(frozen=True)
class SignedCapsule:
    """The very text that was signed, and its armoured SSH signature."""

    text: str
    signature: str


@dataclass(frozen=True)
class Capsule:
    """What may be run: where, under which fence, until when. Times are milliseconds since the epoch."""

    id: str
    machine: str
    fence: int
    run: str
    traceparent: str
    action: str
    argv: tuple[str, ...]
    digest: str
    requested_by: str
    approved_by: tuple[str, ...]
    signed_at: int
    expires_at: int


def parse_signed_capsule(text: str) -> SignedCapsule:
    """What came over the gate. Raises ShapeError."""
    whole = shape.fields(shape.decode(text.encode()), "it", {"capsule", "signature"})
    return SignedCapsule(shape.text(whole["capsule"], "capsule"), shape.text(whole["signature"], "signature"))


def parse_capsule(text: str) -> Capsule:
    """A text whose signature is good. Raises ShapeError for anything but this version's shape."""
    whole = shape.mapping(shape.decode(text.encode()), "it")
    if whole.get("version") != _VERSION:
        raise shape.ShapeError(f"its version must be {_VERSION}: install the same fleetbot on both sides")
    whole = shape.fields(whole, "it", _FIELDS)
    return Capsule(
        id=parse_action_id(whole),
        machine=shape.text(whole["machine"], "machine"),
        fence=parse_fence(whole),
        run=parse_run(whole),
        traceparent=parse_traceparent(whole),
        action=shape.text(whole["action"], "action"),
        argv=shape.texts(whole["argv"], "argv", least=1),
        digest=shape.text(whole["digest"], "digest"),
        requested_by=shape.text(whole["requestedBy"], "requestedBy"),
        approved_by=shape.texts(whole["approvedBy"], "approvedBy", least=1),
        signed_at=shape.number(whole["signedAt"], "signedAt", 0, _LATEST_MS),
        expires_at=shape.number(whole["expiresAt"], "expiresAt", 0, _LATEST_MS),
    )


def parse_action_id(call: dict[str, Any]) -> str:
    """Raises ShapeError."""
    action_id = shape.text(call.get("id"), "id")
    if not ACTION_ID.fullmatch(action_id):
        raise shape.ShapeError("id must be the id of an approval")
    return action_id


def action_digest(machine: str, argv: tuple[str, ...]) -> str:
    """As `actionDigest` of src/fleet/action.ts makes it, byte for byte."""
    words = json.dumps([machine, *argv], ensure_ascii=False, separators=(",", ":"))
    return sha256(words.encode()).hexdigest()
