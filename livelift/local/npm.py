"""A package of the npm registry without npm: its tarball, known by its hash, kept unpacked."""

import io
import os
import tarfile
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha512
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from livelift.local.cache import cache_dir, kept

REGISTRY = "https://registry.npmjs.org/"
TIMEOUT_S = 60


class Package(NamedTuple):
    """integrity: as the registry and lock files have it, `sha512-` and the hash in base64."""

    name: str
    version: str
    integrity: str


class WrongPackage(RuntimeError):
    """What the registry sent is not what was asked for."""


def unpacked(package: Package, progress: Callable[[str], None] = lambda _: None) -> Path:
    """The folder that holds the package's files; downloaded by the first call. OSError without the registry."""

    def fill(folder: Path) -> None:
        progress(f"downloading {package.name} {package.version} (first time only)")
        with tarfile.open(fileobj=io.BytesIO(_download(package))) as tarball:
            tarball.extractall(folder, filter="data")

    return kept(cache_dir() / "npm" / f"{package.name.replace('/', '-')}-{package.version}", fill) / "package"


def registry() -> str:
    """As npm is told of it: by its variable, else in the user's .npmrc, else the public one."""
    variables = (value for name, value in os.environ.items() if name.lower() == "npm_config_registry")  # as npm does
    return (next(variables, "") or _in_npmrc() or REGISTRY).rstrip("/") + "/"


def _in_npmrc() -> str | None:
    path = Path(os.environ.get("NPM_CONFIG_USERCONFIG", Path.home() / ".npmrc"))
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    settings = dict([part.strip() for part in line.split("=", 1)] for line in lines if "=" in line)
    return settings.get("registry")


def _download(package: Package) -> bytes:
    url = f"{registry()}{package.name}/-/{package.name.rpartition('/')[2]}-{package.version}.tgz"
    with urlopen(url, timeout=TIMEOUT_S) as answer:
        tarball: bytes = answer.read()
    found = "sha512-" + b64encode(sha512(tarball).digest()).decode()
    if found != package.integrity:
        raise WrongPackage(f"{url} is not what it was: {found} instead of {package.integrity}")
    return tarball
