"""Protects everything else in the host: a node leaves no switch of torch moved, nor one that fails."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from pstyle_pack.nodes import host

from pstyle.training.optimize import OptimizeConfig


def switches() -> list[Any]:
    """What is global in torch and numpy, and might have been moved."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    return [
        *(torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()),
        *(torch.get_default_dtype(), torch.get_num_threads(), torch.get_num_interop_threads()),
        *(torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled()),
        *(torch.are_deterministic_algorithms_enabled(), torch.is_anomaly_enabled()),
        *(cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32),
        *(matmul.allow_tf32, matmul.allow_fp16_reduced_precision_reduction),
        len(torch.nn.modules.module._global_forward_hooks),
    ]


class Canceling(host.Watch):
    """Stands for the cancel button, pressed at once."""

    def __call__(self, progress: object) -> None:
        raise host.Interrupted


@pytest.mark.parametrize("ends", ["well", "canceled", "refused"])
def test_no_switch_is_moved(nodes, image, style, style_set, settings, ends: str, monkeypatch) -> None:
    if ends == "canceled":
        monkeypatch.setattr(host, "Watch", Canceling)
    pictures = image[:1] * (torch.nan if ends == "refused" else 1)
    quick = asdict(OptimizeConfig(steps=1, size_px=64, first_px=64))
    runs = {
        "paint": lambda: nodes.PStylePaint().paint(pictures, style, strength=0.5),
        "learn": lambda: nodes.PStyleLearn().learn(style_set, contents=pictures, **settings | {"steps": 1}),
        "optimize": lambda: nodes.PStyleOptimize().optimize(pictures, style_set, **quick),
        "features": lambda: nodes.PStyleVGGFeatures().see(pictures),
    }
    before = switches()
    for name, run in runs.items():
        expected = {"well": (), "canceled": (host.Interrupted,), "refused": (ValueError,)}[ends]
        with contextlib.suppress(*expected):
            run()
        assert switches() == before, name
