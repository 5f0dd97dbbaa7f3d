"""Arimo, which has Liberation Sans's and Arial's widths, from npm: what a page looks like here is then no matter of the
fonts that happen to be installed."""

from base64 import b64encode

from livelift.local.npm import Package, unpacked

ARIMO = Package(
    "@fontsource/arimo", "5.3.0",
    "sha512-nhxZ2sTVZYX8DJBgLuyX360B5vE4mxqpmjlKTRfucIqfcWRVx9vOYzWBc1IgEX0ist48VMC10PRKbFyH+4QFvQ==",
)  # fmt: skip
FACE = "@font-face{{font-family:'{family}';font-weight:{weight};font-style:{style};src:url(data:font/woff2;base64,{font})}}"


def style(family: str = "Liberation Sans") -> str:
    """CSS that makes it the given family."""
    files = unpacked(ARIMO) / "files"
    return "".join(
        FACE.format(
            family=family,
            weight=weight,
            style=style,
            font=b64encode((files / f"arimo-latin-{weight}-{style}.woff2").read_bytes()).decode(),
        )
        for weight in (400, 700)
        for style in ("normal", "italic")
    )
