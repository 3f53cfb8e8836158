"""Step 10: did the holder of the credential's key present it, to this verifier, just now?

Only for what is bound to a key, or where the verifier asked for a binding. (RFC 9901, 7.3)
"""

from __future__ import annotations

from credential import sd_jwt_vc
from credential.errors import BaeumError
from credential.text import Text
from verifier.case import Case
from verifier.report import Finding, failed, not_run, passed

_AGAIN = Text(
    "제시하는 사람에게 지갑에서 다시 제시해 달라고 요청해 주십시오.",
    "Ask the holder to present it again from the wallet.",
)


def concerns(case: Case) -> bool:
    """Whether the step has anything to say: it is bound, or a binding was asked for."""
    if case.nonce is not None or case.audience is not None:
        return True
    token = case.token
    return (
        token is not None
        and token.is_sd_jwt_vc
        and ("cnf" in token.payload or (token.sd is not None and token.sd.key_binding is not None))
    )


def check(case: Case) -> Finding:
    """Never passed without a nonce and an audience of the verifier's own: a binding made for
    somebody else could have been recorded and shown again."""
    token = case.token
    if token is None or token.sd is None:
        return failed(
            "key-binding-absent",
            Text(
                "보유자가 제시했음을 보여 주는 서명이 없는 형식입니다.",
                "It is of a form in which no holder presents it.",
            ),
            remedy=_AGAIN,
        )
    asked = case.nonce is not None and case.audience is not None
    if token.sd.key_binding is None:
        reason = Text(
            "보유자의 서명(키 결속) 없이 제시되었습니다. 남의 증명을 복사한 것일 수 있습니다.",
            "It came without the holder's signature (key binding); it may be a copy of another's.",
        )
        if case.nonce is not None or case.audience is not None:
            return failed("key-binding-absent", reason, remedy=_AGAIN)
        return not_run("holder-not-shown", reason, remedy=_AGAIN)
    if not asked:
        return not_run(
            "nonce-not-given",
            Text(
                "이 검증기가 보낸 요청값(nonce)과 수신자(audience)를 몰라, 방금 제시된 것인지 "
                "판단할 수 없습니다.",
                "Without the nonce and audience this verifier asked with, nobody can tell "
                "whether it was presented just now.",
            ),
            remedy=Text(
                "요청할 때 쓴 --nonce와 --audience를 함께 주십시오.",
                "Give the --nonce and --audience you asked with.",
            ),
        )
    try:
        key = token.holder_key()
        if key is None:
            return failed(
                "not-bound",
                Text("보유자의 키에 묶이지 않은 증명입니다.", "It is bound to no holder's key."),
            )
        sd_jwt_vc.check_binding(
            token.sd,
            token.payload,
            key,
            audience=str(case.audience),
            nonce=str(case.nonce),
            now=case.now.timestamp(),
            max_age=case.policy.max_presentation_age.total_seconds(),
            skew=case.policy.clock_skew.total_seconds(),
        )
    except BaeumError as wrong:
        code = str(wrong.facts.get("reason", wrong.code))
        return failed(f"key-binding-{code}", wrong.detail, remedy=_AGAIN)
    return passed(
        "holder-presented",
        Text(
            "증명의 보유자가 이번 요청에 직접 제시했습니다.",
            "The holder of the credential presented it for this request.",
        ),
        details={"audience": case.audience},
    )
