"""Protects the one source of truth for settings: what a config accepts, also from a stranger's JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import math
import pkgutil
import random
import tracemalloc
from collections import Counter
from dataclasses import FrozenInstanceError, asdict, dataclass, fields, is_dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pstyle
from pstyle.core.config import (
    MAX_JSON_BYTES,
    check_settings,
    choice,
    describe,
    from_json,
    parse_json,
    setting,
    text,
    to_json,
)


@dataclass(frozen=True)
class Toy:
    """One field of every kind."""

    steps: int = setting(400, 1, 10_000, "optimization steps")
    lr: float = setting(0.03, 1e-6, 1.0, "learning rate")
    mode: str = choice("adam", ("adam", "lbfgs"), "optimizer")
    mirror: bool = setting(True, help="also learn from mirrored pictures")
    layers: tuple[float, ...] = setting((1.0, 0.5), 0.0, 10.0, "weight per layer")

    def __post_init__(self) -> None:
        check_settings(self)


HOSTILE = [
    math.nan, math.inf, -math.inf, -1, 10**12, 10**5000, "nan", "1", None, [], {}, b"1", 1 + 0j, "\x1b[31m\n",
    (1, 2, 3),
]  # fmt: skip


def test_defaults_pass_and_stay() -> None:
    assert asdict(Toy()) == {"steps": 400, "lr": 0.03, "mode": "adam", "mirror": True, "layers": (1.0, 0.5)}


@pytest.mark.parametrize("field", [name for name in describe(Toy)])
def test_hostile_values_are_refused_by_name(field: str) -> None:
    for value in HOSTILE:
        with pytest.raises(ValueError, match=rf"^Toy\.{field}") as refusal:
            Toy(**{field: value})
        message = str(refusal.value)
        assert message.isprintable() and " must be " in message and ", got " in message and len(message) < 300


FOREIGN = (math.nan, math.inf, -math.inf, 10**5000, "nan", None, [], True)  # to any number


def every_config() -> list[type]:
    """Every config of the library: each dataclass in it all of whose fields are declared."""
    names = [name for _, name, _ in pkgutil.walk_packages(pstyle.__path__, "pstyle.") if "__main" not in name]
    held = [one for name in names for one in vars(importlib.import_module(name)).values()]
    classes = {one for one in held if isinstance(one, type) and is_dataclass(one) and fields(one)}
    declared = [one for one in classes if all("help" in field.metadata for field in fields(one))]
    return sorted(declared, key=lambda one: one.__name__)


def test_every_number_of_every_config_refuses_10_hostile_values() -> None:
    tried = 0
    for config in every_config():
        for name, metadata in describe(config).items():
            low, high, default = (metadata[key] for key in ("minimum", "maximum", "default"))
            if metadata["options"] is not None or type(default) not in (int, float):
                continue
            for value in (*FOREIGN, low - 1, high * 2 + 1):
                with pytest.raises(ValueError, match=rf"{name} must be .*, got "):
                    config(**{name: value})
                tried += 1
    print(f"configs={len(every_config())} values={tried} refused={tried}")  # noqa: T201
    assert tried > 1000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", True), ("steps", 3.0), ("lr", True), ("mirror", 1), ("mirror", None), ("mode", "Adam"),
        ("steps", 0), ("steps", 10_001), ("lr", 0.0), ("lr", 1.0000001), ("layers", (1.0,)), ("layers", 1.0),
        ("layers", (1.0, math.nan)), ("layers", (1.0, 11.0)), ("layers", (True, 1.0)), ("layers", "12"),
    ],
)  # fmt: skip
def test_wrong_types_and_values_just_outside_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"Toy\.{field}"):
        Toy(**{field: value})


def test_bounds_belong_to_the_range_and_an_int_becomes_a_float() -> None:
    toy = Toy(steps=10_000, lr=1, layers=[0, 10])
    assert (toy.steps, toy.lr, toy.layers) == (10_000, 1.0, (0.0, 10.0))
    assert type(toy.lr) is float and type(toy.layers) is tuple and type(toy.layers[0]) is float
    with pytest.raises(FrozenInstanceError):
        toy.steps = 3


def test_the_message_says_what_was_got_and_what_is_allowed() -> None:
    with pytest.raises(ValueError) as refusal:
        Toy(steps=0)
    assert str(refusal.value) == "Toy.steps must be an integer from 1 to 10000, got 0"
    with pytest.raises(ValueError) as refusal:
        Toy(mode="sgd")
    assert str(refusal.value) == "Toy.mode must be one of 'adam', 'lbfgs', got 'sgd'"


def is_number(value: object, low: float, high: float, kinds: tuple[type, ...]) -> bool:
    return type(value) in kinds and low <= value <= high


ALLOWED = {  # the same rules, said a second time and without the module under test
    "steps": lambda v: is_number(v, 1, 10_000, (int,)),
    "lr": lambda v: is_number(v, 1e-6, 1.0, (int, float)),
    "mode": lambda v: type(v) is str and v in {"adam", "lbfgs"},
    "mirror": lambda v: type(v) is bool,
    "layers": lambda v: (
        type(v) is tuple and len(v) == 2 and all(is_number(x, 0, 10, (int, float)) for x in v)
    ),
}


def near(rng: random.Random, field: str) -> object:
    """A value that may or may not be allowed, often just at the border."""
    number = rng.choice(
        [rng.random(), rng.random(), rng.uniform(-0.1, 1.1), rng.randint(-5, 12), 1, 1e-6, 1e300]
    )
    odd = rng.choice([math.nan, math.inf, True, None, "adam", 10**400, b"", number])
    usual = {
        "steps": rng.choice([rng.randint(-500, 10_500), 0, 1, 10_000]),
        "lr": number,
        "mode": rng.choice(["adam", "lbfgs", "lbfgs", "ADAM"]),
        "mirror": rng.choice([True, False, False, 0]),
        "layers": tuple(
            rng.choice([number, *(rng.uniform(0, 10) for _ in range(3))])
            for _ in range(rng.choice([2, 2, 2, 2, 3]))
        ),
    }[field]
    return odd if rng.random() < 0.02 else usual


def test_500_random_configs_are_accepted_exactly_when_in_range() -> None:
    rng, wrong, counts = random.Random(0), 0, Counter()
    tracemalloc.start()
    for _ in range(500):
        values = {field: near(rng, field) for field in ALLOWED}
        allowed = all(ALLOWED[field](value) for field, value in values.items())
        try:
            toy = Toy(**values)
            wrong += not allowed or from_json(Toy, to_json(toy)) != toy
        except ValueError:
            wrong += allowed
        counts[allowed] += 1
    peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(f"configs={counts.total()} accepted={counts[True]} wrong={wrong} peak_mib={peak_mib:.2f}")  # noqa: T201
    assert wrong == 0 and min(counts.values()) > 50 and peak_mib < 64


def test_json_round_trip_is_exact_and_sorted() -> None:
    toy = Toy(steps=7, lr=1 / 3, mode="lbfgs", mirror=False, layers=(0.1, 10.0))
    line = to_json(toy)
    assert from_json(Toy, line) == toy
    assert list(json.loads(line)) == sorted(json.loads(line)) and line == to_json(from_json(Toy, line))


def edited(**changes: object) -> str:
    return json.dumps({**json.loads(to_json(Toy())), **changes})


@pytest.mark.parametrize(
    "line",
    [
        "", "{", "[]", "3", "null", '"x"', "{}", "NaN", "[" * 60_000, '{"a":' * 10_000, "1" * 5000, None,
        edited(extra=1), edited(steps=400.0), edited(steps=True), edited(steps="400"), edited(lr=1), b"{}",
        edited(lr=True), edited(mirror=1), edited(mode=None), edited(layers=1.0), edited(layers=[1, 2]),
        edited(layers=[1.0, 2.0, 3.0]),
        edited(lr=math.nan), edited(lr=math.inf), edited().replace("0.03", "1e999"), edited(steps=10**9),
        edited(steps={"a": 1}), edited(**{"\x1b[2J\n": 1}), edited(mode="\ud800"),
        edited().replace('"steps"', '"lr": 0.5, "steps"'), edited().replace('"lr": 0.03, ', ""),
        edited() + " " * MAX_JSON_BYTES,
    ],
)  # fmt: skip
def test_json_of_other_fields_types_or_size_is_refused(line: str) -> None:
    with pytest.raises(ValueError) as refusal:
        from_json(Toy, line)
    assert "Toy" in str(refusal.value) and str(refusal.value).isprintable()


def test_64_kib_of_json_are_just_allowed() -> None:
    line = to_json(Toy())
    assert from_json(Toy, line + " " * (MAX_JSON_BYTES - len(line))) == Toy()


@settings(max_examples=200, deadline=None, database=None)
@given(st.text())
def test_any_text_is_json_or_a_value_error(line: str) -> None:
    try:
        value = parse_json(line)
    except ValueError:
        return
    assert json.loads(line) == value


@pytest.mark.parametrize("line", ["NaN", "[Infinity]", '{"a": -Infinity}', '{"a": 1, "a": 1}', "[" * 50_000])
def test_json_that_python_alone_would_take_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        parse_json(line)


def test_a_widget_and_a_flag_can_be_built_from_the_metadata() -> None:
    parser = argparse.ArgumentParser()
    for name, field in describe(Toy).items():
        if type(field["default"]) in (int, float, str):
            parser.add_argument(
                f"--{name}", type=type(field["default"]), default=field["default"], help=field["help"],
                choices=field["options"],
            )  # fmt: skip
    assert vars(parser.parse_args(["--lr", "0.5"])) == {"steps": 400, "lr": 0.5, "mode": "adam"}
    field = describe(Toy)["steps"]
    widget = ("INT", {"default": field["default"], "min": field["minimum"], "max": field["maximum"]})
    assert widget == ("INT", {"default": 400, "min": 1, "max": 10_000})
    assert describe(Toy)["mode"]["options"] == ("adam", "lbfgs") and all(
        f["help"] for f in describe(Toy).values()
    )


@pytest.mark.parametrize(
    "declare",
    [
        lambda: setting(0, 1, 10, "outside its own range"),
        lambda: setting(1, help="without a range"),
        lambda: setting(1.0, 0.0, math.inf, "without an end"),
        lambda: setting("adam", 0, 1, "not a number"),
        lambda: choice("c", ("a", "b"), "not among its options"),
    ],
)
def test_a_wrong_declaration_fails_where_it_is_made(declare: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        declare()


def test_a_text_is_one_printable_line_of_limited_length() -> None:
    @dataclass(frozen=True)
    class Label:
        license: str = text("", 12, "license of the style")

        def __post_init__(self) -> None:
            check_settings(self)

    for allowed in ("", "CC BY 4.0", "caf\u00e9", "x" * 12):
        assert from_json(Label, to_json(Label(allowed))) == Label(allowed)
    for refused in ("x" * 13, "a\nb", "\x1b[2J", "\u202e", "\ud800", None, 3, b"x"):
        with pytest.raises(ValueError, match=r"Label\.license must be one line of at most 12") as refusal:
            Label(refused)
        assert str(refusal.value).isprintable()


def test_an_undeclared_field_cannot_slip_past_the_checks() -> None:
    @dataclass(frozen=True)
    class Careless:
        anything: object = None

        def __post_init__(self) -> None:
            check_settings(self)

    with pytest.raises(TypeError, match=r"Careless\.anything"):
        Careless()
