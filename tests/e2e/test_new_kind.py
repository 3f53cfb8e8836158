"""Templates are data: a kind nobody has heard of is a file, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from small_city import UNIVERSITY, Found, found_city  # noqa: F401

from issuer.templates import template

COURSE = Path(template.__file__).with_name("course.json")


@pytest.fixture
def no_folders() -> object:
    """What a home adds to this process is taken back."""
    yield
    template._folders = ()
    template.kinds.cache_clear()


@pytest.mark.usefixtures("no_folders")
def test_a_file_is_enough_for_a_kind_nobody_has_heard_of(
    found_city: Found,  # noqa: F811
    tmp_path: Path,
) -> None:
    body = json.loads(COURSE.read_text(encoding="utf-8"))
    body |= {"template": "night-watch/1", "kind": "night-watch"}
    body["phrases"]["credentialName"] = {"ko": "{title} 야경 확인서", "en": "Watch: {titleEn}"}
    body["document"]["credentialSubject"]["achievement"]["achievementType"] = "ext:NightWatch"
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "night-watch.json").write_text(json.dumps(body), encoding="utf-8")

    city = found_city(BAEUM_TEMPLATES=str(folder))
    record = city.record(kind="night-watch")
    # without an accreditation for it nothing is signed
    left = city.baeum("issue")["leftOut"]
    assert [entry["code"] for entry in left] == ["not-accredited"]
    register = tmp_path / "institutions.yaml"
    listed = yaml.safe_load(register.read_text(encoding="utf-8"))
    for institution in listed["institutions"]:
        if institution["id"] == UNIVERSITY:
            institution["accredited"].append({"kind": "night-watch", "from": "2020-01-01"})
    register.write_text(yaml.safe_dump(listed, allow_unicode=True), encoding="utf-8")
    city.baeum("setup", "--institutions", str(register))
    city.issue()
    report = city.verify(city.evidence(city.credential_of(record)))
    assert report["verdict"] == "valid", report
    assert report["facts"]["kind"] == "night-watch"

    # lint holds for it as for any other
    bad = city.record(kind="night-watch", title_ko="야경 010-1234-5678")
    assert city.baeum("issue")["leftOut"][0]["code"] == "lint-no-contact-data"
    del bad


@pytest.mark.usefixtures("no_folders")
def test_a_file_that_is_no_template_is_refused_by_name(
    found_city: Found,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "broken.json").write_text("{}", encoding="utf-8")
    city = found_city(BAEUM_TEMPLATES=str(folder))
    city.record()
    error = city.baeum("issue", code=2)
    assert (error["code"], error["template"]) == ("template-invalid", "broken.json")
