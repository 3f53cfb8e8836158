"""Templates: every kind, every variant, checked by the schema and by another's eyes."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential import integrity, model, rdf
from credential.multikey import decode
from issuer import lint
from issuer.keys import Keystore, Signer
from issuer.keys.keyfile import WorkFactor
from issuer.place import AnchorPlace
from issuer.signing import SAMPLE_DEGREE, ChunkSigner, SignJob, prepare, sample_values
from issuer.templates import IssuerFacts, RecordFacts, TemplateInvalid, facts, kinds, load
from issuer.templates.facts import OPTIONAL, hours, time_en, time_ko
from verifier.kinds import kind_of

ALL = sorted(kinds())
PLACE = AnchorPlace(31337, "0x" + "c0" * 20, "registrar")


def subsets() -> list[frozenset[str]]:
    names = sorted(OPTIONAL)
    return [
        frozenset(s)
        for s in chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))
    ]


def test_there_is_a_template_for_each_kind_of_record() -> None:
    expected = {
        "course": "Course",
        "volunteering": "CommunityService",
        "certificate": "Certification",
        "project": "ext:Project",
        "mentoring": "ext:Mentoring",
        "degree": "ext:HonoraryDegree",
        "enrolment": "ext:Enrolment",
        "attendance": "ext:Attendance",
        "level": "ext:Level",
        "role-appointment": "ext:RoleAppointment",
        "award": "Award",
        "institution-accreditation": "ext:InstitutionAccreditation",
    }
    assert sorted(expected) == ALL
    for kind, template in kinds().items():
        achievement = template.document["credentialSubject"]["achievement"]
        assert achievement["achievementType"] == expected[kind]
        assert kind_of({"credentialSubject": {"achievement": achievement}}) == kind


@pytest.mark.parametrize("kind", ALL)
def test_every_variant_passes_lint(kind: str) -> None:
    for absent in subsets():
        prepared = prepare(kinds()[kind], absent)
        assert prepared.findings == (), (kind, absent)


@pytest.mark.parametrize("kind", ALL)
def test_what_is_absent_leaves_no_trace(kind: str) -> None:
    everything = frozenset(OPTIONAL)
    template = kinds()[kind]
    document = prepare(template, everything).shape.document(
        template.fill(sample_values(kind, everything))
    )
    subject = document["credentialSubject"]
    assert "identifier" not in subject
    assert "humanCode" not in subject["achievement"]
    expected = 7 if kind == "degree" else int(template.hours)
    assert len(subject.get("result", [])) == expected
    assert "$needs" not in json.dumps(document)


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Keystore:
    store = Keystore(tmp_path_factory.mktemp("keys"), "x", work=WorkFactor(n=2**4, r=1, p=1))
    store.create("university")
    return store


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\u200e\u200f\ufeff"),
    min_size=1,
    max_size=40,
)


@st.composite
def records(draw: st.DrawFn) -> RecordFacts:
    started = draw(
        st.datetimes(
            min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
            max_value=datetime(2026, 1, 1),  # noqa: DTZ001
            timezones=st.just(UTC),
        )
    )
    minutes = draw(st.integers(1, 100_000))
    kind = draw(st.sampled_from(ALL))
    return RecordFacts(
        record_id="rec_1",
        learner_id=draw(st.text(min_size=1, max_size=20)),
        kind=kind,
        category=draw(st.none() | texts),
        level=draw(st.none() | texts),
        title_ko=draw(texts),
        title_en=draw(st.none() | texts),
        code=draw(st.none() | texts),
        started_at=started,
        ended_at=started + timedelta(minutes=minutes),
        minutes=minutes,
        learner_name=draw(st.none() | texts),
        holder_did=draw(st.none() | st.just("did:key:z6Mkabc")),
        degree=SAMPLE_DEGREE if kind == "degree" else None,
    )


@settings(max_examples=150, deadline=None)
@given(found=st.lists(records(), min_size=1, max_size=4))
def test_whatever_people_write_is_signed_whole_or_refused(
    keystore: Keystore, found: list[RecordFacts]
) -> None:
    signer = keystore.signer("university")
    chunk = _signer(keystore).sign(_job(signer, found))
    assert sorted([s.position for s in chunk.signed] + [r.position for r in chunk.refused]) == list(
        range(len(found))
    )
    for signed in chunk.signed:
        document = json.loads(signed.document)
        record = found[signed.position]
        integrity.verify(document, document["proof"], decode(signer.did.removeprefix("did:key:")))
        assert model.check(document) == []
        subject = document["credentialSubject"]
        assert subject["achievement"]["name"] == record.title_ko
        template = kinds()[record.kind]
        assert subject.get("creditsEarned") == (record.minutes / 60 if template.hours else None)
        if "learnerName" not in template.optional:
            continue
        assert subject.get("identifier", [{}])[0].get("identityHash") == record.learner_name
        if record.title_en:
            assert record.title_en in document["name"]


_SIGNERS: dict[int, ChunkSigner] = {}


def _signer(keystore: Keystore) -> ChunkSigner:
    return _SIGNERS.setdefault(id(keystore), ChunkSigner(keystore))


def _job(signer: Signer, found: list[RecordFacts]) -> SignJob:
    return SignJob(
        issuer=IssuerFacts("university", signer.did, "서울시민대학", "Seoul Citizens' University"),
        public_url="https://baeum.seoul.example",
        status_list_id="stl_0123456789abcdefghijklmnop",
        created="2030-01-01T00:00:00Z",
        place=PLACE.of("university"),
        records=found,
        indices=list(range(len(found))),
    )


def longest() -> RecordFacts:
    """As much as the columns of a record usually hold."""
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    return RecordFacts(
        record_id="rec_1",
        learner_id="lrn_1",
        kind="course",
        category="디지털 시민성",
        level="기초",
        title_ko="교육혁신 자문위원과 함께하는 인공지능 시대의 디지털 시민성 심화 과정",
        title_en="Digital citizenship in the age of artificial intelligence, advanced course",
        code="DL-2026-0001-A",
        started_at=moment,
        ended_at=moment,
        minutes=1_630,
        learner_name="남궁하늘바다",
        holder_did="did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    )


def test_a_long_credential_fits_one_qr_code(keystore: Keystore) -> None:
    from credential import paper
    from credential.evidence import Evidence
    from credential.receipt import Receipt

    signer = keystore.signer("university")
    signed = _signer(keystore).sign(_job(signer, [longest()])).signed[0]
    receipt = Receipt(
        leaf_index=1_048_575,
        tree_size=1_048_576,
        path=tuple(os.urandom(32) for _ in range(20)),
        root=os.urandom(32),
        chain_id=31337,
        contract=os.urandom(20),
        institution=os.urandom(32),
        anchored_by=os.urandom(32),
        transaction=os.urandom(32),
        block_number=12_345_678,
        block_hash=os.urandom(32),
        block_time="2026-11-23T00:00:00Z",
        sequence=12_345,
        head=os.urandom(32),
    )
    text = paper.encode(Evidence(json.loads(signed.document), receipt))
    assert len(text) < 2_900, len(text)
    assert paper.decode(text).credential == json.loads(signed.document)


@pytest.mark.parametrize(
    ("minutes", "number", "ko", "en"),
    [
        (1, 1 / 60, "1분", "1 minute"),
        (60, 1, "1시간", "1 hour"),
        (90, 1.5, "1시간 30분", "1 hour 30 minutes"),
        (1200, 20, "20시간", "20 hours"),
        (100, 100 / 60, "1시간 40분", "1 hour 40 minutes"),
    ],
)
def test_time_is_said_exactly(minutes: int, number: float, ko: str, en: str) -> None:
    assert hours(minutes) == number
    assert type(hours(1200)) is int
    assert (time_ko(minutes), time_en(minutes)) == (ko, en)


def test_the_same_course_has_the_same_achievement_everywhere() -> None:
    one, other = longest(), longest()._replace(learner_id="lrn_2", minutes=5)
    assert facts.achievement_urn("a", one) == facts.achievement_urn("a", other)
    assert facts.achievement_urn("a", one) != facts.achievement_urn("b", one)
    assert facts.achievement_urn("a", one) != facts.achievement_urn("a", one._replace(level="x"))


def body(**changes: Any) -> str:
    template = {
        "template": "t/1",
        "kind": "t",
        "optional": ["code"],
        "phrases": {"credentialName": {"ko": "{title}"}},
        "document": {"id": "{credentialId}", "name": "{credentialName}", "code": "{code}"},
    }
    return json.dumps(template | changes)


def test_a_template_is_data() -> None:
    template = load(body(), "t.json")
    assert template.shape(frozenset({"code"})) == {
        "id": "{credentialId}",
        "name": "{credentialName}",
    }


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        body(document={"id": "{credentialId}", "x": "{unheardOf}"}),
        body(document={"id": "urn:fixed"}),
        body(document={"id": "{credentialId}", "x": "half {title}"}),
        body(document={"id": "{credentialId}", "x": {"$needs": ["unheardOf"]}}),
        body(optional=["title"]),
        body(phrases={"title": {"ko": "x"}}),
        body(phrases={"x": {"ko": "{code}"}}),
        body(phrases={"x": {"ko": "{titleEn}"}}),
        body(phrases={"x": {}}),
    ],
)
def test_a_wrong_template_is_refused_when_loaded(text: str) -> None:
    with pytest.raises(TemplateInvalid):
        load(text, "t.json")


# --- lint on shapes -------------------------------------------------------------------------------


def sample() -> dict[str, Any]:
    prepared = prepare(kinds()["course"], frozenset())
    return prepared.shape.document(prepared.template.fill(sample_values("course", frozenset())))


def rules(document: dict[str, Any]) -> set[str]:
    return {finding.rule for finding in lint.check_shape(document)}


def test_the_sample_has_nothing_to_report() -> None:
    assert lint.check_shape(sample()) == []
    assert rdf.canonical_nquads(sample())


def test_every_rule_cites_a_clause_and_has_its_own_name() -> None:
    every = [*lint.SHAPE_RULES, *lint.VALUE_RULES]
    assert len({rule.id for rule in every}) == len(every)
    assert all(rule.clause for rule in every)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"undefinedTerm": "x"}, "terms-defined"),
        ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, "contexts"),
        ({"credentialStatus": []}, "status-entries"),
        ({"description": "P60M"}, "durations"),
        ({"description": "PT60S"}, "durations"),
        ({"description": "P1DT2H"}, "durations"),
        ({"description": "EQF 6"}, "no-official-level"),
        ({"issuer": {"id": "not a uri", "type": ["Profile"]}}, "schema"),
        ({"validFrom": "yesterday"}, "schema"),
    ],
)
def test_a_wrong_shape_is_named_by_its_rule(change: dict[str, Any], rule: str) -> None:
    assert rule in rules(sample() | change)


def test_a_duration_in_hours_and_minutes_is_fine() -> None:
    for text in ("PT20H30M", "PT20H", "PT30M", "PASS", "P", "PT"):
        assert "durations" not in rules(sample() | {"description": text})


def test_hours_that_disagree_with_the_minutes_are_refused() -> None:
    document = sample()
    document["credentialSubject"]["creditsEarned"] = 20
    assert rules(document) == {"exact-minutes"}
    document = sample()
    document["credentialSubject"]["result"] = []
    assert "exact-minutes" in rules(document)


@pytest.mark.parametrize("nonce", ["", "short", "a" * 21, "!" * 22, "a" * 100])
def test_a_proof_without_128_bits_of_salt_is_refused(nonce: str) -> None:
    values = sample_values("course", frozenset())
    assert [f.rule for f in lint.check_values(values, nonce)] == ["salt"]
    assert lint.check_values(values, "a" * 22) == []


@pytest.mark.parametrize(
    "subject", ["lrn_123", "did:key:", "did:web:x y", "mailto:a@b.c", "urn:uuid:1", "did:x:a<b"]
)
def test_a_subject_is_a_did_or_a_pseudonym(subject: str) -> None:
    values = sample_values("course", frozenset()) | {"subjectId": subject}
    assert [f.rule for f in lint.check_values(values, "a" * 22)] == ["subject-id"]


def test_the_template_files_are_in_the_package() -> None:
    folder = Path(facts.__file__).parent
    assert sorted(p.stem for p in folder.glob("*.json")) == ALL
