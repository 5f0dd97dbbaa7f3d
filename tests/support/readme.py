"""The blocks of code in the README, and running them as a user would."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
FENCE = re.compile(r"^```(\S+)(?: ([^\n]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
DEADLINE_S = 300


def blocks(language: str, mark: str = "", file: Path = README) -> list[str]:
    """The blocks of a language with exactly this mark after it, in order."""
    return [text for name, marked, text in FENCE.findall(file.read_text()) if (name, marked) == (language, mark)]


def run_shell(block: str, folder: Path, variables: dict[str, str] | None = None) -> str:
    """Run a block in a folder as a shell does, stopping at the first command that fails; what it has printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["sh", "-e"], input=block, cwd=folder, env={**os.environ, "PATH": path, **(variables or {})}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, f"{block}\n{ended.stdout}"
    return ended.stdout
