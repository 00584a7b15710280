"""Protects contact sheets: every picture is whole in its cell, with its caption below."""

from __future__ import annotations

import pytest
import torch

from pstyle.plots.contact_sheet import contact_sheet
from tests.plots.looks import check_picture, near


def test_contact_sheet_holds_every_picture_in_its_cell():
    red, green = torch.zeros(1, 3, 40, 80), torch.zeros(1, 3, 300, 100)
    red[:, 0], green[:, 1] = 1, 1
    sheet = contact_sheet([[red, None], [green, red]], cell_px=64)
    gap = 4
    check_picture(sheet, gap + 2 * (64 + gap), gap + 2 * (64 + gap))
    assert near(sheet, (1, 0, 0)).sum() == 2 * 64 * 32  # the whole width of the cell, at its proportions
    assert near(sheet, (0, 1, 0)).sum() == 64 * 21
    assert near(sheet[:, :, :, gap + 64 :][:, :, : 64 + gap], (1, 1, 1)).all()  # the empty cell
    assert near(sheet[:, :, 64 + 2 * gap :, : 64 + gap], (1, 0, 0)).sum() == 0


def test_captions_stand_under_their_pictures_and_stay_in_their_cells():
    picture = torch.zeros(1, 3, 64, 64)
    labels = [["short", "a caption far too long for a cell of sixty-four pixels"]]
    plain = contact_sheet([[picture, picture]], cell_px=64)
    labeled = contact_sheet([[picture, picture]], labels, cell_px=64)
    assert labeled.shape[2] > plain.shape[2] and labeled.shape[3] == plain.shape[3]
    caption = labeled[0, :, 4 + 64 :].mean(0)
    ink = (caption < 0.5).any(0)
    assert ink[4 : 4 + 64].any() and ink[8 + 64 : 8 + 128].any()
    assert not ink[:4].any() and not ink[4 + 64 : 8 + 64].any() and not ink[8 + 128 :].any()


@pytest.mark.parametrize(
    ("rows", "labels", "cell_px", "words"),
    [
        ([], None, 64, "at least one picture"),
        ([[None]], None, 64, "at least one picture"),
        ([[torch.zeros(1, 3, 8, 8)]], None, 16, "at least 32 px"),
        ([[torch.zeros(1, 3, 8, 8)]], [["a", "b"]], 64, "one caption for each cell"),
        ([[torch.zeros(2, 3, 8, 8)]], None, 64, r"got \(2, 3, 8, 8\)"),
    ],
)
def test_a_sheet_that_cannot_be_made_is_refused(rows, labels, cell_px, words):
    with pytest.raises(ValueError, match=words):
        contact_sheet(rows, labels, cell_px)
