"""A self-contained HTML page: no network, no script, embedded pictures.

Its texts may come from untrusted files. All are escaped, and the page's content security policy lets a
browser load nothing but the embedded pictures.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence

from torch import Tensor

from ..plots.canvas import to_image

JPEG_QUALITY = 88
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title: str, header: str, sections: Sequence[str]) -> str:
    """A page with a header and sections of HTML; empty sections are left out."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title>",
            f"<style>{CSS}</style>",
            "</head>",
            "<body>",
            f"<header>{header}</header>",
            "<main>",
            *(found for found in sections if found),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def section(title: str, *parts: str) -> str:
    """A section with a heading; the parts are HTML."""
    return "\n".join(["<section>", f"<h2>{text(title)}</h2>", *parts, "</section>"])


def table(head: Sequence[object] | None, rows: Iterable[Sequence[object]]) -> str:
    """A table of plain texts or numbers; the first cell of each row is its heading."""
    lines = ['<div class="wide"><table>']
    if head:
        cells = "".join(f'<th scope="col">{text(cell)}</th>' for cell in head)
        lines.append(f"<thead><tr>{cells}</tr></thead>")
    lines.append("<tbody>")
    for first, *others in rows:
        cells = "".join(f"<td>{text(cell)}</td>" for cell in others)
        lines.append(f'<tr><th scope="row">{text(first)}</th>{cells}</tr>')
    return "\n".join([*lines, "</tbody></table></div>"])


def paragraph(words: str, kind: str = "plain") -> str:
    """Plain text as a paragraph."""
    return f'<p class="{kind}">{text(words)}</p>'


def grid(tags: Sequence[str], kind: str) -> str:
    """HTML side by side."""
    return "\n".join([f'<div class="{kind}">', *tags, "</div>"])


def figure(content: str, caption: str) -> str:
    """HTML with a caption below."""
    return f"<figure>{content}<figcaption>{text(caption)}</figcaption></figure>"


def picture_tag(image: Tensor, words: str, kind: str = "JPEG") -> str:
    """A picture (1, 3, H, W) in [0, 1], embedded in the page as PNG or JPEG."""
    picture, buffer = to_image(image), io.BytesIO()
    picture.save(buffer, kind, quality=JPEG_QUALITY)
    data = base64.b64encode(buffer.getvalue()).decode()
    size = f'width="{picture.width}" height="{picture.height}"'
    return f'<img src="data:image/{kind.lower()};base64,{data}" {size} alt="{text(words)}">'


def text(value: object) -> str:
    """Escape anything as text, safe in attributes, too."""
    return html.escape(str(value), quote=True)


CSS = """
:root { color-scheme: light dark; --ink: #1d1d1f; --quiet: #63636a; --ground: #fbfaf8; --card: #ffffff;
  --line: #dedbd5; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececee; --quiet: #a2a2aa; --ground: #17171a;
  --card: #212125; --line: #3a3a40; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.25rem 4rem; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
header { display: flex; gap: 1.25rem; align-items: center; margin-bottom: 1.5rem; }
header img { border-radius: 8px; flex: none; }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; }
h2 { margin: 0 0 0.75rem; font-size: 1.15rem; }
p { margin: 0.35rem 0; }
.quiet, figcaption { color: var(--quiet); font-size: 0.875rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem;
  margin-bottom: 1.25rem; }
img { display: block; max-width: 100%; height: auto; border-radius: 4px; }
section > img { margin: 0 auto 0.75rem; }
figure { margin: 0; }
figcaption { margin-top: 0.3rem; text-align: center; }
.thumbs { display: flex; flex-wrap: wrap; gap: 0.6rem; margin-bottom: 1rem; }
.thumbs img { height: 120px; width: auto; }
.pairs { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1.25rem;
  align-items: start; }
.pairs div { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
.pairs img { width: 100%; }
.strip { display: grid; grid-template-columns: repeat(6, 1fr); gap: 6px; }
.strip img { width: 100%; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 1rem 0.3rem 0;
  border-top: 1px solid var(--line); }
td:last-child { overflow-wrap: anywhere; min-width: 9rem; }
tbody tr:first-child th, tbody tr:first-child td { border-top: 0; }
thead th { color: var(--quiet); font-weight: 500; }
tbody th { font-weight: 500; white-space: nowrap; width: 1%; }
@media (max-width: 40rem) { .pairs { grid-template-columns: 1fr; } .quiet { overflow-wrap: anywhere; }
  .strip { grid-template-columns: repeat(3, 1fr); } }
@media print { :root { color-scheme: light; --ink: #000000; --quiet: #444444; --ground: #ffffff;
  --card: #ffffff; --line: #cccccc; } body { max-width: none; padding: 0; font-size: 11pt; }
  section { border: 0; padding: 0; } figure, tr, img { break-inside: avoid; } h2 { break-after: avoid; } }
"""
