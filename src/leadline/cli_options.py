"""The options that verbs share, written once: those of reading are given to every verb that reads data."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[Path | None, typer.Argument(help="File with sequences; without it the embedded letters to sounds.")]
Subset = Annotated[int | None, typer.Option(help="Use so many words of the embedded data set.")]
Test = Annotated[Path | None, typer.Option(help="A file of the same form that becomes the test part.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same verdict.")]

HELP: dict[str, tuple[Any, str]] = {
    "target": (str | None, "Column to predict."),
    "sequence": (str | None, "Column that names the sequence (sequence, id, unique_id)."),
    "time": (str | None, "Column that orders the steps (t, time, ds)."),
    "group": (str | None, "Column that names what must stay in one part (group)."),
    "split": (str | None, "Column that names the part: train, tune, dev, test (split)."),
    "text": (str | None, "Column that holds a text."),
    "features": (list[str], "Column to use; give it once per column."),
    "exclude": (list[str], "Column to leave out; give it once per column."),
    "categorical": (list[str], "Column of names that look like numbers."),
    "numeric": (list[str], "Column of numbers."),
    "kind": (str | None, "classification, regression, tagging, step_regression or next_step."),
    "layout": (str | None, "long, wide, lines, words or text."),
    "channels": (int | None, "Values per step in the wide form."),
    "channel_order": (str | None, "interleaved (x0, y0, x1, y1) or blocks (x0, x1, y0, y1)."),
    "tokens": (str | None, "A step of a text is a char or a word."),
    "separator": (str | None, "What separates columns."),
    "encoding": (str | None, "Of text files; UTF-8 by default."),
    "max_steps": (int | None, "Longest sequence."),
    "max_size_mb": (int | None, "Largest file, unpacked, in MB; 4,096 by default, less for packed ones."),
    "max_columns": (int | None, "Most columns; 30,000 by default."),
    "max_cells": (int | None, "Most cells, or characters of a text; 200,000,000 by default."),
    "name": (str | None, "Title of the data."),
}
FLAGS = {"wide": "One row per sequence; the same as --layout wide."}


def with_read_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb all options of reading; it gets them as one `ReadOptions` named `read_options`."""
    own = [p for p in inspect.signature(verb, eval_str=True).parameters.values() if p.name != "read_options"]
    added = [_parameter(name, kind, text) for name, (kind, text) in HELP.items()]
    added.append(_header())
    added += [_flag(name, text) for name, text in FLAGS.items()]

    def command(**given: Any) -> None:
        names = {*HELP, "header"}
        chosen = {name: given.pop(name) for name in names}
        if given.pop("wide"):
            chosen["layout"] = "wide"
        verb(**given, read_options=_build(chosen))

    command.__name__, command.__doc__ = verb.__name__, verb.__doc__
    parameters = [*own, *added]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _build(chosen: dict[str, Any]) -> Any:
    from leadline.data.options import ReadOptions

    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in chosen.items() if v is not None}
    return ReadOptions(**given)


def _parameter(name: str, kind: Any, text: str) -> inspect.Parameter:
    option = typer.Option("--" + name.replace("_", "-"), help=text, rich_help_panel="Reading")
    default: Any = [] if kind == list[str] else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _header() -> inspect.Parameter:
    option = typer.Option("--header/--no-header", help="Whether the first line names the columns.")
    return inspect.Parameter(
        "header", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[bool | None, option]
    )


def _flag(name: str, text: str) -> inspect.Parameter:
    option = typer.Option(f"--{name}", help=text)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, option])
