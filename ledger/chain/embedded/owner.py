"""One writer: a lock file that the operating system lets go of when its owner dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ledger.chain.embedded.faults import ChainOwned


class OwnerLock:
    """Held from creation until ``release`` or the end of the process, however it ends.

    The file itself stays: removing it would let two processes lock two different files.
    Raises ChainOwned with the owner's process id.
    """

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.pread(self._file, 32, 0).strip()
            os.close(self._file)
            raise ChainOwned(directory, int(pid) if pid.isdigit() else None) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode("ascii"), 0)

    def release(self) -> None:
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1
