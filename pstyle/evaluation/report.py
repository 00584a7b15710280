"""All about a style on one HTML page that needs nothing else: no network, no script, pictures inside.

A style file may come from a stranger. Every text of it is escaped, and the page's own policy lets a browser
load nothing but the pictures that are written into it.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from ..core.config import parse_json
from ..image.pictures import resize_short_side
from ..nets.vgg import VGG, load_loss_vgg
from ..painting.painter import Painter
from ..plots.curves import Record, discriminator_plot, loss_plot
from ..samples import content_pictures
from ..style.style import Style
from ..taste.style_map import map_of
from ..training.learning import MAX_PICTURES
from .metrics import score
from .scoring import Scored, mean_of, score_all

MAX_SHOWN, MAX_PHOTOS = MAX_PICTURES, 12
SIZE_PX, STRIP_PX, THUMB_PX = 512, 256, 160  # short sides at most: paintings, the strip, style pictures
SCENES = 3  # drawn in place of photographs
STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
JPEG_QUALITY = 88
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PLAIN = (str, int, float)
FINETUNED = "fine-tuned"  # how the note of a style begins that fine-tuning won

# Score -> what it compares, and words for values up to each limit, best first; the last for all beyond.
LEFT = ((0.15, "very close"), (0.35, "close"), (0.7, "part of the way"), (1.0, "hardly closer than before"))
LESS_LEFT = (*LEFT, (float("inf"), "no closer than the photograph"))
TOWARD_STYLE = ("style", "patch_swd", "color")
MEANINGS = {
    "style": "distance to the style in a network's features",
    "patch_swd": "distance to the style in small patches",
    "color": "distance to the style's colors, in CIE Lab units",
    "content": "distance to the photograph in a network's features: 0 equal, 2 unrelated",
    "ssim": "structure shared with the photograph: 1 equal",
    "edge_f1": "strongest edges shared with the photograph: 1 all",
    "copied": "share of patches that are pasted from the style pictures",
    "lpips": "how different the photograph looks to people: 0 equal",
}
WORDS = {
    "content": (
        (0.5, "plainly the same picture"),
        (0.9, "the same picture, freely painted"),
        (2.0, "far away"),
    ),
    "ssim": ((0.45, "structure mostly given up"), (0.7, "large structure kept"), (1.0, "structure kept")),
    "edge_f1": ((0.4, "edges mostly redrawn"), (0.7, "most edges kept"), (1.0, "edges kept")),
    "copied": ((0.0, "nothing is pasted"), (0.02, "a patch or two look pasted"), (1.0, "pieces are pasted")),
    "lpips": ((0.4, "looks alike"), (0.65, "looks repainted"), (float("inf"), "looks like another picture")),
}


class Pair(NamedTuple):
    """A photograph and its painting, (1, 3, H, W) in [0, 1], under a name."""

    name: str
    before: Tensor
    after: Tensor


def report_of(
    painter: Painter,
    name: str,
    pictures: Sequence[Tensor] = (),
    photos: Sequence[tuple[str, Tensor]] = (),
    history: Sequence[Record] = (),
    figures: Mapping[str, Tensor] | None = None,
    vgg: VGG | None = None,
    judge: str = "loss (shipped)",
    follow: Callable[[Sequence[Tensor]], Iterable[Tensor]] = iter,
) -> str:
    """The page of a painter's style: paints the photographs, scores them against the pictures, draws curves.

    pictures, those it was learned from, and photos with their names are (1, 3, H, W) in [0, 1]; without
    photos, drawn scenes are painted; with pictures, a map shows where they and the style lie. figures by
    title are (1, 3, H, W) too. `vgg` scores, by default the shipped one, and `judge` is its name. `follow`
    hands on photographs one by one. Raises ValueError as painting does.
    """
    scenes = [] if photos else content_pictures(SCENES, SIZE_PX, 0)
    photos = photos or [(f"scene {number}", scene) for number, scene in enumerate(scenes, start=1)]
    befores = [reduced(photo, SIZE_PX) for _, photo in photos]
    afters = [painter(before) for before in follow(befores)]
    titles = [title for title, _ in photos]
    pairs = [Pair(*found) for found in zip(titles, befores, afters, strict=True)]
    strip = {strength: painter(befores[0], strength=strength) for strength in STRENGTHS}
    styles = [reduced(picture, SIZE_PX) for picture in pictures]
    judging = (vgg or load_loss_vgg()).to(painter.device)
    maps = (
        {"Where it lies": map_of(styles, {name: painter.style}, painter.generator, painter.vgg)}
        if styles
        else {}
    )
    sections = [
        learned_from(painter.style, styles),
        section("Before and after", grid([pair_tag(pair) for pair in pairs], "pairs")),
        section("Strength", grid([strength_tag(*one) for one in strip.items()], "strip")),
        *(
            section(title, picture_tag(figure, title, "PNG"))
            for title, figure in (maps | dict(figures or {})).items()
        ),
        scores_of(pairs, styles, judging, judge),
        verdict(painter.style),
        curves(history),
        settings_of(painter.style),
    ]
    return page(name, painter.style, sections)


def page(name: str, style: Style, sections: Sequence[str]) -> str:
    """The whole HTML page around its sections."""
    shown = "" if style.preview is None else picture_tag(style.preview[None] / 255, "preview", "PNG")
    told = style.provenance
    count = "1 picture" if told.pictures == 1 else f"{told.pictures} pictures"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(name)}: a style</title>",
            f"<style>{CSS}</style>",
            "</head>",
            "<body>",
            f"<header>{shown}<div><h1>{text(name)}</h1>",
            f"<p>A style learned from {text(count)} in {text(told.steps)} steps. {text(told.date)}</p>",
            f'<p class="quiet">{text(style.license)}</p></div></header>',
            "<main>",
            *(found for found in sections if found),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def learned_from(style: Style, pictures: Sequence[Tensor]) -> str:
    """What the style was learned from: the pictures if they are given, and what the file tells."""
    told, thumbs = style.provenance, [reduced(picture, THUMB_PX) for picture in pictures]
    tags = [picture_tag(thumb, f"style picture {number}") for number, thumb in enumerate(thumbs, start=1)]
    rows = {
        "pictures": told.pictures,
        "sizes in pixels": told.sizes_px,
        "seed": told.seed,
        "steps": told.steps,
        "day": told.date,
        "versions": told.versions,
        "note": told.note,
        "generator": style.generator_id,
    }
    return section(
        "Learned from",
        grid(tags, "thumbs") if tags else paragraph("The file holds its preview alone, which is above."),
        table(None, [pair for pair in rows.items() if pair[1] != ""]),
    )


def settings_of(style: Style) -> str:
    """The settings of the learning; as they are, if they are no JSON object of plain values."""
    raw = style.provenance.settings
    try:
        found = parse_json(raw)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, PLAIN) for value in found.values()):
        return section("Settings", paragraph(raw))
    knots = " ".join(f"{amount:.2f}" for amount in style.calibration.knots())
    rows = [(key.replace("_", " "), value) for key, value in sorted(found.items())]
    return section("Settings", table(None, [*rows, ("amounts at strength 0, 0.25, ... 1", knots)]))


def curves(history: Sequence[Record]) -> str:
    """The losses of every step as a picture, and what a discriminator did if it tells; "" without them."""
    if not history:
        return ""
    plots = [loss_plot(history)]
    if any("accuracy" in name for record in history for name in record):
        plots.append(discriminator_plot(history))
    return section("Curves", *(picture_tag(plot, "losses over steps", "PNG") for plot in plots))


def scores_of(pairs: Sequence[Pair], styles: Sequence[Tensor], vgg: VGG, judge: str) -> str:
    """Scores of all paintings, averaged, beside those of the photographs, with words for what they mean."""
    if not styles:
        return section(
            "Scores", paragraph("Scores compare with the style pictures, and none were given for this page.")
        )
    device = next(vgg.parameters()).device
    styles = [style.to(device) for style in styles]
    found, start = [], []
    for pair in pairs:
        before, after = pair.before.to(device), pair.after.to(device)
        found.append(score_all(after, before, styles, vgg))
        start.append(Scored(score(before, before, styles, vgg)))
    painted, photo = mean_of(found), mean_of(start)
    rows = [
        (name, f"{value:.3f}", _shown(photo.scores.get(name)), meaning(name, value, photo.scores.get(name)))
        for name, value in painted.scores.items()
    ]
    notes = [f"{name}: absent ({reason})" for name, reason in painted.absent.items()]
    count = "1 painting" if len(pairs) == 1 else f"{len(pairs)} paintings"
    notes = [f"Means over {count}, judged by the network {judge}.", *notes]
    head = ("score", "painted", "photograph", "in words")
    return section("Scores", table(head, rows), *(paragraph(note, "quiet") for note in notes))


def meaning(name: str, value: float, start: float | None) -> str:
    """A score in words; for distances to the style, by how much of the photograph's own is left."""
    if name in TOWARD_STYLE and start:
        share = value / start
        return f"{_word(share, LESS_LEFT)}: {share:.0%} of the photograph's {MEANINGS[name]} is left"
    return f"{_word(value, WORDS[name])} ({MEANINGS[name]})" if name in WORDS else MEANINGS.get(name, "")


def verdict(style: Style) -> str:
    """What became of adversarial fine-tuning, as far as the file tells."""
    note = style.provenance.note
    if note.startswith(FINETUNED):
        return section("Adversarial fine-tuning", paragraph(f"It won on held-out pictures: {note}"))
    untold = "The file tells of none; a fine-tuning that does not win leaves the style as it was."
    return section("Adversarial fine-tuning", paragraph(untold))


def section(title: str, *parts: str) -> str:
    """A headed part of the page; the parts are HTML."""
    return "\n".join(["<section>", f"<h2>{text(title)}</h2>", *parts, "</section>"])


def table(head: Sequence[object] | None, rows: Iterable[Sequence[object]]) -> str:
    """Rows of plain texts or numbers, the first of each its heading."""
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


def pair_tag(pair: Pair) -> str:
    """A photograph and its painting side by side, with the name below."""
    tags = picture_tag(pair.before, f"{pair.name}, before") + picture_tag(pair.after, f"{pair.name}, after")
    return f"<figure><div>{tags}</div><figcaption>{text(pair.name)}</figcaption></figure>"


def strength_tag(strength: float, painted: Tensor) -> str:
    """A painting with its strength below."""
    tag = picture_tag(reduced(painted, STRIP_PX), f"strength {strength:g}")
    return f"<figure>{tag}<figcaption>{strength:g}</figcaption></figure>"


def picture_tag(image: Tensor, words: str, kind: str = "JPEG") -> str:
    """A picture (1, 3, H, W) in [0, 1], written into the page as PNG or JPEG."""
    pixels = (image[0].detach().float().cpu().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, kind, quality=JPEG_QUALITY)
    data = base64.b64encode(buffer.getvalue()).decode()
    size = f'width="{pixels.shape[1]}" height="{pixels.shape[0]}"'
    return f'<img src="data:image/{kind.lower()};base64,{data}" {size} alt="{text(words)}">'


def reduced(image: Tensor, size_px: int) -> Tensor:
    """A picture (1, 3, H, W) whose short side is at most `size_px`."""
    return resize_short_side(image, size_px) if min(image.shape[2:]) > size_px else image


def text(value: object) -> str:
    """Anything as text that HTML takes for nothing else, in quotes too."""
    return html.escape(str(value), quote=True)


def _word(value: float, limits: Sequence[tuple[float, str]]) -> str:
    return next((words for limit, words in limits if value <= limit), limits[-1][1])


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


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
