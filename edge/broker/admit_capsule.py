"""Whether a capsule with a good signature may be run on this machine now."""

from __future__ import annotations

import time

from capsule import Capsule, action_digest
from policy import Action, Policy
from refused import Refused
from utc import iso_time

# How far the signer's clock may be ahead of this machine's.
_CLOCKS_MAY_DIFFER_MS = 60_000
# More than this year 9999 cannot be shown.
_LATEST_SHOWN_MS = 253_402_300_799_999


def admit_capsule(capsule: Capsule, *, machine: str, fence: int, policy: Policy) -> Action:
    """The policy's action that the capsule is. Raises Refused with the first thing that is wrong with it."""
    if capsule.machine != machine:
        raise _refused(f"It was signed for {capsule.machine}, and this is {machine}.")
    if capsule.fence != fence:
        raise _refused(f"It was signed for fence {capsule.fence} and came under {fence}. Have it signed anew.")
    _check_time(capsule, time.time() * 1000)
    if capsule.digest != action_digest(machine, capsule.argv):
        raise _refused("Its digest is not that of its arguments: signer and machine do not understand each other.")
    return _check_policy(capsule, policy)


def _check_time(capsule: Capsule, now: float) -> None:
    here = f"this machine's clock says {iso_time(now)}. If that is wrong, set it right; else have it signed anew."
    if capsule.signed_at > now + _CLOCKS_MAY_DIFFER_MS:
        raise _refused(f"It was signed at {_shown(capsule.signed_at)}, which is still to come: {here}")
    if capsule.expires_at <= now:
        raise _refused(f"It expired at {_shown(capsule.expires_at)}: {here}")


def _shown(milliseconds: int) -> str:
    return iso_time(min(milliseconds, _LATEST_SHOWN_MS))


def _check_policy(capsule: Capsule, policy: Policy) -> Action:
    action = policy.actions.get(capsule.action)
    if action is None:
        authorised = ", ".join(policy.actions) or "none"
        raise _refused(
            f'The action "{capsule.action}" is not among those that this machine is authorised for: {authorised}. '
            "After a change of the fleet file, renew its policy."
        )
    if len(capsule.argv) != len(action.argv):
        raise _refused(
            f"{capsule.action} has {len(action.argv)} words in this machine's policy, and here {len(capsule.argv)}. "
            "After a change of the fleet file, renew its policy."
        )
    # A path would be run from where it leads, whatever stands in the search path.
    if "/" in capsule.argv[0]:
        raise _refused(f"The program of {capsule.action} must be a bare name, without a path.")
    for number, (word, rule) in enumerate(zip(capsule.argv, action.argv), 1):
        if rule.fullmatch(word) is None:
            raise _refused(
                f"Word {number} of {capsule.action} is not what this machine's policy allows there. After a change "
                "of the fleet file, renew its policy."
            )
    return action


def _refused(message: str) -> Refused:
    return Refused("verb-refused", message)
