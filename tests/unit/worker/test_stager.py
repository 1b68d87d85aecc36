"""The staging room as the settings furnish it: what is refused, and when."""

from __future__ import annotations

import pytest

from genoferry.contracts.sources import Location
from genoferry.errors import SettingsError, SourceNotAllowed
from genoferry.handlers.calculate_scores import scorefile_location
from genoferry.handlers.protocol import PlannedInput
from genoferry.settings import AllowSettings, Settings
from genoferry.worker.driver.stager import RealStager


def stager(**allow: tuple[str, ...]) -> RealStager:
    return RealStager(Settings(allow=AllowSettings.model_validate(allow)))


def https(path: str, base: str = "https://h") -> PlannedInput:
    return PlannedInput("target", "name", Location(type="https", base=base, path=path))


@pytest.mark.parametrize("path", ["a b.pgen.c4gh", "dü/ö.c4gh", "a?b", "a#b", "a%20b"])
def test_any_file_name_of_an_allowed_host_is_allowed(path: str) -> None:
    stager(hosts=("h",)).check(https(path))


def test_a_scorefile_with_a_space_is_allowed() -> None:
    item = PlannedInput("scorefile", "name", scorefile_location("https://h/a%20b.txt.gz"))
    assert item.location.path == "a b.txt.gz"
    stager(hosts=("h",)).check(item)


@pytest.mark.parametrize(
    ("path", "base"), [("../a", "https://h"), ("a", "https://other"), ("a", "https://u@h"), ("a", "http://h")]
)
def test_others_are_not(path: str, base: str) -> None:
    with pytest.raises(SourceNotAllowed):
        stager(hosts=("h",)).check(https(path, base))


@pytest.mark.parametrize("setting", ["file_roots", "key_roots"])
def test_a_bad_allow_list_is_refused_before_the_first_message(setting: str) -> None:
    with pytest.raises(SettingsError, match="not absolute"):
        stager(**{setting: ("relative/folder",)})
