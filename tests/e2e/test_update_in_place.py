"""A corrected record: the holder's old copy says that there is a newer one, and where."""

from __future__ import annotations

from small_city import PUBLIC_URL, Found, found_city  # noqa: F401
from sqlalchemy import update

from baeum.operations import publish
from ledger.database.models import LearningRecord


def test_an_old_copy_explains_itself(found_city: Found) -> None:  # noqa: F811
    city = found_city()
    first, other = city.record(), city.record()
    city.issue()
    with city.opened() as home:
        publish(home)  # a server does so every two seconds
    old = city.evidence(city.credential_of(first))
    with city.opened() as home, home.database.session() as session:
        session.execute(
            update(LearningRecord).where(LearningRecord.id == first).values(status="superseded")
        )
    second = city.record(supersedes_id=first, source_key="key-corrected")
    assert city.verify(old)["verdict"] == "valid"  # until the new one is there
    city.issue()

    report = city.verify(old)
    assert report["verdict"] == "invalid"
    [check] = [check for check in report["checks"] if check["id"] == "status"]
    assert check["code"] == "revoked"
    assert "replaced by a corrected credential" in check["reason"]["en"]
    assert check["details"]["replaced"]["getNewAt"] == PUBLIC_URL
    assert PUBLIC_URL in check["remedy"]["en"]
    assert city.verify(city.evidence(city.credential_of(second)))["verdict"] == "valid"

    # one that was revoked outright says nothing of a newer one
    gone = city.evidence(city.credential_of(other))
    assert city.baeum("retract", other, "--reason", "did not attend")["retracted"] is True
    [check] = [c for c in city.verify(gone)["checks"] if c["id"] == "status"]
    assert (check["code"], "replaced" in check["details"]) == ("revoked", False)

    # revoked by mistake, and issued anew when asked
    credential = city.credential_of(second)
    city.baeum("revoke", credential, "--reason", "wrong one")
    assert city.baeum("reissue", credential, "--reason", "it was right")["due"] == [credential]
    city.issue()
    assert city.verify(city.evidence(city.credential_of(second)))["verdict"] == "valid"
    assert city.baeum("audit")["differences"] == []
