"""botocore's errors as ours: no vendor exception leaves the package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import botocore.exceptions as vendor

from genoferry.errors import GenoferryError

Table = Mapping[str | int, type[GenoferryError]]
"""From S3's error code, or else HTTP status, to ours; `"transient"` and `"other"` for the rest."""

TRANSIENT = (
    vendor.HTTPClientError,  # connecting, sending, timeouts
    vendor.IncompleteReadError,
    vendor.ResponseStreamingError,
    vendor.ChecksumError,
    vendor.FlexibleChecksumError,
    vendor.ConnectionError,
)

THROTTLED = {"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "RequestTimeTooSkewed", "BadDigest"}
"""4xx codes that another try can mend."""


@contextmanager
def translated(table: Table) -> Iterator[None]:
    """Raises the table's error in place of botocore's."""
    try:
        yield
    except vendor.ClientError as error:
        raise _of_answer(error, table)() from error
    except TRANSIENT as error:
        raise table["transient"]() from error
    except (vendor.NoCredentialsError, vendor.PartialCredentialsError, vendor.TokenRetrievalError) as error:
        raise table[403]() from error
    except vendor.BotoCoreError as error:
        raise table["other"]() from error


def _of_answer(error: vendor.ClientError, table: Table) -> type[GenoferryError]:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    transient = code in THROTTLED or status >= 500 or status == 429
    return table.get(code) or (table["transient"] if transient else table.get(status, table["other"]))
