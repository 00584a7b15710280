"""Which of the shared pictures train the weights and which are only ever judged; whole painters are held out."""

from __future__ import annotations

from pathlib import Path

HELD_OUT_PAINTERS = (
    "aivazovsky", "blake", "bruegel", "delaunay", "durer", "friedrich", "gauguin", "hiroshige", "kirchner", "kuniyoshi",
    "macke", "morris", "munch", "picabia", "pissarro", "rembrandt", "seurat", "turner", "vallotton", "vermeer",
)  # fmt: skip
HELD_OUT_PHOTOS = (
    "antelope_canyon", "astronaut_eileen_collins", "bicycles", "bistro_storefront", "city_at_dusk", "dog_and_person",
    "eiffel_tower", "kodim04", "kodim05", "kodim11", "lake_cliff", "moraine_lake", "sunset_by_the_pier", "tulips",
    "two_people_portrait",
)  # fmt: skip


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


def _jpegs(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jpg"))
