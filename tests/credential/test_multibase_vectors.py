"""The published multibase vectors: ours of the two encodings we read, the others refused."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from vectors import vectors

from credential import multibase

READ = {"base58btc": multibase.base58, "base64url": multibase.base64url}


@pytest.mark.parametrize("name", ["basic", "leading_zero", "two_leading_zeros"])
def test_published_vectors(name: str) -> None:
    path = vectors("multibase") / "tests" / f"{name}.csv"
    header, *rows = csv.reader(path.open(encoding="utf-8"), skipinitialspace=True)
    data = header[1].replace("\\x00", "\0").encode()
    seen = set()
    for encoding, text in rows:
        write: Any = READ.get(encoding)
        if write is None:
            with pytest.raises(multibase.NotMultibase):
                multibase.decode(text)
        else:
            assert multibase.decode(text) == data
            assert text[1:] == write(data)
            seen.add(encoding)
    assert seen == READ.keys()


def test_letters_of_the_wrong_case_are_not_read() -> None:
    path = vectors("multibase") / "tests" / "case_insensitivity.csv"
    _, *rows = csv.reader(path.open(encoding="utf-8"), skipinitialspace=True)
    for _, text in rows:
        with pytest.raises(multibase.NotMultibase):
            multibase.decode(text)
