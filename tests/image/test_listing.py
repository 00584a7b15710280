"""Protects lists of pictures: a folder stands for those in it, sorted and once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pstyle.image.listing import list_pictures


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    (tmp_path / "deeper").mkdir()
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty").mkdir()
    for name in ("b.PNG", "a.jpg", "c.webp", ".hidden.png", "notes.txt", "deeper/d.png", ".thumbnails/e.png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "absent.png")
    return tmp_path


def test_a_folder_stands_for_its_pictures_sorted_and_once(gallery: Path) -> None:
    inside = [gallery / name for name in ("a.jpg", "b.PNG", "c.webp")]
    assert list_pictures([gallery]) == list_pictures(gallery) == list_pictures(str(gallery)) == inside
    assert (
        list_pictures(
            [gallery / "c.webp", gallery, str(gallery / "a.jpg"), gallery / "deeper" / ".." / "a.jpg"]
        )
        == inside
    )
    assert list_pictures([gallery], recursive=True) == sorted([*inside, gallery / "deeper" / "d.png"])
    assert list_pictures([gallery / "deeper", gallery / "a.jpg"]) == [
        gallery / "a.jpg",
        gallery / "deeper" / "d.png",
    ]
    assert list_pictures([]) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty", "no pictures in the folder"),
        ("absent.png", "there is no file"),
        ("notes.txt", "not a picture file"),
    ],
)
def test_paths_without_pictures_are_refused_by_name(gallery: Path, name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        list_pictures([gallery / "a.jpg", gallery / name])
    assert repr(str(gallery / name)) in str(refusal.value)
