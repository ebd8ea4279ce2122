"""Who may sign what this machine is to change: /etc/fleetbot/capsule-signers."""

from __future__ import annotations

import os
import shutil
import tempfile
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Sequence

from capsule import SignedCapsule
from child import run_child
from refused import Refused

# The namespace and the identity of src/fleet/capsule.ts.
_NAMESPACE = "fleetbot-capsule@1"
_IDENTITY = "signer@fleetbot"
_KEY_TYPE = "ssh-ed25519"
_VERIFY_TIMEOUT_SECONDS = 10.0
_KEEP_BYTES = 4_096


class CapsuleSigners:
    """Reads the file of allowed signers (ssh-keygen(1)) at every use: setup may have replaced it."""

    def __init__(self, path: Path, scratch_dir: Path, search_path: Sequence[str]) -> None:
        self._path = path
        self._scratch_dir = scratch_dir
        self._environment = {"PATH": ":".join(search_path), "LC_ALL": "C"}

    def fingerprints(self) -> list[str]:
        """`SHA256:…` of each key in the file, as ssh-keygen shows them. Empty where there is no file."""
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        words = [line.split() for line in lines if not line.startswith("#")]
        keys = [after for line in words for name, after in zip(line, line[1:]) if name == _KEY_TYPE]
        return [fingerprint for key in keys if (fingerprint := _fingerprint(key)) is not None]

    def require_keys(self) -> None:
        """Returns where there is a key that could have signed something. Raises Refused."""
        if not self.fingerprints():
            raise Refused(
                "verb-refused",
                "This machine carries no key that could approve a change: it can only be read. Give the signer's "
                "public key to setup-edge.sh --capsule-key on the machine.",
            )

    def verify(self, signed: SignedCapsule) -> None:
        """Returns when one of the keys signed the text as a capsule. Raises Refused."""
        try:
            folder = tempfile.mkdtemp(prefix="capsule-", dir=self._scratch_dir)
            try:
                self._verify_in(folder, signed)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError as error:
            message = f"The signature cannot be looked at: {error.strerror}. Mend that on the machine."
            raise Refused("internal", message) from error

    def _verify_in(self, folder: str, signed: SignedCapsule) -> None:
        file = os.path.join(folder, "signature")
        Path(file).write_text(signed.signature, encoding="utf-8")
        ended = run_child(
            ("ssh-keygen", "-Y", "verify", "-f", str(self._path), "-I", _IDENTITY, "-n", _NAMESPACE, "-s", file),
            environment=self._environment,
            user={},
            timeout_seconds=_VERIFY_TIMEOUT_SECONDS,
            keep_bytes=_KEEP_BYTES,
            stdin=signed.text.encode(),
            trusted=True,
        )
        if ended.exit_code is None:
            raise Refused("internal", "ssh-keygen took too long to look at the signature. Look at the machine's load.")
        if ended.exit_code != 0:
            raise Refused(
                "verb-refused",
                "The capsule's signature is none of a key that this machine carries. If the signer has a new key, "
                "give it to setup-edge.sh --capsule-key on the machine.",
            )


def _fingerprint(key: str) -> str | None:
    try:
        digest = sha256(b64decode(key, validate=True)).digest()
    except ValueError:
        return None
    return f"SHA256:{b64encode(digest).decode().rstrip('=')}"
