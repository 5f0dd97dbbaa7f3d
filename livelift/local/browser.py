"""A Chromium that finds itself, for whatever has to be looked at: the tests, the bench, and screenshots of docs/.

It is driven by Playwright, whose own download is never made. What is looked at are our own pages only.
"""

import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from livelift.local.cache import cache_dir, kept
from livelift.local.npm import Package, WrongPackage, unpacked

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chrome-headless-shell")
DEBIAN = ("chromium", "fonts-liberation")
APT = ("apt-get", "-qq", "-o", "Acquire::http::Timeout=30", "-o", "Acquire::https::Timeout=30",
       "-o", "DPkg::Lock::Timeout=120")  # fmt: skip
APT_S = 240
SPARTICUZ = Package(
    "@sparticuz/chromium", "153.0.0",
    "sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==",
)  # fmt: skip
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{fonts}</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""
ARGUMENTS = ("--no-sandbox", "--disable-quic")  # a container's root has no sandbox; no host but ours is asked

Progress = Callable[[str], None]


class NoBrowser(RuntimeError):
    """There is no Chromium, and none could be had; the message says of each way why not."""


class Chromium(NamedTuple):
    """environment: variables that it needs beside ours."""

    executable: Path
    environment: Mapping[str, str] = {}


@contextmanager
def browser(progress: Progress = lambda _: None) -> Generator["Browser"]:
    """A Chromium that runs without a window until the block is left. NoBrowser where there is none.

    Playwright's loop counts as running in this thread meanwhile: nothing in the block can use asyncio.run.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NoBrowser("playwright is not installed: `make setup` does it, or `pip install playwright`") from error
    found = find(progress)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=found.executable, args=ARGUMENTS, env={**os.environ, **found.environment}
        )
        try:
            yield launched
        finally:
            launched.close()


@cache
def find(progress: Progress = lambda _: None) -> Chromium:
    """LIVELIFT_BROWSER; else one on PATH, else Debian's package where we may install it, else the one in npm's."""
    named = os.environ.get("LIVELIFT_BROWSER")
    if named:
        return Chromium(Path(named))
    reasons = []
    for way in (on_path, from_debian, from_npm):
        try:
            return way(progress)
        except NoBrowser as reason:
            reasons.append(str(reason))
    raise NoBrowser(f"no Chromium: {'; '.join(reasons)}. LIVELIFT_BROWSER=/path/to/chromium names one")


def on_path(progress: Progress) -> Chromium:
    """One that is installed and answers: some distributions have a script of its name that says how to install it."""
    found = [path for name in NAMES if (path := shutil.which(name))]
    for path in found:
        if _answers(path):
            return Chromium(Path(path))
    raise NoBrowser(f"{', '.join(found)} do not run" if found else "none on PATH")


def _answers(path: str) -> bool:
    try:
        return not subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def from_debian(progress: Progress) -> Chromium:
    """Debian's package, installed now."""
    if not _is_debian() or os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoBrowser("no Debian where we may install its package (root may)")
    progress("installing Debian's chromium (first time only)")
    ended = _apt("install")
    if ended.returncode:  # what is known of the packages may be older than what the mirror still has
        _apt("update")
        ended = _apt("install")
    if ended.returncode:
        raise NoBrowser(f"apt-get could not install chromium ({_last_line(ended.stderr or ended.stdout)})")
    return on_path(progress)


def _apt(what: str) -> "subprocess.CompletedProcess[str]":
    packages = ("--yes", "--no-install-recommends", *DEBIAN) if what == "install" else ()
    command = [*APT, what, *packages]
    try:
        return subprocess.run(
            command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=APT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"not within {APT_S} s")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def _is_debian() -> bool:
    """Debian itself: what Ubuntu calls chromium is a snap."""
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False


def from_npm(progress: Progress) -> Chromium:
    """The binary in npm's @sparticuz/chromium with the libraries and the font that it brings."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise NoBrowser(f"the one from npm is for Linux on x86_64, this is {sys.platform} on {platform.machine()}")
    folder = cache_dir() / f"chromium-{SPARTICUZ.version}"
    try:
        kept(folder, lambda draft: _unpack(unpacked(SPARTICUZ, progress) / "bin", draft, folder))
    except (OSError, WrongPackage) as error:
        raise NoBrowser(f"{SPARTICUZ.name} could not be had from npm ({error})") from error
    libraries = [str(folder / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    return Chromium(
        folder / "chromium",
        {"LD_LIBRARY_PATH": os.pathsep.join(libraries), "FONTCONFIG_FILE": str(folder / "fonts.conf")},
    )


def _unpack(packed: Path, draft: Path, folder: Path) -> None:
    """Everything by Brotli, the libraries and fonts in archives. folder: where the draft will be."""
    from cramjam import brotli

    for name in ("al2023", "swiftshader", "fonts"):
        archive = BytesIO(bytes(brotli.decompress((packed / f"{name}.tar.br").read_bytes())))
        with tarfile.open(fileobj=archive) as opened:
            opened.extractall(draft, filter="data")
    (draft / "fonts.conf").write_text(FONTS.format(fonts=folder / "fonts"))
    (draft / "chromium").write_bytes(brotli.decompress((packed / "chromium.br").read_bytes()))
    (draft / "chromium").chmod(0o755)
