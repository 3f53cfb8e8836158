"""What can be wrong with an embedded chain."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from credential.errors import BaeumError
from credential.text import Text


class ChainOwned(BaeumError):
    """Another process owns the chain; ``facts["pid"]`` says which, None when it does not tell."""

    code: ClassVar[str] = "chain-owned"
    title: ClassVar[Text] = Text(
        "내장 체인을 다른 프로그램이 쓰고 있습니다", "The embedded chain is in use"
    )
    status: ClassVar[int] = 409

    def __init__(self, directory: Path, pid: int | None) -> None:
        who_ko = f"프로세스 {pid}" if pid else "다른 프로세스"
        who_en = f"process {pid}" if pid else "another process"
        super().__init__(
            Text(
                f"{directory}의 체인은 {who_ko}이(가) 쓰고 있습니다",
                f"The chain in {directory} is owned by {who_en}",
            ),
            Text(
                "그 프로그램(예: baeum serve)을 끝낸 뒤 다시 실행해 주세요",
                "Stop that program (for instance baeum serve), then run this again",
            ),
            {"pid": pid},
        )


class ChainMissing(BaeumError):
    """There is no chain in the directory and none was asked to be made."""

    code: ClassVar[str] = "chain-missing"
    title: ClassVar[Text] = Text("내장 체인이 없습니다", "There is no embedded chain")
    status: ClassVar[int] = 404

    def __init__(self, directory: Path) -> None:
        super().__init__(
            Text(
                f"{directory}에 내장 체인이 없습니다", f"There is no embedded chain in {directory}"
            ),
            Text(
                "BAEUM_HOME이 맞는지 확인하거나 먼저 초기화해 주세요",
                "Check BAEUM_HOME, or initialise it first",
            ),
        )


class ChainReadOnly(BaeumError):
    """The chain was opened for reading only."""

    code: ClassVar[str] = "chain-read-only"
    title: ClassVar[Text] = Text(
        "내장 체인을 읽기 전용으로 열었습니다", "The embedded chain is open for reading only"
    )
    status: ClassVar[int] = 409


class ChainDamaged(BaeumError):
    """The chain's file is not one, or its parts disagree."""

    code: ClassVar[str] = "chain-damaged"
    title: ClassVar[Text] = Text(
        "내장 체인 파일이 손상되었습니다", "The embedded chain's file is damaged"
    )
    status: ClassVar[int] = 500

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            Text(f"{path}: {why}", f"{path}: {why}"),
            Text(
                "백업에서 체인 폴더를 되돌린 뒤 baeum audit를 실행해 주세요",
                "Restore the chain folder from a backup, then run baeum audit",
            ),
        )
