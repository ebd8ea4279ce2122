"""Who listens on a TCP port of this machine: /proc/net/tcp and tcp6 (proc_net_tcp of the kernel's documentation)."""

from __future__ import annotations

import pwd

_LISTEN = "0A"
# Listening here takes connections to 127.0.0.1, as the kernel prints it (32-bit words in the machine's byte order):
# 127.0.0.1 and any address, of IPv4, of IPv6, and of IPv4 inside IPv6.
_TAKES_LOOPBACK = frozenset(
    {
        *("0100007F", "7F000001", "00000000", "0" * 32),
        *("0" * 16 + "FFFF0000" + address for address in ("0100007F", "00000000")),
        *("0" * 16 + "0000FFFF" + address for address in ("7F000001", "00000000")),
    }
)


def listeners(port: int, folder: str = "/proc/net") -> set[tuple[int, str]]:
    """The uid and the inode of every socket that takes connections to 127.0.0.1:PORT."""
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            with open(f"{folder}/{name}", encoding="ascii") as table:
                next(table, None)
                for line in table:
                    fields = line.split()
                    # The kernel prints every listening socket first. A busy machine has many thousands of others.
                    if fields[3] != _LISTEN:
                        break
                    address, local_port = fields[1].split(":")
                    if int(local_port, 16) == port and address in _TAKES_LOOPBACK:
                        found.add((int(fields[7]), fields[9]))
        except FileNotFoundError:
            # No IPv6 on this machine.
            continue
    return found


def is_uid_of(user: str, uid: int, subuid_file: str = "/etc/subuid") -> bool:
    """Whether a uid is the user's own or one that its rootless containers have, by subuid(5)."""
    own = pwd.getpwnam(user).pw_uid
    if uid == own:
        return True
    try:
        with open(subuid_file, encoding="utf-8") as file:
            lines = [line.strip().split(":") for line in file]
    except FileNotFoundError:
        return False
    ranges = [(int(line[1]), int(line[2])) for line in lines if len(line) == 3 and line[0] in (user, str(own))]
    return any(first <= uid < first + count for first, count in ranges)
