"""What can go wrong before an audit starts; during an audit nothing is raised, only reported."""

from __future__ import annotations

from typing import ClassVar

from credential.errors import BaeumError
from credential.text import Text


class PolicyUnreadable(BaeumError):
    """The policy is not degree-rules/1: not YAML, a word outside the format, a wrong type."""

    code: ClassVar[str] = "policy-unreadable"
    title: ClassVar[Text] = Text("학위 기준 파일을 읽을 수 없습니다", "The policy cannot be read")
    status: ClassVar[int] = 422


class PolicyRefused(BaeumError):
    """The policy reads, but the linter refuses it; ``facts["findings"]`` lists rule and line."""

    code: ClassVar[str] = "policy-refused"
    title: ClassVar[Text] = Text("학위 기준을 쓸 수 없습니다", "The policy is refused")
    status: ClassVar[int] = 422


class PolicyNotFound(BaeumError):
    """No version of the policy is in force for the date that decides."""

    code: ClassVar[str] = "policy-not-found"
    title: ClassVar[Text] = Text("해당하는 학위 기준이 없습니다", "No policy applies")
    status: ClassVar[int] = 404


class PolicyAmbiguous(BaeumError):
    """Two versions claim the same date; a person has to repair the ranges."""

    code: ClassVar[str] = "policy-ambiguous"
    title: ClassVar[Text] = Text("학위 기준이 둘 이상 겹칩니다", "More than one policy applies")
    status: ClassVar[int] = 409


class DegreeUnknown(BaeumError):
    """The policy has no degree (or track) of this id."""

    code: ClassVar[str] = "degree-unknown"
    title: ClassVar[Text] = Text("그런 학위가 없습니다", "There is no such degree")
    status: ClassVar[int] = 404


class InputUnreadable(BaeumError):
    """A records, context or date argument that is not what the format says as a whole."""

    code: ClassVar[str] = "audit-input-unreadable"
    title: ClassVar[Text] = Text("심사 입력을 읽을 수 없습니다", "The audit input cannot be read")
    status: ClassVar[int] = 422


class SolverDisagrees(BaeumError):
    """The solver's answer failed the integer check; nothing is concluded from it."""

    code: ClassVar[str] = "solver-disagrees"
    title: ClassVar[Text] = Text(
        "계산 결과를 확인하지 못했습니다", "The answer could not be checked"
    )
    status: ClassVar[int] = 500
