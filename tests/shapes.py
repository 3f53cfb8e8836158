"""A template such as the issuer's, and values of every kind a record may bring."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEMPLATE: dict[str, Any] = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ],
    "id": "{credential}",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "name": "{name}",
    "issuer": {"id": "{issuer}", "type": ["Profile"], "name": "{issuerName}"},
    "validFrom": "{validFrom}",
    "awardedDate": "{awarded}",
    "credentialSubject": {
        "id": "{subject}",
        "type": ["AchievementSubject"],
        "identifier": [
            {
                "type": "IdentityObject",
                "identityType": "name",
                "hashed": False,
                "identityHash": "{learner}",
            }
        ],
        "activityStartDate": "{started}",
        "activityEndDate": "{ended}",
        "creditsEarned": "{hours}",
        "achievement": {
            "id": "{achievement}",
            "type": ["Achievement"],
            "name": "{title}",
            "description": "100% of 'it' in {braces} \\ \"quoted\"",
            "criteria": {"narrative": "{criteria}"},
            "achievementType": "Course",
            "creditsAvailable": "{available}",
            "resultDescription": [
                {
                    "id": "{minutesResult}",
                    "type": ["ResultDescription"],
                    "name": "인정 시간(분)",
                    "resultType": "ext:CreditedMinutes",
                }
            ],
        },
        "result": [
            {"type": ["Result"], "resultDescription": "{minutesResult}", "value": "{minutes}"},
            {"type": ["Result"], "resultDescription": "{levelResult}", "value": "{level}"},
        ],
    },
    "credentialStatus": [
        {
            "id": "{revocationEntry}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "{statusIndex}",
            "statusListCredential": "{revocationList}",
        },
        {
            "id": "{suspensionEntry}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "suspension",
            "statusListIndex": "{statusIndex}",
            "statusListCredential": "{suspensionList}",
        },
    ],
}

IRIS = [
    "credential", "issuer", "subject", "achievement", "minutesResult", "levelResult",
    "revocationEntry", "suspensionEntry", "revocationList", "suspensionList",
]  # fmt: skip
TEXTS = [
    "name", "issuerName", "learner", "title", "criteria", "minutes", "level", "statusIndex",
    "validFrom", "awarded", "started", "ended",
]  # fmt: skip
NUMBERS = ["hours", "available"]

VALUES: dict[str, Any] = {
    "credential": "urn:uuid:58172aac-d8ba-41ed-83dd-0b3aef56cc33",
    "name": "동양 고전 읽기 이수증",
    "issuer": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
    "issuerName": "서울시민대학",
    "validFrom": "2026-03-02T09:00:00+09:00",
    "awarded": "2026-06-02T09:00:00+09:00",
    "subject": "urn:uuid:6f1c4df1-0f0c-4b0e-a6d7-5f2d6a1e2b3c",
    "learner": "홍길동",
    "started": "2026-03-02T09:00:00+09:00",
    "ended": "2026-06-02T09:00:00+09:00",
    "hours": 30.5,
    "achievement": "urn:uuid:3f1c4df1-0f0c-4b0e-a6d7-5f2d6a1e2b3c",
    "title": "동양 고전 읽기",
    "criteria": "80% 이상 출석",
    "available": 40,
    "minutesResult": "urn:uuid:1f1c4df1-0f0c-4b0e-a6d7-5f2d6a1e2b3c",
    "levelResult": "urn:uuid:2f1c4df1-0f0c-4b0e-a6d7-5f2d6a1e2b3c",
    "minutes": "1830",
    "level": "중급",
    "statusIndex": "40521",
    "revocationEntry": "https://baeum.example/status/stl_1/revocation#40521",
    "suspensionEntry": "https://baeum.example/status/stl_1/suspension#40521",
    "revocationList": "https://baeum.example/status/stl_1/revocation",
    "suspensionList": "https://baeum.example/status/stl_1/suspension",
}

awkward = st.sampled_from(
    ["", " ", '"', "\\", "\\n", "%s", "%%", "{name}", "\n", "\r\n", "\t\b\f\v", "\x00\x1f\x7f\x85",
     "\u2028\u2029\ufeff\ufffe\uffff", "한글", "\u1112\u1161\u11ab", "👩‍🎓🇰🇷", "é", "e\u0301",
     "_:b0", "<urn:x>", "@ko", "^^", "same", "2026-01-01T00:00:00Z", "1.0E0"]
)  # fmt: skip
texts = awkward | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
iris = st.one_of(
    st.uuids().map(lambda u: f"urn:uuid:{u}"),
    st.sampled_from(
        ["https://a.example/x?y=1&z=%20#f", "https://한글.example/경로", "urn:same",
         "did:web:a%3A1", "mailto:a@b.example", "urn:x:'()*+,;=!$@[]~", "schema:name",
         "xsd:string", "ext:thing", "http://user:pw@host:1/..//a/./b", "URN:UUID:X", "tag:a,2026:b"]
    ),
)  # fmt: skip
broken_iris = st.sampled_from(
    ["", "relative", "/path", "#f", "urn:a b", "urn:a\n", "urn:<x>", 'urn:"', "urn:\\", "urn:{x}",
     "urn:\u3000", "_:b0", "name", "@id", "@foo", ":x", "1:x", "urn:\x00", "ur n:x", "?q", "a|b",
     "urn:^", "urn:`", "https://a.example/ \u00a0"]
)  # fmt: skip
numbers = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-9e15, max_value=9e15),
    st.sampled_from([0, 0.0, -0.0, 1.0, 30.5, 1e-7, 5e-324, 0.1, 1 / 3, 123456789.125]),
    st.integers(0, 10_000).map(lambda minutes: minutes / 60),
)
values = st.fixed_dictionaries(
    dict.fromkeys(IRIS, iris)
    | dict.fromkeys(TEXTS, texts)
    | {name: numbers | st.booleans() for name in NUMBERS}
)
