"""How large a file may be. Beyond this a person should split it; below it memory stays flat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, rows and columns of one file; ``cell`` in characters, for one mapped value."""

    file_bytes: int = 2 * 1024**3
    rows: int = 10_000_000
    columns: int = 1_000
    cell: int = 4_000
    # XLSX: what the archive unpacks to, its shared strings (held in memory) and the ratio
    # at which a member is taken for a bomb. Real sheets compress 5 to 40 times.
    unpacked_bytes: int = 4 * 1024**3
    shared_strings_bytes: int = 128 * 1024**2
    members: int = 5_000
    ratio: int = 200
    ratio_from_bytes: int = 16 * 1024**2


DEFAULT = Limits()
