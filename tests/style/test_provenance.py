"""Protects provenance: numbers and settings of a run, and nothing about files or people."""

from __future__ import annotations

from datetime import date

import pytest
import torch

from pstyle import __version__
from pstyle.style.provenance import Provenance, provenance_of


def test_a_run_is_described_by_its_numbers():
    pictures = [torch.zeros(1, 3, 32, 40), torch.zeros(1, 3, 48, 33)]
    found = provenance_of(pictures, seed=7, steps=12, settings='{"steps": 12}', note="by hand")
    assert (found.pictures, found.sizes_px) == (2, "40x32, 33x48")
    assert (found.seed, found.steps, found.settings, found.note) == (7, 12, '{"steps": 12}', "by hand")
    assert date.fromisoformat(found.date) and f"pstyle {__version__}, torch " in found.versions


def test_texts_that_no_file_may_hold_are_refused():
    with pytest.raises(ValueError, match=r"Provenance.note must be one line"):
        Provenance(note="two\nlines")
