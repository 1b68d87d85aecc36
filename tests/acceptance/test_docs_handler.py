"""The worked example of docs/howto/add-a-handler.md, run as it stands: one new file, one real worker, one result."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from genoferry.testing.crypt4gh_writer import encrypt, new_key
from genoferry.testing.harness import Harness

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-a-handler.md"
PLAIN = b"not a genome\n" * 10_000


def test_the_worked_example_runs(harness: Harness, tmp_path: Path) -> None:
    code = re.search(r"```python\n(# checksum_files\.py\n.*?)```", PAGE.read_text(), re.S)
    assert code is not None
    (tmp_path / "checksum_files.py").write_text(code[1])
    secret, public = new_key()
    (tmp_path / "a.txt.c4gh").write_bytes(stored := encrypt(PLAIN, [public]))
    (tmp_path / "key").write_bytes(secret)
    harness.worker(PYTHONPATH=str(tmp_path), GENOFERRY_HANDLER_MODULES="checksum_files")
    files = [{"path": "a.txt.c4gh", "size": len(stored)}]
    uuid = harness.send(
        {
            "name": "ChecksumFiles",
            "run_id": "example",
            "source": {"type": "file", "root": str(tmp_path), "files": files},
            "key": {"type": "file", "path": str(tmp_path / "key")},
        }
    )
    (result,) = harness.inbox.await_event(uuid, "Result")["results"]
    assert result["type"] == "inline"
    assert base64.b64decode(result["body"]).decode() == f"{hashlib.sha256(PLAIN).hexdigest()}  a.txt\n"
