"""The floors of the house: arrows between rooms only point down, and the plain half never loads torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from leadline import spec
from leadline.cells.catalogue import CELLS
from leadline.kernels import reference

ROOT = Path(__file__).resolve().parents[1] / "src" / "leadline"

# From the ground up. Rooms on one floor do not know each other; inside a room files may import each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "seeds"),
    ("aside", "spec"),
    ("records", "stats"),
    ("kernels", "data"),
    ("blank", "cells", "dropout", "lengths"),
    ("recurrent", "readout", "nn"),
    ("stack",),
    ("network",),
    ("baselines",),
    ("training",),
    ("checkpoint", "analysis"),
    ("plan",),
    ("trials",),
    ("search",),
    ("study",),
    ("report",),
    ("progress", "dry", "loading", "cli_options", "accidents"),
    ("looking", "listing"),
    ("comparing",),
    ("api", "bench"),
    ("cli", "__init__"),
)
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}

# What must not be imported at the top of any module of these rooms, directly or by way of others.
PLAIN = (
    "errors",
    "seeds",
    "aside",
    "spec",
    "records",
    "stats",
    "report",
    "search.decide",
    "trials.ledger",
    "trials.lock",
    "trials.database",
    "analysis.findings",
    "analysis.contrast",
    "analysis.contrast_words",
)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def room(module: str) -> str:
    return module.partition(".")[0]


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module of ours that a file imports, at its top, inside a function, or for the type checker."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[2] or "__init__" for alias in node.names if ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and ours(node.module or ""):
            inner = (node.module or "").partition(".")[2]
            if inner:
                yield inner
            else:
                yield from (alias.name if alias.name in HEIGHT else "__init__" for alias in node.names)


def ours(name: str) -> bool:
    return name.partition(".")[0] == "leadline"


def arrows() -> list[tuple[str, str]]:
    trees = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}
    return [(module, target) for module, tree in trees.items() for target in imports(tree)]


def test_every_room_has_a_floor() -> None:
    assert {room(module) for module in MODULES} == set(HEIGHT)


def test_arrows_only_point_down() -> None:
    found = arrows()
    wrong = [
        f"{source} (floor {HEIGHT[room(source)]}) imports {target} (floor {HEIGHT[room(target)]})"
        for source, target in found
        if room(source) != room(target) and HEIGHT[room(target)] >= HEIGHT[room(source)]
    ]
    assert len(found) > 200
    assert wrong == []


def test_both_halves_count_the_same_gates() -> None:
    """The spec counts without torch, so gates and states are written down twice."""
    assert {name: cell.gates for name, cell in CELLS.items()} == spec.GATES
    assert {name: cell.states for name, cell in CELLS.items()} == spec.STATES
    assert set(CELLS) == set(get_args(spec.Cell)) == set(reference._STEPS)
    assert [name for name, cell in CELLS.items() if cell.name != name] == []


def test_no_file_imports_by_a_relative_path() -> None:
    """Relative imports would hide from the table above."""
    relative = [
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import leadline.stack", ["stack"]),
        ("from leadline.data.read import read", ["data.read"]),
        ("from leadline import checkpoint, advise", ["checkpoint", "__init__"]),
        ("def f():\n    from leadline.report import page", ["report"]),
        ("import numpy, torch.nn", []),
    ],
)
def test_the_reader_sees_every_form_of_import(text: str, expected: list[str]) -> None:
    assert list(imports(ast.parse(text))) == expected


def test_the_plain_half_does_not_load_torch() -> None:
    modules = [m for m in MODULES if any(m == plain or m.startswith(f"{plain}.") for plain in PLAIN)]
    names = [f"leadline.{module.removesuffix('.__init__')}" for module in modules]
    code = "\n".join(["import sys", *(f"import {name}" for name in names), "print('torch' in sys.modules)"])
    assert len(names) > 15
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
