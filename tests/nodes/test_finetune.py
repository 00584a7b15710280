"""Protects fine-tuning from nodes: under inference mode, into a style that paints, and with a cancel."""

from __future__ import annotations

import pytest
import torch
from pstyle_pack.nodes import host
from pstyle_pack.nodes.widgets import widgets

from pstyle.core.folders import Folders
from pstyle.core.progress import Progress
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.style.style import load_style


@pytest.fixture
def given() -> dict[str, float]:
    found = {name: options["default"] for name, (_, options) in widgets(FinetuneConfig).items()}
    small = {"steps": 3, "warmup": 1, "size_px": 128, "crop_px": 64, "batch": 1, "check_every": 9}
    return found | small | {"few": True}


def test_a_game_is_played_under_inference_mode(nodes, style, style_set, image, given: dict) -> None:
    node = nodes.PStyleFinetune()
    tuned, losses, history, verdict, critic = node.finetune(style, style_set, contents=image, **given)
    assert len(history) == 3 and losses == {"loss": [record["loss"] for record in history]}
    assert history[0]["discriminator_loss"] != history[1]["discriminator_loss"]
    assert tuned.style is style.style or "fine-tuned" in tuned.style.provenance.note
    assert isinstance(verdict, str) and verdict.isprintable()
    assert nodes.PStyleLossPlot().plot(history, "discriminator")[0].shape[0] == 1
    assert nodes.PStylePaint().paint(image, tuned)["result"][0].shape == image.shape
    (seen,) = nodes.PStyleDiscriminatorMap().draw(image, critic)
    assert seen.shape == image.shape and 0 < seen.min() < seen.max() < 1
    assert torch.equal(seen[..., 0], seen[..., 2])


def test_a_canceled_game_keeps_a_style(
    nodes, style, style_set, image, given, folders: Folders, monkeypatch
) -> None:
    def cancel(self: host.Watch, progress: Progress) -> None:
        if progress.step == 2:
            raise host.Interrupted

    monkeypatch.setattr(host.Watch, "__call__", cancel)
    with pytest.raises(host.Interrupted):
        nodes.PStyleFinetune().finetune(style, style_set, contents=image, **given)
    kept = load_style(folders.style_models / "interrupted.safetensors")
    assert kept.generator_id == style.style.generator_id


def test_linked_values_are_checked_again(nodes, style, style_set, image, given: dict) -> None:
    with pytest.raises(ValueError, match="crop_px must be a multiple of 8"):
        nodes.PStyleFinetune().finetune(style, style_set, contents=image, **given | {"crop_px": 100})
