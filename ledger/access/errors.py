"""What can go wrong at the door. None of these says whether an account exists."""

from __future__ import annotations

from credential.errors import BaeumError
from credential.text import Text


class SignInNeeded(BaeumError):
    """401: nobody is signed in, or the session or token has ended."""

    code = "sign-in-needed"
    title = Text("로그인이 필요합니다", "Please sign in")
    status = 401

    def __init__(self) -> None:
        super().__init__(
            Text(
                "로그인하지 않았거나 시간이 지나 로그아웃되었습니다.",
                "You are not signed in, or your session or token has ended.",
            ),
            Text("다시 로그인해 주세요.", "Sign in, or send a valid token."),
        )


class SignInFailed(BaeumError):
    """401: name and password do not go together. The same for an unknown name."""

    code = "sign-in-failed"
    title = Text("로그인하지 못했습니다", "You could not be signed in")
    status = 401

    def __init__(self) -> None:
        super().__init__(
            Text("이름이나 비밀번호가 맞지 않습니다.", "Name or password is not right."),
            Text(
                "다시 입력해 주세요. 비밀번호를 잊었다면 관리자에게 새 초대를 부탁하세요.",
                "Try again. Forgotten? Ask your administrator for a new invitation.",
            ),
        )


class TooManyTries(BaeumError):
    """429: wait before the next try; ``retry_after`` seconds."""

    code = "too-many-tries"
    title = Text("잠시 뒤에 다시 해 주세요", "Please wait before you try again")
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            Text(
                f"여러 번 틀렸습니다. {seconds}초 뒤에 다시 할 수 있습니다.",
                f"Too many wrong tries. You can try again in {seconds} seconds.",
            ),
            None,
            {"retry_after": seconds},
        )


class NotPermitted(BaeumError):
    """403: signed in, but not for this."""

    code = "not-permitted"
    title = Text("이 일을 할 권한이 없습니다", "You may not do this")
    status = 403

    def __init__(self, permission: str) -> None:
        super().__init__(
            Text(
                "이 계정에는 이 일을 할 권한이 없습니다.",
                "Your account does not have the permission for this.",
            ),
            Text("필요하면 관리자에게 요청하세요.", "Ask your administrator if you need it."),
            {"permission": permission},
        )


class ConfirmationNeeded(BaeumError):
    """403: this step asks for the password again (step-up)."""

    code = "confirmation-needed"
    title = Text("비밀번호를 한 번 더 확인합니다", "Please confirm your password")
    status = 403

    def __init__(self) -> None:
        super().__init__(
            Text(
                "중요한 일이라 비밀번호를 다시 확인해야 합니다.",
                "This is an important step: your password is asked for again.",
            ),
            Text("비밀번호를 확인하고 다시 해 주세요.", "Confirm it, then do this again."),
        )


class FormExpired(BaeumError):
    """403: the form did not come from a page of this session (CSRF)."""

    code = "form-expired"
    title = Text("양식을 다시 열어 주세요", "Please open the form again")
    status = 403

    def __init__(self) -> None:
        super().__init__(
            Text(
                "이 양식은 지금 로그인한 화면에서 보낸 것이 아닙니다.",
                "This form was not sent from a page of your present session.",
            ),
            Text("화면을 새로 고친 뒤 다시 보내 주세요.", "Reload the page and send it again."),
        )


class InvitationEnded(BaeumError):
    """410: the invitation is unknown, used or too old."""

    code = "invitation-ended"
    title = Text("쓸 수 없는 초대입니다", "This invitation cannot be used")
    status = 410

    def __init__(self) -> None:
        super().__init__(
            Text(
                "이미 썼거나 기간이 지난 초대입니다.", "It was used before, or its time has passed."
            ),
            Text("관리자에게 새 초대를 부탁하세요.", "Ask your administrator for a new one."),
        )


class AccountInvalid(BaeumError):
    """422: an account cannot be like this; ``field`` says what is wrong."""

    code = "account-invalid"
    title = Text("계정을 만들거나 바꿀 수 없습니다", "The account cannot be like this")
    status = 422

    def __init__(self, field: str, ko: str, en: str) -> None:
        super().__init__(Text(ko, en), None, {"field": field})


class AccountUnknown(BaeumError):
    """404: no account or token of this name."""

    code = "account-unknown"
    title = Text("그런 계정이나 토큰이 없습니다", "No such account or token")
    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(
            Text(f"{name}: 찾을 수 없습니다.", f"{name} is not known."),
            Text("baeum access list 로 이름을 확인하세요.", "baeum access list shows the names."),
        )


class TooManyRequests(BaeumError):
    """429: this address or token asked too often; ``retry_after`` seconds."""

    code = "too-many-requests"
    title = Text("요청이 너무 잦습니다", "Too many requests")
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            Text(
                f"{seconds}초 뒤에 다시 해 주세요.",
                f"Please try again in {seconds} seconds.",
            ),
            None,
            {"retry_after": seconds},
        )


class Conflicts(BaeumError):
    """409: as things stand it cannot be done."""

    code = "access-conflict"
    title = Text("지금은 할 수 없습니다", "Not possible as things stand")
    status = 409

    def __init__(self, ko: str, en: str) -> None:
        super().__init__(Text(ko, en))


class NotYours(BaeumError):
    """404: no such thing, or it is another institution's: the answer does not say which."""

    code = "not-yours"
    title = Text("찾을 수 없습니다", "Not found")
    status = 404

    def __init__(self, what: str) -> None:
        super().__init__(
            Text(
                "그런 항목이 없거나, 볼 수 있는 것이 아닙니다.",
                "There is no such thing, or it is not yours to see.",
            ),
            facts={"what": what},
        )
