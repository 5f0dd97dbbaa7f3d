"""Where things that were downloaded are kept between projects."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp


def cache_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "livelift"


def kept(folder: Path, fill: Callable[[Path], None]) -> Path:
    """A folder that is there whole or not at all, whatever is killed and whoever else makes it at the same time.

    fill: puts everything into a folder that it is given; called where the folder is not there yet.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        fill(draft)
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was sooner
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder
