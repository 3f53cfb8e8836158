"""Why a step cannot be taken now, each with what to do instead."""

from __future__ import annotations

from typing import Any, ClassVar

from credential.errors import BaeumError
from credential.text import Text


class NotNow(BaeumError):
    """The thing is in a state in which this step does not exist. Facts: ``state``, ``step``."""

    code = "award-step-not-now"
    title = Text("지금은 할 수 없는 단계입니다", "This step cannot be taken now")
    status: ClassVar[int] = 409


class Unknown(BaeumError):
    """There is no such application, award, case or cohort."""

    code = "award-unknown"
    title = Text("찾을 수 없습니다", "Not found")
    status: ClassVar[int] = 404


class SamePerson(BaeumError):
    """Two different persons are needed and it is the same one."""

    code = "award-same-person"
    title = Text("서로 다른 사람이어야 합니다", "It must be another person")
    status: ClassVar[int] = 409


class ConflictOfInterest(BaeumError):
    """This person may not act on this application."""

    code = "award-conflict-of-interest"
    title = Text("이해충돌이 있습니다", "Conflict of interest")
    status: ClassVar[int] = 403


class NotEligible(BaeumError):
    """The policy's conditions are not met, so there is nothing the committee could confer."""

    code = "award-not-eligible"
    title = Text("학위 요건을 채우지 못했습니다", "The conditions of the degree are not met")
    status: ClassVar[int] = 409


class DecisionOutdated(BaeumError):
    """What the decision was frozen on does not stand any more."""

    code = "award-decision-outdated"
    title = Text("결정의 근거가 바뀌었습니다", "What was decided on has changed")
    status: ClassVar[int] = 409


class PolicyAltered(BaeumError):
    """A policy was changed under its own version number."""

    code = "award-policy-altered"
    title = Text("규정이 바뀌었습니다", "The policy was altered")
    status: ClassVar[int] = 409


class PlacesTaken(BaeumError):
    """The cohort has no free place. The learner waits; nothing is refused."""

    code = "award-places-taken"
    title = Text("모집 인원이 찼습니다", "All places are taken")
    status: ClassVar[int] = 409


class CohortNeeded(BaeumError):
    """The degree is given through a cohort, and the learner has no place in one."""

    code = "award-cohort-needed"
    title = Text("과정에 먼저 등록해야 합니다", "A place in a cohort is needed first")
    status: ClassVar[int] = 409


class InputWrong(BaeumError):
    """A reason, a date or a name is missing or cannot be."""

    code = "award-input-wrong"
    title = Text("입력이 올바르지 않습니다", "The input is wrong")


def not_now(what: Text, state: str, step: str, instead: Text) -> NotNow:
    """``what`` is in ``state``; ``instead`` says what can be done."""
    return NotNow(
        Text(
            f"{what.ko}의 지금 상태는 ‘{STATES[state].ko}’입니다.",
            f"{what.en} is {STATES[state].en}.",
        ),
        instead,
        {"state": state, "step": step},
    )


def unknown(kind: Text, ident: object) -> Unknown:
    return Unknown(
        Text(f"‘{ident}’ {kind.ko}이(가) 없습니다.", f"There is no {kind.en} '{ident}'."),
        Text("번호를 확인하세요.", "Check the number."),
        {"id": str(ident)},
    )


def input_wrong(ko: str, en: str, field: str, **facts: Any) -> InputWrong:
    return InputWrong(
        Text(ko, en),
        Text("그 항목을 고쳐 다시 하세요.", "Correct it and try again."),
        {"field": field, **facts},
    )


def reason_given(reason: str, field: str = "reason") -> str:
    """The reason, stripped. Raises ``InputWrong`` when there is none or it is too long."""
    text = reason.strip()
    if not 1 <= len(text) <= 2_000 or not text.isprintable():
        raise input_wrong(
            "사유를 한 줄에 1자 이상 2,000자 이하로 적어야 합니다.",
            "A reason of 1 to 2,000 characters on one line is needed.",
            field,
        )
    return text


STATES = {
    "applied": Text("접수", "received"),
    "reviewing": Text("심사 중", "under review"),
    "reviewed": Text("심사 완료", "reviewed"),
    "approved": Text("수여 결정", "approved"),
    "refused": Text("수여하지 않음", "decided against"),
    "conferred": Text("수여함", "conferred"),
    "cancelled": Text("신청 취소", "cancelled"),
    "waiting": Text("대기", "waiting for a place"),
    "admitted": Text("등록", "admitted"),
    "released": Text("자리 비움", "released"),
    "valid": Text("유효", "valid"),
    "suspended": Text("정지", "suspended"),
    "withdrawn": Text("취소", "withdrawn"),
    "open": Text("열림", "open"),
    "scheduled": Text("청문 예정", "hearing scheduled"),
    "heard": Text("청문 마침", "heard"),
    "closed": Text("종결", "closed"),
}
"""Every state of everything here, for people."""
