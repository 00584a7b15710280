"""Which of the shared pictures train the weights and which are only ever judged; whole painters are held out.

`images` has paintings/PAINTER/*.jpg, photos/*.jpg and textures/*.jpg. To print one list, a path a line:

    python benchmarks/split.py IMAGES training_paintings
"""

from __future__ import annotations

import sys
from pathlib import Path

HELD_OUT_PAINTERS = (
    "aivazovsky", "blake", "bruegel", "delaunay", "durer", "friedrich", "gauguin", "kirchner",
    "kuniyoshi", "macke", "morris", "munch", "picabia", "pissarro", "rembrandt", "seurat", "turner",
    "vallotton", "vermeer",
)  # fmt: skip
HELD_OUT_PHOTOS = (
    "antelope_canyon", "astronaut_eileen_collins", "bicycles", "bistro_storefront", "city_at_dusk",
    "dog_and_person", "eiffel_tower", "kodim04", "kodim05", "kodim11", "lake_cliff", "moraine_lake",
    "sunset_by_the_pier", "tulips", "two_people_portrait",
)  # fmt: skip

# The benchmark's (painting, photograph) pairs, in this order; chosen before anything was measured on them.
PAIRS = (
    ("pissarro/avenue_de_l_opera", "eiffel_tower"),  # impressionism
    ("kuniyoshi/skeleton_spectre", "kodim04"),  # woodblock print
    ("kirchner/street_berlin", "bistro_storefront"),  # expressionism
    ("seurat/grande_jatte", "tulips"),  # pointillism
    ("rembrandt/night_watch", "astronaut_eileen_collins"),  # old master
    ("munch/kissing_couple", "dog_and_person"),  # woodcut
    ("turner/rain_steam_and_speed", "moraine_lake"),  # atmosphere
    ("macke/strollers", "city_at_dusk"),  # ink drawing
    ("delaunay/portrait_of_metzinger", "two_people_portrait"),  # mosaic-like strokes
    ("picabia/udnie", "bicycles"),  # hard-edged abstraction
    ("morris/trellis", "lake_cliff"),  # ornament
    ("vermeer/view_of_delft", "kodim11"),  # old master, landscape
    ("gauguin/ia_orana_maria", "sunset_by_the_pier"),  # flat color
    ("aivazovsky/ninth_wave", "antelope_canyon"),  # romantic seascape
    ("bruegel/hunters_in_the_snow", "kodim05"),  # many small figures
)


def training_paintings(images: Path) -> list[Path]:
    """Paintings by every painter who is not held out."""
    return [path for path in _jpegs(images / "paintings") if path.parent.name not in HELD_OUT_PAINTERS]


def held_out_paintings(images: Path) -> list[Path]:
    """Paintings by the held-out painters."""
    return [path for path in _jpegs(images / "paintings") if path.parent.name in HELD_OUT_PAINTERS]


def training_photos(images: Path) -> list[Path]:
    """Photographs that are not held out."""
    return [path for path in _jpegs(images / "photos") if path.stem not in HELD_OUT_PHOTOS]


def held_out_photos(images: Path) -> list[Path]:
    """The held-out photographs."""
    return [path for path in _jpegs(images / "photos") if path.stem in HELD_OUT_PHOTOS]


def textures(images: Path) -> list[Path]:
    """All textures; every one of them trains."""
    return _jpegs(images / "textures")


def held_out_pairs(images: Path, count: int = 8) -> list[tuple[Path, Path]]:
    """The first `count` (painting, photograph) pairs, none of which trained anything.

    Raises ValueError for a count outside 1..15 or a picture that is not there.
    """
    if not 1 <= count <= len(PAIRS):
        raise ValueError(f"{count} pairs asked for; give a number from 1 to {len(PAIRS)}")
    pairs = [(images / f"paintings/{a}.jpg", images / f"photos/{b}.jpg") for a, b in PAIRS[:count]]
    missing = [str(path) for pair in pairs for path in pair if not path.is_file()]
    if missing:
        raise ValueError(f"held-out pictures not found: {', '.join(missing)}; give the complete folder")
    return pairs


def _jpegs(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.jpg"))
    if not found:
        raise ValueError(f"no .jpg in {folder}; give the folder that has paintings/, photos/ and textures/")
    return found


LISTS = {
    function.__name__: function
    for function in (training_paintings, held_out_paintings, training_photos, held_out_photos, textures)
}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in LISTS:
        raise SystemExit(f"usage: split.py IMAGES {'|'.join(LISTS)}")
    print(*LISTS[sys.argv[2]](Path(sys.argv[1])), sep="\n")  # noqa: T201
