"""The first table of docs/quality.md: quality on held-out pairs and speed, ours beside the peers'.

    python benchmarks/table.py --images FOLDER --vgg FOLDER --microast FOLDER [--sheet FILE] [--gallery FILE]

The flags are those of quality.py. The times are medians of interleaved runs in one process; the sheet shows
paintings, photographs and our pictures, the gallery those that we learned to paint, and nothing else. AdaIN
has random weights here, so it has times and no scores.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import torch
from paint_speed import load_painters, median_seconds
from quality import Result, measured, methods_of, parser_of, shown, write_sheet

from pstyle.image.writing import save_image
from pstyle.plots.contact_sheet import contact_sheet

SCORES = ("style_vgg", "style_swd", "ssim", "content_vgg")
SIDES_PX = (512, 1024)
ROUNDS = 7
OURS = ("photo", "encode only", "learned")
GALLERY_COLUMNS, GALLERY_PX = 4, 360
PAINTERS = {
    "encode only": "pstyle",
    "learned": "pstyle",
    "MicroAST": "MicroAST",
}  # rows with a painter's time


def score_cells(results: Sequence[Result], method: str) -> list[str]:
    """Mean scores of a method over the pairs, and the seconds until it could paint."""
    own = [result for result in results if result.method == method]
    cells = [f"{mean(result.scores[name] for result in own):.3f}" for name in SCORES]
    return [*cells, f"{mean(result.seconds for result in own):.0f} s"]


def time_cells(seconds: dict[int, dict[str, float]], painter: str | None) -> list[str]:
    """Time of one picture at each size, and how many times ours it is."""
    if painter is None:
        return ["" for _ in seconds]
    return [
        f"{times[painter] * 1e3:.0f} ms ({times[painter] / times['pstyle']:.1f})"
        for times in seconds.values()
    ]


def write_gallery(path: Path, results: Sequence[Result]) -> None:
    """What was learned, a picture a pair, with its scores."""
    learned = [result for result in results if result.method == "learned"]
    rows = [learned[first : first + GALLERY_COLUMNS] for first in range(0, len(learned), GALLERY_COLUMNS)]
    pictures = [[result.picture for result in row] for row in rows]
    captions = [
        [f"{result.pair.split(',')[0]}: {' / '.join(shown(result))}" for result in row] for row in rows
    ]
    save_image(path, contact_sheet(pictures, captions, cell_px=GALLERY_PX), overwrite=True)


def main() -> None:
    """Print the rows pair by pair, then the table, and write the sheets."""
    parser = parser_of("Quality and speed beside the peers'.")
    parser.add_argument("--gallery", type=Path, help="file to write: what was learned, and nothing else")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    methods = methods_of(given)
    with tempfile.TemporaryDirectory() as folder:
        given.save = given.save or Path(folder)
        paintings, results = measured(given, methods)
        style = sorted(given.save.glob("*.safetensors"))[0]
        painters = load_painters(style, given.microast)
    seconds = {side_px: median_seconds(painters, side_px, ROUNDS) for side_px in SIDES_PX}
    sizes = [f"{side_px}x{side_px}" for side_px in SIDES_PX]
    print("\n| | " + " | ".join([*SCORES, "until it paints", *sizes]) + " |")  # noqa: T201
    print("|---|" + "---|" * (len(SCORES) + 1 + len(sizes)))  # noqa: T201
    for method in methods:
        cells = score_cells(results, method) + time_cells(seconds, PAINTERS.get(method))
        print("| " + " | ".join([method, *cells]) + " |")  # noqa: T201
    for peer in ("MicroAST, channels last", "AdaIN"):
        if peer in painters:
            cells = [""] * (len(SCORES) + 1) + time_cells(seconds, peer)
            print("| " + " | ".join([peer, *cells]) + " |")  # noqa: T201
    if given.sheet:
        write_sheet(given.sheet, paintings, [result for result in results if result.method in OURS])
    if given.gallery:
        write_gallery(given.gallery, results)


if __name__ == "__main__":
    main()
