"""Step 2: has it the structure of a credential (VC 2.0, Open Badges 3.0), in known words?"""

from __future__ import annotations

from credential import model
from credential.text import Text
from verifier.case import Case
from verifier.kinds import as_list
from verifier.report import Finding, failed, passed

SHOWN = 10


def check(case: Case) -> Finding:
    """Structure is judged by ``credential.model``. On top of that every context must be named by
    its address: one written into the credential could give a familiar word another meaning, or
    none, and so show the reader something nobody signed."""
    if not all(isinstance(context, str) for context in as_list(case.document.get("@context"))):
        return failed(
            "context-inline",
            Text(
                "용어의 뜻(@context)을 증명 안에서 새로 정하고 있어 받아들이지 않습니다.",
                "It defines the meaning of its own words (@context), which is not accepted.",
            ),
            remedy=_ASK,
        )
    problems = model.check(dict(case.document))
    if problems:
        return failed(
            "structure-wrong",
            Text(
                f"증명의 구조가 표준과 다릅니다({len(problems)}곳).",
                f"The structure differs from the standard (in {len(problems)} places).",
            ),
            remedy=_ASK,
            details={"problems": [problem.to_json() for problem in problems[:SHOWN]]},
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
