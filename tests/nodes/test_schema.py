"""Protects what ComfyUI reads off the classes: names, tooltips, ranges that agree with the library's own."""

from __future__ import annotations

import inspect
import json

import pytest
from pstyle_pack.nodes import NODE_CLASS_MAPPINGS, NODE_CLASSES, NODE_DISPLAY_NAME_MAPPINGS
from pstyle_pack.nodes.widgets import widget

from pstyle.core.config import describe
from pstyle.finetuning.finetune_config import FinetuneConfig
from pstyle.style.paint_settings import PaintSettings
from pstyle.taste.taste import TasteConfig
from pstyle.training.learning import LearnConfig
from pstyle.training.optimize import OptimizeConfig
from pstyle.video.stabilizing import VideoConfig
from pstyle.workflow.schema import read_schema

CONFIGS = {
    "PStyleLearn": LearnConfig,
    "PStyleFinetune": FinetuneConfig,
    "PStyleOptimize": OptimizeConfig,
    "PStylePaint": PaintSettings,
    "PStylePaintVideo": VideoConfig,
    "PStyleTasteTest": TasteConfig,
}
every_node = pytest.mark.parametrize("node", NODE_CLASSES, ids=lambda node: node.__name__)


@every_node
def test_inputs_are_the_functions_arguments(node: type) -> None:
    declared = node.INPUT_TYPES()
    arguments = inspect.signature(getattr(node, node.FUNCTION)).parameters
    takes_all = any(argument.kind is argument.VAR_KEYWORD for argument in arguments.values())
    named = {name for name, one in arguments.items() if one.kind is one.POSITIONAL_OR_KEYWORD} - {"self"}
    needed = {name for name in named if arguments[name].default is inspect.Parameter.empty}
    assert not set(declared) - {"required", "optional"}
    assert needed <= set(declared["required"])
    assert set(declared.get("optional", {})) == named - needed
    assert takes_all or set(declared["required"]) == needed


@every_node
def test_everything_is_explained(node: type) -> None:
    inputs = [entry for group in node.INPUT_TYPES().values() for entry in group.values()]
    texts = [node.DESCRIPTION, *node.OUTPUT_TOOLTIPS, *(options["tooltip"] for _, options in inputs)]
    assert all(text[0].isupper() or text[0].isdigit() for text in texts)
    assert all(text.endswith(".") and text.isprintable() for text in texts)
    assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) == len(node.OUTPUT_TOOLTIPS)


@every_node
def test_names_are_the_packs_own(node: type) -> None:
    assert node.__name__.startswith("PStyle") and node.CATEGORY.startswith("pstyle/")
    words = [word for word in node.TITLE.split() if word not in ("at", "from")]
    assert all(word[0].isupper() or word.isdigit() for word in words)
    kinds = [part for kind in node.RETURN_TYPES for part in kind.split(",")]
    known = ("IMAGE", "MASK", "STRING", "FLOAT", "INT", "LOSS_MAP")
    assert all(kind in known or kind.startswith("PSTYLE_") for kind in kinds)


@every_node
def test_the_page_can_be_told(node: type) -> None:
    """What /object_info sends is JSON, which knows neither NaN nor tuples nor tensors."""
    sent = json.dumps([node.INPUT_TYPES(), node.RETURN_TYPES, node.RETURN_NAMES], allow_nan=False)
    assert json.loads(sent)[0] == json.loads(json.dumps(node.INPUT_TYPES()))


@every_node
def test_no_widget_changes_by_itself(node: type) -> None:
    """A seed that is drawn anew after each run would learn the same style again and again."""
    assert not [entry.name for entry in read_schema(node).inputs.values() if entry.has_control]


def test_ids_and_titles_are_unique() -> None:
    assert len(NODE_CLASS_MAPPINGS) == len(set(NODE_DISPLAY_NAME_MAPPINGS.values())) == len(NODE_CLASSES)


@pytest.mark.parametrize("name", CONFIGS)
def test_widgets_have_the_configs_own_defaults_and_ranges(name: str) -> None:
    config = CONFIGS[name]
    required = NODE_CLASS_MAPPINGS[name].INPUT_TYPES()["required"]
    shown = {field: required[field] for field in describe(config)}
    assert config(**{field: options["default"] for field, (_, options) in shown.items()}) == config()
    for field, metadata in describe(config).items():
        kind, options = shown[field]
        if metadata["options"]:
            assert kind == list(metadata["options"])
        elif isinstance(metadata["default"], bool):
            assert kind == "BOOLEAN"
        else:
            assert (options["min"], options["max"]) == (metadata["minimum"], metadata["maximum"])
            assert kind == ("INT" if isinstance(metadata["default"], int) else "FLOAT")
        assert metadata["help"][1:] in options["tooltip"]


@pytest.mark.parametrize("name", CONFIGS)
def test_a_widget_can_show_its_default(name: str) -> None:
    """The page rounds what it shows to the step's digits: a learning rate must not become 0."""
    for kind, options in NODE_CLASS_MAPPINGS[name].INPUT_TYPES()["required"].values():
        if kind == "FLOAT":
            steps = options["default"] / options["step"]
            assert abs(steps - round(steps)) < 1e-6 and (options["default"] == 0) == (steps == 0)


def test_a_widget_holds_one_value() -> None:
    with pytest.raises(TypeError, match="tuple"):
        widget({"default": (1, 2), "minimum": 0, "maximum": 3, "options": None, "help": "two numbers"})
