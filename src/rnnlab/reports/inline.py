"""SVG pictures made to live in a page: no duplicate ids, colours that follow the page, nothing that repeats.

Works on the text of what vl-convert writes; knows nothing of figures.
"""

import re
import textwrap
from html import escape

from rnnlab.reports.palette import THEMES

_ID = re.compile(r'\bid="([^"]+)"')
_SIZE = re.compile(r'<svg[^>]*?width="([\d.]+)" height="([\d.]+)"')
_EMPTY = re.compile(r'<path [^>]*d="M0,0h[0-9.]+v0h-?[0-9.]+Z"[^>]*/>|<path [^>]*d=""[^>]*display="none"/>')
_NOISE = re.compile(r' (?:pointer-events="none"|aria-[a-z]+="[^"]*"|role="[^"]*"|class="[^"]*"|font-family="[^"]*")')
_HEAD = re.compile(r"<svg[^>]*>")
_BACKGROUND = re.compile(r'(<svg[^>]*>)<rect width="[\d.]+" height="[\d.]+" fill="[^"]*"/>')
_LONG = re.compile(r"(?<=[,LMhv\s(-])(\d+\.\d{2})\d+")


def size(picture: str) -> tuple[float, float]:
    """Return width and height of an SVG document in px."""
    found = _SIZE.search(picture)
    if found is None:
        raise ValueError("picture must be an SVG document with a width and a height")
    return float(found[1]), float(found[2])


def inline(picture: str, prefix: str) -> str:
    """Return a light picture as an ``svg`` element for a page whose CSS has the variables of `Theme.variables`.

    Args:
        picture: an SVG document drawn with the light theme.
        prefix: makes its ids unique in the page.
    """
    width, height = size(picture)
    text = _BACKGROUND.sub(r"\1", picture)
    text = _NOISE.sub("", _EMPTY.sub("", text))
    head = f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" aria-hidden="true" focusable="false">'
    text = _LONG.sub(r"\1", _HEAD.sub(head, text, count=1))
    for name, colour in THEMES["light"].variables().items():
        text = re.sub(f'"{colour}"', f'"var(--{name})"', text, flags=re.IGNORECASE)
    return renamed(text, prefix)


def renamed(picture: str, prefix: str) -> str:
    """Return the picture with its ids numbered under ``prefix``, as they are numbered anew in every process."""
    names = list(dict.fromkeys(_ID.findall(picture)))
    new = {name: f"{prefix}-{index}" for index, name in enumerate(names)}
    picture = _ID.sub(lambda found: f'id="{new[found[1]]}"', picture)
    return re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{new.get(found[1], found[1])})", picture)


def titled(picture: str, title: str, colour: str, font: str) -> str:
    """Return the picture under its title, wrapped to its width."""
    width, height = size(picture)
    rows = textwrap.wrap(title, max(20, int(width / 8.2))) or [""]
    top = 12 + 20 * len(rows)
    spans = "".join(f'<tspan x="10" y="{10 + 18 * (row + 1)}">{escape(text)}</tspan>' for row, text in enumerate(rows))
    text = f'<text font-family="{escape(font)}" font-size="15" font-weight="bold" fill="{colour}">{spans}</text>'
    body = _HEAD.sub("", renamed(picture, "clip"), count=1).replace("<rect width", '<rect data-surface="" width', 1)
    body = re.sub(r'<rect data-surface="" [^>]*fill="([^"]*)"/>', "", body, count=1)
    surface = _BACKGROUND.search(picture)
    fill = surface[0].rsplit('fill="', 1)[1].split('"')[0] if surface else "none"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{width:g}" height="{height + top:g}" '
        f'viewBox="0 0 {width:g} {height + top:g}"><rect width="100%" height="100%" fill="{fill}"/>{text}'
        f'<g transform="translate(0,{top})">{body.rsplit("</svg>", 1)[0]}</g></svg>'
    )
