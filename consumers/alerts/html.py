"""What alerts say as HTML for email: one page with its style in it, light or dark as the reader's, on a phone as well.

Styles stand at the elements, since many readers drop the rest; what is dark comes by a media query where it is kept.
Every text is escaped, and links lead to the account's page only.
"""

from collections.abc import Iterable, Iterator
from html import escape

from consumers.alerts.text import DRIVERS, HAPPENED, SIGNS, short
from models.alerts.letter import Digest, Fact, Letter, Pull

FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
STYLES = {
    "page": f"margin:0;padding:16px;background:#f3f4f6;color:#1f2328;{FONT};font-size:15px;line-height:1.45",
    "card": "max-width:600px;margin:0 auto;padding:20px 24px;background:#ffffff;border-radius:8px",
    "h1": "margin:0 0 14px;font-size:20px;line-height:1.3;overflow-wrap:anywhere",
    "h2": "margin:22px 0 6px;font-size:15px;line-height:1.3;overflow-wrap:anywhere",
    "table": "width:100%;border-collapse:collapse",
    "caption": "margin:0;padding:22px 0 6px;font-size:15px;font-weight:bold;text-align:left",
    "name": "padding:4px 12px 4px 0;font-weight:normal;color:#57606a;text-align:left;vertical-align:top;width:38%",
    "value": "padding:4px 0;vertical-align:top;overflow-wrap:anywhere",
    "head": "padding:4px 8px 4px 0;font-size:13px;font-weight:normal;color:#57606a;text-align:left;"
    "vertical-align:bottom;border-bottom:1px solid #d0d7de",
    "driver": "padding:6px 8px 6px 0;font-weight:normal;font-size:14px;text-align:left;vertical-align:top;"
    "border-bottom:1px solid #d0d7de",
    "figure": "padding:6px 8px 6px 0;font-size:14px;vertical-align:top;border-bottom:1px solid #d0d7de",
    "step": "margin:22px 0 0;padding:12px 14px;background:#eef4ff;border-left:4px solid #0a58ca;overflow-wrap:anywhere",
    "button": "display:inline-block;margin:18px 0 0;padding:10px 16px;background:#0a58ca;color:#ffffff;"
    "border-radius:6px;text-decoration:none;font-weight:bold",
    "text": "margin:0;overflow-wrap:anywhere",
    "list": "margin:0;padding:0 0 0 20px",
    "link": "color:#0a58ca;text-decoration:underline",
    "aside": "margin:22px 0 0;font-size:13px;color:#57606a;overflow-wrap:anywhere",
}
DARK = {
    "page": "background:#0d1117;color:#e6edf3",
    "card": "background:#161b22",
    "name": "color:#9da7b1",
    "head": "color:#9da7b1;border-color:#30363d",
    "driver": "border-color:#30363d",
    "figure": "border-color:#30363d",
    "step": "background:#14233f;border-color:#6ea8fe",
    "button": "background:#6ea8fe;color:#0d1117",
    "link": "color:#6ea8fe",
    "aside": "color:#9da7b1",
}


def letter_page(said: Letter) -> str:
    """One alert as an email."""
    parts = [_element("h1", "h1", escape(said.heading)), _facts(said.facts)]
    parts += [_element("p", "aside", escape(said.note))] if said.note else []
    parts += [_drivers(said.drivers)] if said.drivers else []
    for title, lines in ((HAPPENED, said.happened), (SIGNS, said.signs)):
        parts += [_element("h2", "h2", title), _list(map(escape, lines))] if lines else []
    parts += [_step(said.next_step)] if said.next_step else []
    parts += [_anchor("button", "Open the account", said.link)] if said.link else []
    parts.append(_element("p", "aside", "<br>".join(_aside(said))))
    return _page(said.subject, parts)


def _aside(said: Letter) -> Iterator[str]:
    """The small print. The page's address is in it, since plain text made of this keeps no other."""
    yield escape(said.why)
    yield f"As of {escape(said.at)}"
    if said.link:
        yield _anchor("link", escape(said.link), said.link)


def digest_page(said: Digest) -> str:
    """A digest as an email."""
    parts = [_element("h1", "h1", escape(said.subject))]
    for one in said.letters:
        heading = escape(one.heading)
        parts.append(_element("h2", "h2", _anchor("link", heading, one.link) if one.link else heading))
        parts.append(_list(map(escape, short(one))))
    parts += [_element("p", "aside", escape(said.rest))] if said.rest else []
    return _page(said.subject, parts)


def _page(title: str, parts: Iterable[str]) -> str:
    dark = "".join(f".{name}{{{_important(style)}}}" for name, style in DARK.items())
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(title)}</title>\n"
        f"<style>@media (prefers-color-scheme:dark){{{dark}}}</style></head>\n"
        f"<body {_styled('page')}>\n"
        f"{_element('main', 'card', chr(10).join(part for part in parts if part))}\n</body></html>\n"
    )


def _important(style: str) -> str:
    """What has to win against the style that stands at the element."""
    return ";".join(f"{one} !important" for one in style.split(";"))


def _styled(name: str) -> str:
    return f'class="{name}" style="{STYLES[name]}"'


def _element(tag: str, name: str, inner: str, more: str = "") -> str:
    return f"<{tag} {_styled(name)}{more}>{inner}</{tag}>"


def _anchor(name: str, inner: str, url: str) -> str:
    return f'<a {_styled(name)} href="{escape(url)}">{inner}</a>'


def _list(lines: Iterable[str]) -> str:
    return _element("ul", "list", "".join(_element("li", "text", line) for line in lines))


def _facts(facts: Iterable[Fact]) -> str:
    rows = "".join(
        f"<tr>{_element('th', 'name', escape(one.name), ROW)}{_element('td', 'value', escape(one.value))}</tr>\n"
        for one in facts
    )
    return _element("table", "table", f"\n{rows}") if rows else ""


ROW, COLUMN = ' scope="row"', ' scope="col"'


def _drivers(drivers: Iterable[Pull]) -> str:
    heads = "".join(_element("th", "head", one, COLUMN) for one in ("Input", "Now", "Typical", "In a week", "Points"))
    rows = "".join(f"<tr>{_driver(one)}</tr>\n" for one in drivers)
    caption = _element("caption", "caption", DRIVERS)
    return _element("table", "table", f"{caption}\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>")


def _driver(one: Pull) -> str:
    figures = (one.value, one.typical or "not known", one.change or "not known", one.points)
    return _element("th", "driver", escape(one.label), ROW) + "".join(
        _element("td", "figure", escape(figure)) for figure in figures
    )


def _step(text: str) -> str:
    return _element("p", "step", f"<strong>Next step:</strong> {escape(text)}")
