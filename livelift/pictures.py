"""Pictures of alerts for docs/: the very forms that are sent, drawn by a Chromium.

Emails are the pages that are sent, in a window and, dark, on a phone. How Slack shows a message is imitated by a page
of ours around the markdown that is sent.
"""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from consumers.alerts.forms import Forms, forms_of
from livelift.local.browser import browser
from livelift.pictured import Pictured, pictured

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DESKTOP, PHONE = 680, 390
SLACK = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>As in Slack</title><style>
body {{ margin: 0; padding: 20px 24px; background: #fff; color: #1d1c1d; font: 15px/1.46 Lato, Arial, sans-serif }}
.from {{ font-weight: bold }} .app {{ background: #e8e8e8; border-radius: 3px; padding: 0 4px; font-size: 10px;
  font-weight: bold; color: #616061 }}
.message {{ border-left: 4px solid #3aa3e3; padding-left: 12px; margin-top: 6px }}
h1 {{ font-size: 17px; margin: 0 0 8px }} p {{ margin: 8px 0 }} ul {{ margin: 4px 0; padding-left: 22px }}
a {{ color: #1264a3; text-decoration: none }}
</style></head><body><span class="from">livelift</span> <span class="app">APP</span>
<div class="message"><h1>{title}</h1>{body}</div></body></html>"""


class Picture(NamedTuple):
    """A page, and how wide and in which colours it is drawn."""

    html: str
    width: int = DESKTOP
    colours: Literal["light", "dark"] = "light"


def draw(folder: Path, progress: Callable[[str], None] = print) -> list[Path]:
    """Draw all pictures into a folder. Raises NoBrowser where there is no Chromium."""
    given = pictured()
    with browser(progress) as chromium:
        return [
            _drawn(chromium, picture, folder / f"alerts-{name}.png") for name, picture in pictures_of(given).items()
        ]


def _drawn(chromium: "Browser", picture: Picture, path: Path) -> Path:
    page = chromium.new_page(viewport={"width": picture.width, "height": 100}, color_scheme=picture.colours)
    page.set_content(picture.html)
    page.screenshot(path=path, full_page=True)
    page.close()
    return path


def pictures_of(given: Pictured) -> dict[str, Picture]:
    """What is drawn, by name."""
    single = forms_of("single", given.alerts[:1], given.rules)
    digest = forms_of("digest-dana", given.alerts, given.rules, given.waiting)
    return {
        "slack": Picture(slack(single)),
        "email": Picture(single.html),
        "email-phone": Picture(single.html, PHONE, "dark"),
        "digest": Picture(digest.html),
    }


def slack(forms: Forms) -> str:
    """A message about as Slack shows it."""
    from markdown_it import MarkdownIt

    return SLACK.format(title=escape(forms.subject), body=MarkdownIt("commonmark").render(forms.markdown))
