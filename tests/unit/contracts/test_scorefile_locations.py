"""Where a scorefile's URI points: a URL's path is unquoted once, and quoted once where it is fetched."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from genoferry.contracts.pipeline import ScorefileUri
from genoferry.contracts.sources import Location
from genoferry.handlers.calculate_scores import scorefile_location

URI: TypeAdapter[str] = TypeAdapter(ScorefileUri)


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("https://h/a%20b.txt.gz", ("https", "https://h", "a b.txt.gz")),
        ("https://h:8443/d%C3%BC/x/a%2520b.txt", ("https", "https://h:8443", "dü/x/a%20b.txt")),
        ("https://h/plain.txt", ("https", "https://h", "plain.txt")),
        ("s3://b/k/a%20b.txt", ("s3", "b", "k/a%20b.txt")),
        ("file:///d/a%20b.txt", ("file", "/d", "a%20b.txt")),
    ],
)
def test_where(uri: str, location: tuple[str, str, str]) -> None:
    kind, base, path = location
    assert scorefile_location(URI.validate_python(uri)) == Location.model_validate(
        {"type": kind, "base": base, "path": path}
    )


@pytest.mark.parametrize("path", ["%2e%2e/x", "a/%2E%2e/x", "a%2Fb", "a%5Cb", "a%00", "%0a", "%ff", "a/%2e/b", "%2e"])
def test_what_an_encoding_hides_is_refused(path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        URI.validate_python(f"https://h/{path}")
    assert path not in str(caught.value.errors(include_input=False)[0]["msg"])
