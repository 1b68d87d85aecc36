#!/usr/bin/env python
"""Prints `PROCESS:` and, under it, the version of each tool named, as YAML: tool_versions.py PROCESS TOOL..."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import version


def version_of(tool: str) -> str:
    if tool == "python":
        return platform.python_version()
    if tool == "plink2":
        said = subprocess.run(["plink2", "--version"], check=True, capture_output=True, text=True).stdout
        return said.split()[1].removeprefix("v")
    return version(tool)


if __name__ == "__main__":
    process, *tools = sys.argv[1:]
    lines = [f"{process}:", *(f"    {tool}: {version_of(tool)}" for tool in tools), ""]
    sys.stdout.write("\n".join(lines))
