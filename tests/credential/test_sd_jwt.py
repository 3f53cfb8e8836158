"""SD-JWT (RFC 9901) against the published cases, and what a disclosure must never do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from vectors import ROOT, vectors

from credential import jose, multikey, sd_jwt, sd_jwt_vc
from credential.sd_jwt import Disclosure, SdJwt, SdJwtInvalid

GENERATED = "sd-jwt-generated"
OLDER = "transmute-vc-jwt-sd-testcases"


class _Sd(yaml.SafeLoader):
    """Reads ``!sd``, which the specifications put before what may be withheld."""


class Hidden:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash(("hidden", str(self.value)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and self.value == other.value


def _hidden(loader: _Sd, node: yaml.Node) -> Hidden:
    if isinstance(node, yaml.MappingNode):
        return Hidden(loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Hidden(loader.construct_sequence(node, deep=True))
    return Hidden(loader.construct_object(yaml.ScalarNode(_plain(loader, node), node.value)))


def _plain(loader: _Sd, node: yaml.Node) -> str:
    return loader.resolve(yaml.ScalarNode, node.value, (node.style is None, node.style is not None))


_Sd.add_constructor("!sd", _hidden)


def taken_apart(value: Any) -> tuple[Any, dict[Any, Any]]:
    """Claims and frame of a value with ``Hidden`` names and elements in it."""
    frame: dict[Any, Any] = {}
    hidden: list[Any] = []
    if isinstance(value, dict):
        claims: Any = {}
        for key, item in value.items():
            name = key.value if isinstance(key, Hidden) else key
            claims[name], inner = taken_apart(item)
            if isinstance(key, Hidden):
                hidden.append(name)
            if inner:
                frame[name] = inner
    elif isinstance(value, list):
        claims = []
        for place, item in enumerate(value):
            plain, inner = taken_apart(item.value if isinstance(item, Hidden) else item)
            claims.append(plain)
            if isinstance(item, Hidden):
                hidden.append(place)
            if inner:
                frame[place] = inner
    else:
        return value, {}
    if hidden:
        frame["_sd"] = hidden
    return claims, frame


def wanted(reveal: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths a ``holder_disclosed_claims`` or presentation frame asks for."""
    if reveal is True:
        return [path]
    if not reveal:
        return []
    items = reveal.items() if isinstance(reveal, dict) else enumerate(reveal)
    found: list[tuple[Any, ...]] = []
    for name, inner in items:
        found += wanted(inner, (*path, name))
        if isinstance(name, str) and name.isdigit():  # an index, as JSON has to write it
            found += wanted(inner, (*path, int(name)))
    return [path, *found] if path else found


def presented(claims: Any, frame: Any, reveal: Any) -> Any:
    payload, disclosures = sd_jwt.conceal(claims, frame)
    token = SdJwt("", tuple(one.text for one in disclosures))
    can = sd_jwt.read(payload, token.disclosures).disclosed
    paths = [path for path in wanted(reveal) if path in can]
    kept = sd_jwt.present(token, payload, paths)
    return sd_jwt.read(payload, kept.disclosures).claims


def cases(pattern: str) -> list[Path]:
    return sorted(ROOT.glob(pattern))


def name(path: Path) -> str:
    return "/".join(path.parts[-3:-1] if path.suffix == ".yml" else path.parts[-2:])


def token_text(folder: Path, stem: str) -> str:
    (path,) = [p for p in folder.iterdir() if p.stem == stem]
    text = path.read_text()
    if path.suffix == ".json":
        loaded = json.loads(text)
        return loaded if isinstance(loaded, str) else json.dumps(loaded)
    return "".join(text.split())


def issuer_key(folder: Path) -> multikey.PublicKey:
    settings = yaml.safe_load((folder.parent / "settings.yml").read_text())["key_settings"]
    jwk = settings.get("issuer_key") or settings["issuer_keys"][0]
    return multikey.from_jwk({key: jwk[key] for key in ("kty", "crv", "x", "y")})


def test_the_published_cases_are_there():
    vectors(GENERATED)
    assert len(cases(f"{GENERATED}/*/*/specification.yml")) == 37


@pytest.mark.parametrize("spec", cases(f"{GENERATED}/*/*/specification.yml"), ids=name)
def test_generated_runs_of_the_reference_implementation(spec: Path):
    """Issuance, presentation and key binding as the reference writes them, read by us."""
    folder = spec.parent
    issued = sd_jwt.parse(token_text(folder, "sd_jwt_issuance"))
    signed = jose.parse(issued.jwt)
    jose.verify(signed, issuer_key(folder))
    assert signed.claims() == json.loads((folder / "sd_jwt_payload.json").read_text())
    whole = sd_jwt.read(signed.claims(), issued.disclosures).claims
    assert whole.items() >= json.loads((folder / "user_claims.json").read_text()).items()
    shown = sd_jwt.parse(token_text(folder, "sd_jwt_presentation"))
    read = sd_jwt.read(jose.parse(shown.jwt).claims(), shown.disclosures)
    assert read.claims == json.loads((folder / "verified_contents.json").read_text())
    # with the JSON serialisation the tool follows a draft that hashed something else
    if (folder / "kb_jwt_payload.json").exists() and "json_serialization" not in folder.name:
        bound = json.loads((folder / "kb_jwt_payload.json").read_text())
        key = sd_jwt_vc.holder_key(signed.claims())
        sd_jwt_vc.check_binding(
            shown, signed.claims(), key, audience=bound["aud"], nonce=bound["nonce"],
            now=bound["iat"], max_age=60, skew=0,
        )  # fmt: skip


@pytest.mark.parametrize("spec", cases(f"{OLDER}/*/specification.yml"), ids=name)
def test_runs_of_an_older_draft(spec: Path):
    """What did not change since: digests, disclosures, and what they come to."""
    folder = spec.parent
    shown = sd_jwt.parse(token_text(folder, "sd_jwt_presentation"))
    read = sd_jwt.read(jose.parse(shown.jwt).claims(), shown.disclosures)
    assert read.claims == json.loads((folder / "verified_contents.json").read_text())


SPECIFICATIONS = [
    *cases("oauth-sd-jwt-spec/examples/*/specification.yml"),
    *cases("oauth-sd-jwt-vc-spec/examples/*/specification.yml"),
    *cases("owf-sd-jwt-python/*/*/specification.yml"),
]


@pytest.mark.parametrize("spec", SPECIFICATIONS, ids=lambda p: "/".join(p.parts[-4:-1]))
def test_published_specifications_issued_by_us(spec: Path):
    """The input of every published example, concealed by us, comes back whole and in part."""
    body = yaml.load(spec.read_text(), Loader=_Sd)
    claims, frame = taken_apart(body["user_claims"])
    payload, disclosures = sd_jwt.conceal(claims, frame)
    assert sd_jwt.read(payload, [one.text for one in disclosures]).claims == claims
    folders = list(ROOT.glob(f"{GENERATED}/*/{spec.parent.name}/specification.yml"))
    same = [one.parent for one in folders if one.read_bytes() == spec.read_bytes()]
    for folder in same:
        expected = json.loads((folder / "verified_contents.json").read_text())
        ours = presented(claims, frame, body["holder_disclosed_claims"])
        assert {key: expected[key] for key in expected if key in claims} == ours


@pytest.mark.parametrize("path", cases("owf-sd-jwt-js/*.json"), ids=name)
def test_frames_of_sd_jwt_js(path: Path):
    body = json.loads(path.read_text())
    shown = presented(body["claims"], body["disclosureFrame"], body["presentationFrames"])
    assert shown == body["presentedClaims"]


# --- by property ----------------------------------------------------------------------------------

NAMES = st.text(min_size=1, max_size=8).filter(lambda n: n not in ("_sd", "_sd_alg", "..."))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def framed(draw: st.DrawFn, value: Any) -> dict[Any, Any]:
    """A frame that fits a value, decoys included."""
    places = list(value) if isinstance(value, dict) else list(range(len(value)))
    frame: dict[Any, Any] = {"_sd_decoy": draw(st.integers(0, 2))}
    if places:
        frame["_sd"] = draw(st.lists(st.sampled_from(places), unique=True))
    for place in places:
        if isinstance(value[place], dict | list) and draw(st.booleans()):
            frame[place] = draw(framed(value[place]))
    return frame


@given(data=st.data(), claims=st.dictionaries(NAMES, VALUES, max_size=5))
def test_what_is_concealed_comes_back_and_nothing_else_shows(data, claims):
    frame = data.draw(framed(claims))
    payload, disclosures = sd_jwt.conceal(claims, frame)
    texts = [one.text for one in disclosures]
    assert sd_jwt.read(payload, texts).claims == claims
    hidden = sd_jwt.read(payload, []).claims
    assert not set(frame.get("_sd", ())) & hidden.keys()
    can = sd_jwt.read(payload, texts).disclosed
    for path in can:
        shown = sd_jwt.present(SdJwt("", tuple(texts)), payload, [path])
        assert path in sd_jwt.read(payload, shown.disclosures).disclosed or any(
            isinstance(step, int)
            for step in path  # places in an array close up
        )


# --- attacks --------------------------------------------------------------------------------------

CLAIMS = {
    "iss": "did:example:1",
    "name": "김하늘",
    "roles": ["a", "b"],
    "address": {"city": "서울"},
}
FRAME = {"_sd": ["name", "address"], "roles": {"_sd": [0, 1]}, "address": {"_sd": ["city"]}}


def refused(payload: Any, texts: list[str]) -> str:
    with pytest.raises(SdJwtInvalid) as caught:
        sd_jwt.read(payload, texts)
    return str(caught.value.facts["reason"])


@pytest.fixture
def issued() -> tuple[dict[str, Any], list[Disclosure]]:
    return sd_jwt.conceal(CLAIMS, FRAME)


def test_attack_disclosure_added(issued):
    payload, disclosures = issued
    added = Disclosure.make("salt", "degree", "박사")
    assert refused(payload, [*(d.text for d in disclosures), added.text]) == "added"


def test_attack_disclosure_doubled(issued):
    payload, disclosures = issued
    assert refused(payload, [disclosures[0].text, disclosures[0].text]) == "doubled"


def test_attack_disclosure_without_the_one_it_lies_in(issued):
    payload, disclosures = issued
    (city,) = [d for d in disclosures if d.name == "city"]
    assert refused(payload, [city.text]) == "added"


def test_attack_disclosure_respelt_has_another_digest(issued):
    payload, disclosures = issued
    (given_name,) = [d for d in disclosures if d.name == "name"]
    respelt = sd_jwt.multibase.base64url(
        json.dumps([given_name.salt, "name", given_name.value]).encode()
    )
    assert refused(payload, [respelt]) == "added"


@pytest.mark.parametrize("name", ["_sd", "..."])
def test_attack_disclosure_with_a_reserved_name(name):
    text = Disclosure.make("salt", name, ["x"]).text
    payload = {"_sd": [Disclosure("", "", None, None).digest()], "_sd_alg": "sha-256"}
    assert refused(payload, [text]) == "disclosure-malformed"


def test_attack_disclosure_overwrites_a_claim_that_is_there():
    disclosure = Disclosure.make("salt", "iss", "did:example:mallory")
    payload = {"iss": "did:example:1", "_sd": [disclosure.digest()]}
    assert refused(payload, [disclosure.text]) == "overwrites"


def test_attack_digest_used_twice():
    disclosure = Disclosure.make("salt", "name", "x")
    payload = {"_sd": [disclosure.digest()], "a": {"_sd": [disclosure.digest()]}}
    assert refused(payload, [disclosure.text]) == "digest-twice"


def test_attack_digest_twice_through_a_disclosed_value():
    inner = Disclosure.make("salt", "x", 1)
    outer = Disclosure.make("salt", "o", {"_sd": [inner.digest()]})
    payload = {"_sd": [outer.digest(), inner.digest()]}
    assert refused(payload, [outer.text, inner.text]) == "digest-twice"


def test_attack_element_offered_as_a_member_and_the_reverse():
    element = Disclosure.make("salt", None, 1)
    assert refused({"_sd": [element.digest()]}, [element.text]) == "misplaced"
    member = Disclosure.make("salt", "n", 1)
    assert refused({"a": [{"...": member.digest()}]}, [member.text]) == "misplaced"
    assert refused({"a": {"...": member.digest()}}, [member.text]) == "misplaced"


@pytest.mark.parametrize("algorithm", ["md5", "sha-1", "none", None, 256, "SHA-256"])
def test_attack_weak_or_unknown_hash(issued, algorithm):
    payload, _ = issued
    assert refused(payload | {"_sd_alg": algorithm}, []) == "hash-unsupported"


def test_attack_endless_nesting():
    value: Any = 1
    for _ in range(40):
        value = {"a": value}
    assert refused({"deep": value}, []) == "too-deep"


@pytest.mark.parametrize(
    "text", ["W10", "e30", "WzFd", "WyJhIl0", "not base64!", "WyJhIiwiYiIsMSwyXQ"]
)
def test_attack_malformed_disclosures(text):
    assert refused({}, [text]) == "disclosure-malformed"


@pytest.mark.parametrize("claim", sorted(sd_jwt_vc.NEVER_WITHHELD))
def test_attack_withheld_claim_that_a_verifier_must_see(claim):
    """A revoked credential could otherwise be shown without its status, or past its end."""
    with pytest.raises(ValueError, match="never withheld"):
        sd_jwt_vc.issue({claim: "x"}, {"_sd": [claim]}, algorithm="EdDSA", kid="k", sign=bytes)
    payload, disclosures = sd_jwt.conceal(
        {claim: "x", "vct": "v", "iss": "did:x:1"} | {claim: "x"}, {"_sd": [claim]}
    )
    token = jose.sign(
        payload, algorithm="EdDSA", typ="dc+sd-jwt", kid="k", sign=lambda _: bytes(64)
    )
    with pytest.raises(SdJwtInvalid) as caught:
        sd_jwt_vc.read(SdJwt(token, tuple(d.text for d in disclosures)))
    assert caught.value.facts["reason"] == "withheld-claim"


def test_the_metadata_of_a_type_is_named_by_its_bytes():
    metadata = json.dumps({"vct": "https://baeum.example/vct/course"}).encode()
    claims = {"vct#integrity": sd_jwt_vc.integrity(metadata)}
    assert sd_jwt_vc.metadata_fits(claims, metadata)
    assert not sd_jwt_vc.metadata_fits(claims, metadata + b" ")
    assert not sd_jwt_vc.metadata_fits({}, metadata)
