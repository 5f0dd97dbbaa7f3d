"""Writing the report: for people as one HTML file and as Markdown with its figures, for programs as JSON."""

import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import msgspec
from markdown_it import MarkdownIt

from livelift.report.draw import TEXT_WIDTH_MM, svg
from livelift.report.figures import specs
from livelift.report.page import page

PICTURE = re.compile(r'<p><img src="([\w-]+)\.svg" alt="([^"]*)"></p>\s*<p><em>(.*?)</em></p>')
STYLE = """\
@page{size:A4;margin:20mm}
:root{color-scheme:light dark}
body{font:11pt/1.45 "Liberation Sans",Arial,Helvetica,sans-serif;color:#000;background:#fff;max-width:170mm;
margin:10mm auto;padding:0 4mm}
h1{font-size:20pt}h2{font-size:15pt;margin-top:1.6em}h3{font-size:12pt}
table{border-collapse:collapse;margin:.8em 0;font-size:9.5pt}
td,th{padding:.2em .7em .2em 0;border-bottom:.5pt solid #999;text-align:left;vertical-align:top}
td:last-child{white-space:nowrap}
figure{margin:1em 0;display:inline-block;vertical-align:top;max-width:100%}figcaption{font-size:9.5pt;max-width:170mm}
figure.half{width:80mm;margin-right:4mm}
svg{max-width:100%;height:auto;overflow:visible}
@media screen and (max-width:600px){td,th{overflow-wrap:anywhere}}
@media screen and (prefers-color-scheme:dark){body{color:#ededed;background:#121212}svg{filter:invert(.93)}}
@media print{:root{color-scheme:light}body{margin:0;padding:0;max-width:none}h2:nth-of-type(2){break-before:page}
h1,h2,h3{break-after:avoid}figure,tr,li{break-inside:avoid}}
"""


def drawings(report: Mapping[str, Any], progress: Callable[[int], None] | None = None) -> dict[str, str]:
    """Every figure by its name. progress: is told how many are drawn."""
    found: dict[str, str] = {}
    for name, spec in specs(report).items():
        found[name] = svg(spec, name)
        if progress is not None:
            progress(len(found))
    return found


def html(markdown: str, title: str, drawn: Mapping[str, str]) -> str:
    """The page as one file that can be sent around and printed: its figures are inside."""
    body = PICTURE.sub(lambda found: _figure(found, drawn), MarkdownIt("js-default").render(markdown))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _figure(found: re.Match[str], drawn: Mapping[str, str]) -> str:
    name, alt, caption = found.groups()
    inside = drawn[name].replace("<svg ", f'<svg role="img" aria-label="{alt}" ', 1)
    half = ' class="half"' if f'width="{TEXT_WIDTH_MM:.1f}mm"' not in inside else ""
    return f"<figure{half}>{inside}<figcaption>{caption}</figcaption></figure>"


def write_report(folder: Path, report: Mapping[str, Any], drawn: Mapping[str, str]) -> list[str]:
    """Write all of it; the names of the files."""
    markdown = page(report, list(drawn))
    texts = {
        "report.html": html(markdown, f"Case study: {report['recording']}", drawn),
        "report.md": markdown,
        "report.json": msgspec.json.encode(report).decode() + "\n",
        **{f"{name}.svg": text for name, text in drawn.items()},
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return list(texts)
