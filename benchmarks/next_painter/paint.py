"""Paint photographs in a style.

usage: paint.py --base runs/base.safetensors [--learned styles/NAME.safetensors] --style STYLE.jpg --out FOLDER PHOTO...
"""

# ruff: noqa: E501, E741, T201 (a trial)

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from learn import encoded, load_base
from sheet import save_sheet

from pstyle.image.padding import crop_back, pad_to_multiple
from pstyle.image.reading import open_image
from pstyle.image.resizing import resize_short_side
from pstyle.image.writing import save_image


def main() -> None:
    """Write a painting of each photograph, and a sheet of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, default=Path("runs/base.safetensors"))
    parser.add_argument("--learned", type=Path, help="a style file; without it the style is only encoded")
    parser.add_argument("--style", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size-px", type=int, default=512, help="short side of the paintings")
    parser.add_argument("--style-px", type=int, default=600, help="short side at which the style is read")
    parser.add_argument("photos", type=Path, nargs="+")
    args = parser.parse_args()
    torch.set_num_threads(1)
    style = resize_short_side(open_image(args.style)[:, :3], args.style_px)
    styled = encoded(load_base(args.base), style)
    if args.learned:
        styled.load(args.learned)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = [[style], [style]]
    for path in args.photos:
        photo, size = pad_to_multiple(resize_short_side(open_image(path)[:, :3], args.size_px), 8)
        begun = time.time()
        with torch.inference_mode():
            painted = crop_back(styled(photo).clamp(0, 1), size)
        print(path.stem, f"{time.time() - begun:.2f} s")
        save_image(args.out / f"{path.stem}.png", painted)
        rows[0].append(crop_back(photo, size))
        rows[1].append(painted)
    save_sheet(args.out / "sheet.png", rows, 384)


if __name__ == "__main__":
    main()
