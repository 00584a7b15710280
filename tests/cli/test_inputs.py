"""Protects what commands read and write: names never collide, no picture counts twice, lists are followed."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch

from pstyle.cli.inputs import (
    kept,
    listed_pictures,
    new_file,
    new_folder,
    open_contents,
    output_names,
    picture_files,
)
from pstyle.image.writing import save_image


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "in" / name for name in ("b.png", "a.png", "deeper/c.png")]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(path, torch.full((1, 3, 8, 9 + number), 0.5))
    return paths


def test_names_written_are_unique_where_case_is_not_seen() -> None:
    given = [Path(name) for name in ("a/x.jpg", "b/X.png", "c/x.gif", "x_2.png", "y.png")]
    names = output_names(given)
    assert names == ["x.png", "X_2.png", "x_3.png", "x_2_2.png", "y.png"]
    assert len({name.lower() for name in names}) == len(given)


@pytest.mark.parametrize("letter", ["x", "ä", "日"])
def test_the_longest_names_fit_a_file_system(letter: str) -> None:
    first, second = output_names([Path(f"{letter * 250}.png")] * 2)
    assert first.removesuffix(".png") + "_2.png" == second
    assert 190 < len(first.encode()) < 210  # 255 bytes are allowed, of which a temporary file adds some


def test_each_picture_counts_once_and_folders_are_sorted(pictures: list[Path], tmp_path: Path) -> None:
    b, a, _ = pictures
    (tmp_path / "link.png").symlink_to(a)
    assert picture_files([str(b), str(tmp_path / "in"), str(tmp_path / "link.png")], 2) == [b, a]
    with pytest.raises(ValueError, match="got 2 pictures, 1 to 1 are allowed"):
        picture_files([str(a), str(b)], 1)


def test_lists_and_folders_of_folders_name_pictures(pictures: list[Path], tmp_path: Path) -> None:
    b, a, c = pictures
    (tmp_path / "some.txt").write_text(f"{c}\n{b}\n", encoding="utf-8")
    assert listed_pictures([str(tmp_path / "some.txt")]) == [b, c]
    assert listed_pictures([str(tmp_path / "in")]) == sorted([a, b, c])


def test_contents_are_spread_over_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pstyle.cli.inputs.MAX_CONTENTS", 3)
    for number in range(7):
        save_image(tmp_path / f"{number}.png", torch.full((1, 3, 8, 12), number / 10))
    contents = open_contents([str(tmp_path)], 4, seed=0)
    assert [round(10 * content.mean().item()) for content in contents] == [0, 3, 6]
    assert all(content.shape == (1, 3, 4, 6) for content in contents)


def test_a_place_to_write_is_checked_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "here.png").write_text("")
    assert new_file(str(tmp_path / "new.PNG"), [".png"], overwrite=False) == tmp_path / "new.PNG"
    assert new_file(str(tmp_path / "here.png"), [".png"], overwrite=True) == tmp_path / "here.png"
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere")
    for name in ("here.png", "dangling.png"):
        with pytest.raises(ValueError, match="exists already"):
            new_file(str(tmp_path / name), [".png"], overwrite=False)
    assert new_folder(str(tmp_path / "a" / "b")).is_dir()
    with pytest.raises(ValueError, match="is not a folder"):
        new_folder(str(tmp_path / "here.png"))


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left on device.*run the same command again"), kept(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
