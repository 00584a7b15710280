"""Protects the choice of the network that scores: ImageNet's if present, or the one named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pstyle.nets.vgg import save_vgg
from tests.tiny_networks import tiny_vgg


def test_score_is_judged_by_imagenets_network_where_it_is(
    call, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pstyle.cli.score.SCORE_PX", 48)
    command = ("score", "one.png", "two.png", "photos/one.jpg")
    before = call(*command)[1]
    save_vgg(place / "models" / "pstyle" / "vgg19_imagenet.safetensors", tiny_vgg(0.125, seed=5), "random")
    after = call(*command)[1]
    assert after[-1] == "judge: vgg19_imagenet" and after[0] != before[0] and after[1] == before[1]
    assert call(*command, "--vgg", "loss")[1] == before
    assert call(*command, "--vgg", "models/pstyle/vgg19_imagenet.safetensors")[1] == after
