"""One table says what every exit code means."""

from __future__ import annotations

import pytest

from genoferry import errors
from genoferry.cli.exit_codes import BY_STATE, MEANING, ExitCode, of_error
from genoferry.ledger.row import TERMINAL


def test_every_code_is_documented() -> None:
    assert set(MEANING) == set(ExitCode)


def test_every_terminal_state_has_its_own_code_and_only_success_is_0() -> None:
    assert set(BY_STATE) == TERMINAL
    assert len(set(BY_STATE.values())) == len(TERMINAL)
    assert [state for state, code in BY_STATE.items() if code == 0] == ["SUCCEEDED"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidBody("x"), ExitCode.BAD_MESSAGE),
        (errors.NoSuchJob(), ExitCode.NOT_FOUND),
        (errors.NotFound(), ExitCode.NOT_FOUND),
        (errors.AccessDenied(), ExitCode.SERVICE),
        (errors.ServiceUnavailable(), ExitCode.SERVICE),
        (errors.SettingsError("x"), ExitCode.SETTINGS),
        (errors.LocalNotUp(), ExitCode.SETTINGS),
        (errors.FollowTimeout(), ExitCode.TIMED_OUT),
        (errors.WouldOverwrite(), ExitCode.WOULD_OVERWRITE),
        (errors.DestinationConflict(), ExitCode.WOULD_OVERWRITE),
        (errors.PathUnusable(), ExitCode.USAGE),
        (errors.WrongKey(), ExitCode.ERROR),
    ],
)
def test_an_errors_code(error: errors.GenoferryError, code: ExitCode) -> None:
    assert of_error(error) == code
