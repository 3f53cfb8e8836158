"""``baeum credit``: an audit of plain files, and what a change would do, as a user asks for it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from baeum.cli import run
from baeum.home import Home
from baeum.settings import load
from ledger.database.models import Accreditation, Institution, Learner, LearningRecord
from ledger.database.standings import DegreeStanding, RecordHold

NOW = datetime(2025, 3, 1, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAEUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BAEUM_LANG", "en")
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int = 0) -> Any:
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def files(folder: Path, **parts: Any) -> list[str]:
    found = []
    for name, value in parts.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(value), "utf-8")
        found += [f"--{name}", str(path)]
    return found


RECORDS = [
    {
        "id": "c1",
        "type": "course",
        "category": "인문학",
        "issuer": "scu",
        "issuer_group": "x",
        "status": "verified",
        "start": "2025-03-04T10:00:00+09:00",
        "end": "2025-05-06T12:00:00+09:00",
        "minutes": 3000,
        "attended": 8,
        "sessions": 10,
        "offering": "o1",
        "course_class": "k1",
        "code": "C1",
        "issuer_record": "7",
        "verified_at": "2025-05-10T00:00:00Z",
        "late_approved": {"by": "kim", "at": "2025-05-10", "why": "illness"},
    },
    {"id": "c2", "type": "course", "issuer": "scu", "status": "verified", "date": "2025-05-31",
     "minutes": 600},
    {"id": "c3", "type": "course", "issuer": "scu", "status": "verified", "date": "2025-06-01",
     "minutes": 600},
    {"id": "v1", "type": "volunteering", "issuer": "scu", "status": "verified",
     "start": "2025-04-01T08:00:00+09:00", "end": "2025-04-01T18:00:00+09:00"},
    {"id": "bad", "type": "course", "issuer": "scu", "status": "verified", "date": "yesterday"},
]  # fmt: skip
CONTEXT = {
    # half-open: the last day of the first period does not count
    "issuers": {
        "scu": {"group": "city", "periods": [["2020-01-01", "2025-05-31"], ["2025-06-01", None]]}
    },
    "held": {"bachelor": {"state": "valid", "awarded": "2025-01-01"}},
    "items": [["learning_output", "approved"]],
    "priors": {"related_career_years": 3},
    "used": {"c1": 1000},
    "exceptions": [
        {"id": "E1", "kind": "reduce_block", "target": "M-HOURS", "minutes": 100, "by": "kim",
         "why": "illness", "expires": "2027-01-01"}
    ],
}  # fmt: skip


def test_an_audit_of_files_has_every_part_the_format_promises(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(
        capsys,
        [
            "credit",
            "audit",
            "--policy",
            "seoul.citizen-degree@2025.1",
            *files(home, records=RECORDS, context=CONTEXT),
            "--as-of",
            "2026-06-01",
            "--degree",
            "master",
        ],
        code=1,
    )
    assert found["hours_met"] is found["eligible"] is False
    assert found["allocation"] == [
        {"record": "c1", "block": "M-HOURS", "minutes": 2000},
        {"record": "c3", "block": "M-HOURS", "minutes": 600},
        {"record": "v1", "block": "M-HOURS", "minutes": 480},
    ]
    lines = {line["record"]: line for line in found["records"]}
    assert {name: line["code"] for name, line in lines.items()} == {
        "bad": "E-READ",
        "c1": "OK",
        "c2": "E-ISSUER",
        "c3": "OK",
        "v1": "OK",
    }
    for line in lines.values():
        assert set(line) == {"record", "code", "minutes", "of", "cap", "why"}
        assert line["why"]["ko"]
        assert line["why"]["en"]
    assert (lines["v1"]["minutes"], lines["v1"]["of"], lines["v1"]["cap"]) == (
        480,
        600,
        "CAP-VOL-DAY",
    )
    assert found["missing"] == [{"block": "M-HOURS", "minutes": 12000 - 100 - 3080}]
    assert found["cheapest"][0]["minutes"] == 8820
    assert found["policy"] == "seoul.citizen-degree@2025.1"
    assert found["policy_hash"].startswith("sha256:")
    assert found["trace_hash"].startswith("sha256:")


def test_the_same_files_give_the_same_bytes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "--policy",
        "seoul.citizen-degree@2025.1",
        "--as-of",
        "2026-06-01",
        "--degree",
        "bachelor",
    ]
    first = answer(capsys, ["credit", "audit", *asked, *files(home, records=RECORDS)], 1)
    again = answer(capsys, ["credit", "audit", *asked, *files(home, records=RECORDS[::-1])], 1)
    assert first == again
    assert first["not_checked"] == ["issuer"]


def test_a_policy_that_does_not_lint_is_refused_with_line_and_rule(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ledger.credit import bundled

    policy = json.loads(json.dumps(bundled()[0].document))
    policy["degrees"][0]["advertised_hours"] = 7
    path = home / "policy.yaml"
    path.write_text(json.dumps(policy, indent=1), "utf-8")
    line = path.read_text("utf-8").split("\n").index('   "advertised_hours": 7,') + 1
    asked = ["--as-of", "2026-06-01", "--degree", "bachelor", *files(home, records=RECORDS)]
    assert run(["credit", "audit", "--policy", str(path), *asked]) == 2
    said = capsys.readouterr()
    assert f"Line {line} L-HOURS" in " ".join((said.out + said.err).split())


@pytest.fixture
def city(home: Path) -> Path:
    """Three learners: one lives on the good institution, two on the other."""
    with Home(load()) as opened:
        opened.database.migrate()
        with opened.database.session() as session:
            for name in ("good", "other"):
                session.add(Institution(id=name, name_ko=name, name_en=name, created_at=NOW))
                session.flush()
                session.add(
                    Accreditation(
                        institution_id=name, kind="course", valid_from=NOW - timedelta(900)
                    )
                )
            for n, where in enumerate(("good", "other", "other")):
                session.add(Learner(id=f"lrn_{n}", created_at=NOW))
                session.flush()
                session.add(
                    LearningRecord(
                        id=f"rec_{n}",
                        learner_id=f"lrn_{n}",
                        institution_id=where,
                        kind="course",
                        title_ko="강좌",
                        started_at=NOW,
                        ended_at=NOW + timedelta(days=n),
                        exact_interval=False,
                        minutes=6000,
                        source_key=str(n),
                        status="verified",
                        content_sha256=bytes(32),
                        recorded_at=NOW + timedelta(days=9),
                    )
                )
    return home


def count(table: Any) -> int:
    with Home(load()) as opened, opened.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


DAY = ["--as-of", "2026-06-01"]


def test_the_standing_of_everybody_is_stored(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, ["credit", "recompute", *DAY])
    assert (found["learners"], found["eligible"], count(DegreeStanding)) == (3, 3, 3)
    assert found["policy"] == "seoul.citizen-degree@2025.1"


def test_a_hold_is_a_report_first_and_an_order_when_confirmed(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["credit", "recompute", "--hold", "other", "--until", "2025-03-03", *DAY]
    report = answer(capsys, asked)
    assert (report["affected"], report["records"], report["confirmed"]) == (1, 1, False)
    assert [c["learner"] for c in report["lose"]] == ["lrn_1"]
    assert report["lose"][0]["after"] == {"hours_met": False, "eligible": False, "missing": 6000}
    assert (count(RecordHold), count(DegreeStanding)) == (0, 0)
    assert run(asked) == 0
    assert report["digest"] in "".join(capsys.readouterr().out.split())
    confirm = [*asked, "--confirm", report["digest"]]
    assert run(confirm) == 2  # nobody says why, or who
    wrong = [*asked, "--confirm", "sha256:0", "--reason", "forged", "--by", "kim"]
    assert run(wrong) == 2
    assert count(RecordHold) == 0
    capsys.readouterr()
    done = answer(capsys, [*confirm, "--reason", "forged", "--by", "kim"])
    assert done["confirmed"]
    assert count(RecordHold) == 1
    assert run(["progress", "lrn_1", "--degree", "bachelor"]) == 1
    assert run(["progress", "lrn_2", "--degree", "bachelor"]) == 0
    with Home(load()) as opened, opened.database.reading() as session:
        [order] = session.scalars(select(RecordHold)).all()
        assert (order.ended_to, order.reason) == (date(2025, 3, 3), "forged")


@pytest.mark.parametrize(
    "options",
    [
        ["--hold", "nobody"],
        ["--kind", "course"],
        ["--hold", "other", "--new-policy", "incheon.citizen-degree@1"],
        ["--hold", "other", "--until", "soon"],
        ["--new-policy", "nothing.yaml"],
    ],
)
def test_what_is_not_clear_is_refused(city: Path, options: list[str]) -> None:
    assert run(["credit", "recompute", *options, *DAY]) == 2


def test_a_new_policy_is_compared_with_the_one_in_force(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ledger.credit import bundled

    policy = next(p for p in bundled() if p.key == "seoul.citizen-degree@2025.1")
    document = json.loads(json.dumps(policy.document))
    document["degrees"][0]["blocks"][0]["min"] = 6060
    document["degrees"][0]["advertised_hours"] = 101
    path = city / "new.yaml"
    path.write_text(json.dumps(document), "utf-8")
    report = answer(capsys, ["credit", "recompute", "--new-policy", str(path), *DAY])
    assert (report["affected"], len(report["lose"]), report["gain"]) == (3, 3, [])
    assert report["cause"]["touches"] == "everybody"
