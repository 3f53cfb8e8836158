"""What is handed out says enough with everything withheld, and follows its credential."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from population import (
    CENTRE,
    IDENTITIES,
    NOW,
    PLACE,
    PUBLIC_URL,
    REGISTRAR,
    UNIVERSITY,
    populate,
)
from sqlalchemy import func, select

from credential import did, jose, multikey, sd_jwt, sd_jwt_vc, status
from issuer import handouts
from issuer.issuance import issue
from issuer.status import publish, reinstate, revoke, suspend
from ledger.database.handouts import DiscreetInstitution, Handout
from ledger.database.models import Credential, Institution, LearnerIdentity, StatusList
from ledger.status_comparison import compare_statuses
from verifier.token_status_list import read_token_list

HOLDER = SigningKey(b"h" * 32)
HOLDER_DID = did.did_key(bytes(HOLDER.verify_key))
PERSONAL = ("title", "institution", "learner", "credential_id", "started_at", "ended_at", "sub")


@pytest.fixture
def city(database, tmp_path: Path):
    keys = populate(database, tmp_path, 20)
    issue(
        database,
        keys,
        place=PLACE,
        public_url=PUBLIC_URL,
        now=NOW,
        identities=IDENTITIES,
        workers=1,
    )
    with database.reading() as session:
        found = list(session.scalars(select(Credential).order_by(Credential.record_id)))
    with database.session() as session:
        learner = found[0].learner_id
        name = IDENTITIES.seal_name(learner, "김하늘")
        session.merge(LearnerIdentity(learner_id=learner, name=name))
    return database, keys, found, tmp_path / "status"


def handed(city, credential_id: str, **options: Any) -> handouts.HandOut:
    database, keys, _, _ = city
    settings: dict[str, Any] = {
        "registrar": REGISTRAR,
        "public_url": PUBLIC_URL,
        "now": NOW,
        "identities": IDENTITIES,
        "holder": HOLDER_DID,
    }
    return handouts.hand_out(database, keys, credential_id, **settings | options)


def read(text: str) -> tuple[jose.Jws, sd_jwt.Read]:
    return sd_jwt_vc.read(sd_jwt.parse(text))


def bare(text: str) -> dict[str, Any]:
    """What is left when the holder withholds everything."""
    return read(text.split("~")[0] + "~")[1].claims


def verified(text: str) -> dict[str, Any]:
    """The claims, after the signature was checked under the key the issuer's DID lists."""
    signed, found = read(text)
    document = did.document(found.claims["iss"])
    jose.verify(signed, did.verification_key(document, signed.kid, "assertionMethod"))
    return found.claims


def state(city, claims: dict[str, Any]) -> int:
    database, keys, _, folder = city
    publish(database, keys, folder, PUBLIC_URL, NOW)
    named = claims["status"]["status_list"]
    list_id = named["uri"].removeprefix(f"{PUBLIC_URL}/status/").removesuffix("/token")
    listed = read_token_list((folder / list_id / "token.jwt").read_bytes())
    assert listed.issuer == claims["iss"]
    return listed.entries[named["idx"]]


def test_signed_by_the_institution_it_shares_the_credentials_status(city):
    database, keys, found, _ = city
    made = handed(city, found[0].id)
    claims = verified(made.text)
    assert made.signed_by == found[0].institution_id
    assert claims["iss"] == keys.did(found[0].institution_id)
    assert claims["status"]["status_list"]["idx"] == found[0].status_index
    assert claims["credential_id"] == found[0].id
    assert claims["cnf"]["jwk"] == multikey.to_jwk(
        multikey.PublicKey("ed25519", bytes(HOLDER.verify_key))
    )
    assert state(city, claims) == 0
    revoke(database, [found[0].id], "reason", NOW)
    assert state(city, claims) == 1
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Handout)) == 0


def test_with_everything_withheld_accredited_institution_hours_category_year_remain(city):
    _, keys, found, _ = city
    made = handed(city, found[0].id, by_registrar=True)
    claims = bare(made.text)
    assert claims["accredited"] is True
    assert claims["minutes"] > 0
    assert claims["year"] == 2026
    assert not set(PERSONAL) & claims.keys()
    assert verified(made.text)["learner"] == {"name": "김하늘"}
    everything = json.dumps(claims, ensure_ascii=False) + json.dumps(
        dict(read(made.text)[0].header)
    )
    for institution in (UNIVERSITY, CENTRE):
        assert institution not in everything
        assert keys.did(institution) not in everything
    assert found[0].id not in everything
    assert claims["iss"] == keys.did(REGISTRAR)
    whole = verified(made.text)
    assert set(PERSONAL) <= whole.keys()
    assert whole["institution"]["id"] == keys.did(found[0].institution_id)


def test_the_registrars_copy_has_a_status_place_of_its_own_that_follows(city):
    database, _, found, _ = city
    claims = verified(handed(city, found[0].id, by_registrar=True).text)
    other = verified(handed(city, found[0].id, by_registrar=True).text)
    places = [one["status"]["status_list"] for one in (claims, other)]
    assert places[0] != places[1]
    with database.reading() as session:
        shard = session.get_one(StatusList, places[0]["uri"].split("/")[-2])
        assert shard.institution_id == REGISTRAR
        assert shard.size >= 131_072
    assert state(city, claims) == 0
    suspend(database, [found[0].id], "reason", NOW)
    assert (state(city, claims), state(city, other)) == (2, 2)
    reinstate(database, [found[0].id], "reason", NOW)
    assert state(city, claims) == 0
    revoke(database, [found[0].id], "reason", NOW)
    assert (state(city, claims), state(city, other)) == (1, 1)


def test_the_audit_knows_that_hand_outs_follow(city):
    database, _, found, _ = city
    place = verified(handed(city, found[0].id, by_registrar=True).text)["status"]["status_list"]
    steps = (
        lambda: None,
        lambda: suspend(database, [found[0].id], "reason", NOW),
        lambda: reinstate(database, [found[0].id], "reason", NOW),
        lambda: suspend(database, [found[0].id], "reason", NOW),
        lambda: revoke(database, [found[0].id, found[1].id], "reason", NOW),
    )
    for step in steps:
        step()
        with database.reading() as session:
            assert list(compare_statuses(session)) == []
    with database.session() as session:
        shard = session.get_one(StatusList, place["uri"].split("/")[-2])
        shard.revoked = status.with_bits(shard.revoked, [place["idx"]], False)
    with database.reading() as session:
        assert [one.code for one in compare_statuses(session)] == ["status-differs"]


def test_a_discreet_institution_never_signs_itself(city):
    database, keys, found, _ = city
    with database.session() as session:
        session.add(DiscreetInstitution(institution_id=found[0].institution_id))
    made = handed(city, found[0].id)
    assert made.signed_by == REGISTRAR
    assert bare(made.text)["iss"] == keys.did(REGISTRAR)
    with pytest.raises(handouts.MustBeDiscreet):
        handouts.as_vc_jwt(database, keys, found[0].id)


def test_predicates_are_the_registrars_and_say_yes_or_no(city):
    database, _, found, _ = city
    with database.session() as session:
        handouts.attest(session, found[0].learner_id, "age_over_65", True, NOW)
        handouts.attest(session, found[0].learner_id, "resident_of_seoul", False, NOW)
        with pytest.raises(handouts.UnknownPredicate):
            handouts.attest(session, found[0].learner_id, "birthdate", True, NOW)
    by_institution = verified(handed(city, found[0].id).text)
    assert "age_over_65" not in by_institution
    made = handed(city, found[0].id, by_registrar=True)
    claims = verified(made.text)
    assert claims["age_over_65"] is True
    assert claims["resident_of_seoul"] is False
    assert not {"age_over_65", "resident_of_seoul"} & bare(made.text).keys()
    assert "birth" not in json.dumps(claims)


def test_a_transcript_hides_records_and_how_many_there_are(city):
    database, keys, found, _ = city
    learner = found[0].learner_id
    mine = [one for one in found if one.learner_id == learner]
    made = handouts.hand_out_transcript(
        database, keys, learner, registrar=REGISTRAR, public_url=PUBLIC_URL, now=NOW,
        identities=IDENTITIES, holder=HOLDER_DID,
    )  # fmt: skip
    claims = verified(made.text)
    assert made.signed_by == REGISTRAR
    assert len(claims["records"]) == len(mine)
    assert claims["total_minutes"] == sum(one["minutes"] for one in claims["records"])
    hidden = bare(made.text)
    assert hidden["records"] == []
    assert "total_minutes" not in hidden
    payload = read(made.text)[0].claims()
    assert len(payload["records"]) == len(mine) + 3
    one = sd_jwt_vc.select(sd_jwt.parse(made.text), _paths(made.text)[:1])
    shown = read(str(one))[1].claims["records"]
    assert shown[0].keys() <= {"accredited", "kind", "minutes", "category", "year"}
    revoke(database, [mine[0].id], "reason", NOW)
    assert state(city, claims) == 1


def _paths(text: str) -> list[Any]:
    found = read(text)[1]
    return [path for path in found.disclosed if path[0] == "records" and len(path) == 2]


def test_only_what_is_in_force_is_handed_out(city):
    database, keys, found, _ = city
    revoke(database, [found[0].id], "reason", NOW)
    suspend(database, [found[1].id], "reason", NOW)
    for credential in found[:2]:
        with pytest.raises(handouts.CredentialNotInForce):
            handed(city, credential.id)
    with pytest.raises(handouts.CredentialNotInForce):
        handouts.as_vc_jwt(database, keys, found[0].id)


@pytest.mark.parametrize("holder", ["did:web:x.example", "nonsense", "did:key:zBad"])
def test_a_holder_without_a_usable_key(city, holder):
    with pytest.raises(handouts.HolderKeyUnusable):
        handed(city, city[2][0].id, holder=holder)


def test_es256_when_the_institution_has_such_a_key(city):
    """As for wallets that know nothing else; the key must be one of the registered DID."""
    database, keys, found, _ = city
    institution = found[0].institution_id
    half = keys.add(institution, multikey.P256)
    with database.session() as session:
        session.get_one(Institution, institution).did = half.did
    claims = verified(handed(city, found[0].id, algorithm=multikey.P256).text)
    assert claims["iss"] == half.did
    assert read(handed(city, found[0].id, algorithm=multikey.P256).text)[0].algorithm == "ES256"


def test_the_type_names_its_metadata_by_digest(city):
    claims = verified(handed(city, city[2][0].id).text)
    kind = claims["vct"].removeprefix(f"{PUBLIC_URL}/vct/")
    metadata = handouts.metadata(PUBLIC_URL, kind)
    assert sd_jwt_vc.metadata_fits(claims, metadata)
    named = {tuple(claim["path"]): claim["sd"] for claim in json.loads(metadata)["claims"]}
    for path in read(handed(city, city[2][0].id, by_registrar=True).text)[1].disclosed:
        assert named[path] == "always"
    assert {name for (name,), sd in named.items() if sd == "never"} == {
        "accredited", "kind", "minutes", "category", "year",
    }  # fmt: skip


def test_as_vc_jwt_the_stored_words_are_the_payload(city):
    database, keys, found, _ = city
    made = handouts.as_vc_jwt(database, keys, found[0].id)
    signed = jose.parse(made.text)
    stored = json.loads(found[0].document)
    stored.pop("proof")
    assert signed.claims() == stored
    assert (signed.typ, signed.algorithm) == ("vc+jwt", "EdDSA")
