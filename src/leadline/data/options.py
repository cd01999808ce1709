"""`ReadOptions`: everything that reading infers and that a user can overrule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args

from leadline.errors import OptionError
from leadline.records.trial import Kind

Layout = Literal["long", "wide", "lines", "words", "text"]
Tokens = Literal["char", "word"]
ChannelOrder = Literal["interleaved", "blocks"]

WINDOW_STEPS = 512
TEXT_WINDOW_STEPS = 128
MOST_STEPS = 10_000

# What a file may become in memory before reading refuses it; each can be raised by the option of the same meaning.
# Text of 4 GB takes some 20 GB once it is cells: more than most machines have.
MOST_MB = 4096
# A packed file is held to less, so that a small one cannot fill the memory: tables seldom pack better than 20 : 1.
MOST_UNPACKED = 100
# Below this an unpacked file does no harm, however well it was packed.
HARMLESS_MB = 32
# Three values at each of the 10,000 steps that a wide row may have; read in about three seconds.
MOST_COLUMNS = 30_000
# Twenty million rows of ten columns.
MOST_CELLS = 200_000_000


@dataclass(frozen=True)
class ReadOptions:
    """What to take from a file, where the file alone does not say it.

    Every default means "infer it, and say what was inferred in `Sequences.notes`". A column of a file
    without header is named by its number: `column_1`, `column_2` and so on.

    Args:
        target: the column to predict; "none" where a file has no target.
        sequence: the column that names the sequence a row belongs to.
        time: the column that orders the steps of a sequence.
        group: the column that names what must stay in one part (a writer, a speaker, a patient).
        split: the column that names the part: train, tune, dev or test.
        text: the column that holds a text.
        features: the columns to use; empty for all that have no other role.
        exclude: columns to leave out.
        categorical: columns whose values are names although they look like numbers.
        numeric: columns whose values are numbers (text in them is an error).
        kind: what is predicted.
        layout: "long" (a row per step), "wide" (a row per sequence), "lines" (label and text per line),
            "words" (a word and its labels, or a token and its label, per line) or "text" (next character).
        channels: values per step in the wide form; inferred from numbered column names, else 1.
        channel_order: "interleaved" for x0, y0, x1, y1; "blocks" for x0, x1, y0, y1.
        header: whether the first line names the columns.
        tokens: a step of a text is a "char" or a "word".
        separator: what separates columns.
        encoding: of text files; UTF-8 by default, with or without a byte order mark.
        max_steps: longest sequence. Where every step has a target, longer ones are cut into windows (512
            steps by default, 128 in plain text: enough for gradients to reach, short enough to batch);
            where a sequence has one target, its last `max_steps` steps are kept, and without this option
            more than 10,000 steps are an error.
        max_size_mb: largest content, unpacked, in MB (a million bytes). By default 4,096; of a packed file (gzip,
            Parquet) not more than 100 times its size on disk, from 32 MB on, so that a small file cannot fill
            the memory.
        max_columns: most columns, or different keys of JSON lines; 30,000 by default (three values at each of
            10,000 steps).
        max_cells: most cells (rows times columns), or characters of a text that is read by characters;
            200,000,000 by default.
        name: title of the data; the file's name by default.

    Raises:
        OptionError: for a value that does not exist.

    >>> ReadOptions(kind="tagging", max_steps=100).max_steps
    100
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {
        "extra": "forbid"
    }  # out of JSON, too, an unknown field is an error

    target: str | None = None
    sequence: str | None = None
    time: str | None = None
    group: str | None = None
    split: str | None = None
    text: str | None = None
    features: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    kind: Kind | None = None
    layout: Layout | None = None
    channels: int | None = None
    channel_order: ChannelOrder | None = None
    header: bool | None = None
    tokens: Tokens | None = None
    separator: str | None = None
    encoding: str | None = None
    max_steps: int | None = None
    max_size_mb: int | None = None
    max_columns: int | None = None
    max_cells: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        _check_kind(self.kind)
        _check_choice("layout", self.layout, get_args(Layout))
        _check_choice("tokens", self.tokens, get_args(Tokens))
        _check_choice("channel_order", self.channel_order, get_args(ChannelOrder))
        _check_positive("channels", self.channels)
        for name in ("max_steps", "max_size_mb", "max_columns", "max_cells"):
            _check_positive(name, getattr(self, name))
        _check_separator(self.separator)
        both = sorted(set(self.categorical) & set(self.numeric))
        if both:
            raise OptionError(
                f"column '{both[0]}' is named in categorical and in numeric",
                expected="each column in one of them",
                next_move="Leave it in the one that is right.",
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ReadOptions:
        """Options from what `dataclasses.asdict` gave, also after a round through JSON.

        Raises:
            OptionError: an option that does not exist.

        >>> ReadOptions.from_dict({"exclude": ["id"]}).exclude
        ('id',)
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise OptionError(
                f"there is no option '{unknown[0]}'",
                expected=_one_of(tuple(known)),
                next_move="Correct the name or leave it out.",
            )
        tupled: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return cls(**tupled)

    @property
    def without_target(self) -> bool:
        """Whether the user said that there is no target."""
        return self.target == "none"


def _check_kind(kind: str | None) -> None:
    if kind in ("forecasting", "forecast"):
        raise OptionError(
            "kind 'forecasting' is not there yet",
            expected=_one_of(get_args(Kind)),
            next_move="Add a column that holds the value to predict at each step (the series shifted by the "
            "horizon), name it with --target and use --kind step_regression.",
        )
    if kind in ("multilabel", "multi_label"):
        raise OptionError(
            f"kind '{kind}' (many labels per step) is not there",
            expected=_one_of(get_args(Kind)),
            next_move="Make one file per label and predict each alone.",
        )
    _check_choice("kind", kind, get_args(Kind))


def _one_of(choices: tuple[str, ...]) -> str:
    return "one of " + ", ".join(choices)


def _check_choice(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise OptionError(
            f"{name} '{value}' does not exist",
            expected=_one_of(choices),
            next_move=f"Choose one of them, or leave {name} out to have it inferred.",
        )


def _check_positive(name: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise OptionError(
            f"{name} is {value}",
            expected="a whole number from 1 on",
            next_move=f"Leave {name} out to have it inferred, or to take the default.",
        )


def _check_separator(separator: str | None) -> None:
    if separator is not None and (len(separator) != 1 or not separator.isascii() or separator in '"\n\r\0'):
        raise OptionError(
            f"separator {separator!r} cannot separate columns",
            expected="one character such as ',' or ';' or a tab",
            next_move="Leave it out to have it inferred.",
        )
