"""Step 2: has it the structure of a credential (VC 2.0, Open Badges 3.0), in known words?"""

from __future__ import annotations

from credential import model
from credential.text import Text
from verifier.case import Case
from verifier.kinds import as_list
from verifier.report import Finding, failed, not_run, passed

SHOWN = 10


def check(case: Case) -> Finding:
    """Judged by ``credential.model``. A context must be named by its address: one written into the
    credential could give a familiar word another meaning, or none, and so show the reader
    something nobody signed. A context that is merely unknown here is no fault of the credential.
    """
    problems = [] if case.token is None else list(case.token.problems())
    if case.token is None or not case.token.is_sd_jwt_vc:
        problems += model.check(dict(case.document))
    codes = {problem.code for problem in problems}
    details = {"problems": [problem.to_json() for problem in problems[:SHOWN]]}
    if codes == {"unknown-context"}:
        return not_run(
            "context-unknown",
            Text(
                "이 검증기가 모르는 용어집(@context)으로 쓰인 증명입니다.",
                "It is written in words (@context) this verifier does not know.",
            ),
            remedy=Text(
                "이 용어집을 지원하는 검증기로 확인해 주십시오.",
                "Use a verifier that knows them.",
            ),
            details=details,
        )
    if "inline-context" in codes:
        return failed(
            "context-inline",
            Text(
                "용어의 뜻(@context)을 증명 안에서 새로 정하고 있어 받아들이지 않습니다.",
                "It defines the meaning of its own words (@context), which is not accepted.",
            ),
            remedy=_ASK,
            details=details,
        )
    if problems:
        return failed(
            "structure-wrong",
            Text(
                f"증명의 구조가 표준과 다릅니다({len(problems)}곳).",
                f"The structure differs from the standard (in {len(problems)} places).",
            ),
            remedy=_ASK,
            details=details,
        )
    return passed(
        "structure-right",
        Text("증명의 구조가 표준에 맞습니다.", "The structure is that of the standard."),
        details={"types": [t for t in as_list(case.document.get("type")) if isinstance(t, str)]},
    )


_ASK = Text(
    "발급 기관에 표준 형식으로 다시 발급해 달라고 요청해 주십시오.",
    "Ask the issuer to issue it again in the standard form.",
)
