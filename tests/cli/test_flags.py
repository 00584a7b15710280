"""Protects the flags: each command's are the fields of its settings."""

from __future__ import annotations

from importlib import import_module

import pytest

from pstyle.cli.demo_story import DemoConfig
from pstyle.cli.flags import Parser, settings_from
from pstyle.core.config import describe
from pstyle.evaluation.scoring import ScaleConfig
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.style.paint_settings import PaintSettings
from pstyle.taste.taste import TasteConfig
from pstyle.training.base_run import BaseRunConfig
from pstyle.training.learning import LearnConfig
from pstyle.training.optimize import OptimizeConfig

CONFIGS = {
    "learn": (LearnConfig, ["a.png", "-o", "b"]),
    "finetune": (FinetuneConfig, ["style", "a.png", "-o", "b"]),
    "optimize": (OptimizeConfig, ["a.png", "b.png", "-o", "c"]),
    "paint": (PaintSettings, ["style", "a.png", "-o", "b"]),
    "taste": (TasteConfig, ["style", "a.png", "-o", "b"]),
    "score": (ScaleConfig, ["a.png", "b.png", "c.png"]),
    "demo": (DemoConfig, ["-o", "a"]),
    "train-base": (
        BaseRunConfig,
        ["--teacher", "a", "--photos", "b", "--paintings", "c", "-o", "d", "--state", "e"],
    ),
}


@pytest.mark.parametrize("command", CONFIGS)
def test_flags_are_the_settings(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without flags the settings are the dataclass's own; each has a flag, whose help tells its range."""
    monkeypatch.setenv("COLUMNS", "1000")  # so that no line of the help is broken
    config_class, needed = CONFIGS[command]
    name = command.replace("-", "_")
    parser = Parser(prog="x")
    getattr(import_module(f"pstyle.cli.{name}"), f"{name}_flags")(parser)
    assert settings_from(parser.parse_args(needed), config_class) == config_class()
    shown = " ".join(parser.format_help().split())
    for name, declared in describe(config_class).items():
        flag = f"--{name.replace('_', '-')}"
        assert flag in shown
        if isinstance(declared["default"], bool):
            assert f"{declared['help']} (default {'on' if declared['default'] else 'off'})" in shown
            for argument, other in ((flag, True), (f"--no-{flag[2:]}", False)):
                found = settings_from(parser.parse_args([*needed, argument]), config_class)
                assert getattr(found, name) is other
            continue
        if declared["options"]:
            other = declared["options"][-1]
        else:
            other = declared["maximum"] if name not in ("crop_px", "steps") else declared["minimum"]
            assert f"({declared['minimum']} to {declared['maximum']}; default {declared['default']})" in shown
        found = getattr(settings_from(parser.parse_args([*needed, flag, str(other)]), config_class), name)
        assert found == other and type(found) is type(declared["default"])
