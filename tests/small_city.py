"""A home with a chain, run through the ``baeum`` command in this process: for tests end to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import population
import pytest
import yaml

from baeum.cli import run
from baeum.home import Home
from baeum.settings import load

REGISTRAR = "seoul-lifelong-education"
UNIVERSITY = "seoul-citizens-university"
CENTRE = "geumcheon-digital-centre"
PUBLIC_URL = "https://baeum.seoul.example"
KINDS = ("course", "volunteering")


class SmallCity:
    """Commands of one home. ``baeum`` returns the parsed JSON and insists on the exit code."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capture = capture
        self._records = 0

    def baeum(self, *arguments: str, code: int = 0) -> Any:
        self._capture.readouterr()
        done = run([*arguments, "--json"])
        printed = self._capture.readouterr()
        assert done == code, printed.out + printed.err
        body = json.loads(printed.out or printed.err)
        return body.get("error", body)

    def opened(self) -> Home:
        return Home(load())

    def record(self, institution: str = UNIVERSITY, **changes: Any) -> str:
        """One more verified record; its id."""
        number = self._records
        self._records += 1
        row = population.record(number, institution, **({"kind": "course"} | changes))
        with self.opened() as home:
            population.records(home.database, [row])
        return str(row["id"])

    def issue(self, *, anchor: bool = True) -> None:
        self.baeum("issue")
        if anchor:
            self.baeum("anchor")

    def credential_of(self, record_id: str, *, standing: bool = True) -> str:
        """The credential that stands for a record, or the first one that was replaced."""
        from sqlalchemy import select

        from ledger.database.models import Credential

        query = select(Credential.id).where(Credential.record_id == record_id)
        unreplaced = Credential.replaced_by.is_(None)
        with self.opened() as home, home.database.reading() as session:
            found = session.scalars(query.where(unreplaced if standing else ~unreplaced)).first()
        assert found is not None
        return found

    def evidence(self, credential_id: str, *options: str) -> Path:
        path = self.home.parent / f"{credential_id[-12:]}{''.join(options)}.json"
        self._capture.readouterr()
        assert run(["evidence", credential_id, "--output", str(path), *options]) == 0
        return path

    def verify(self, path: Path, *options: str) -> dict[str, Any]:
        self._capture.readouterr()
        run(["verify", str(path), "--json", *options])
        report: dict[str, Any] = json.loads(self._capture.readouterr().out)
        return report


Found = Callable[..., SmallCity]


@pytest.fixture
def found_city(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Found:
    """Makes a city; ``did`` is what the university and the registrar sign under."""

    def found(did: str = "key", **settings: str) -> SmallCity:
        from issuer.keys.store import Keystore

        monkeypatch.setattr(Keystore, "default_work", population.CHEAP)
        for name, value in (
            ("BAEUM_HOME", str(tmp_path / "home")),
            ("BAEUM_PUBLIC_URL", PUBLIC_URL),
            ("BAEUM_LANG", "en"),
            *settings.items(),
        ):
            monkeypatch.setenv(name, value)
        register = {
            "institutions": [
                {
                    "id": name,
                    "name": {"ko": f"{name} 기관", "en": name.title()},
                    "did": did,
                    "accredited": [
                        {"kind": kind, "from": "2020-01-01"}
                        for kind in (KINDS if name != REGISTRAR else ("registrar",))
                    ],
                }
                for name in (REGISTRAR, UNIVERSITY, CENTRE)
            ]
        }
        path = tmp_path / "institutions.yaml"
        path.write_text(yaml.safe_dump(register, allow_unicode=True), encoding="utf-8")
        city = SmallCity(tmp_path / "home", capsys)
        city.baeum("setup", "--institutions", str(path))
        with city.opened() as home:
            population.learners(home.database, 50, home.identities)
        return city

    return found
