"""What a page is made of: frozen pieces that are worded and formatted already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers stand at the right, long names need room."""

    title: str
    numeric: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Args:
        cells: one text for each column.
        kind: "" or a name from a fixed set that a style sheet may colour: "advised" or a decision.
    """

    cells: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table with what it shows."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Args:
        key: names it within the page.
        title: what one sees, in words.
        spec: Vega-Lite.
        numbers: the same as a table.
        note: how to read it.
    """

    key: str
    title: str
    spec: dict[str, Any]
    numbers: Table | None = None
    note: str = ""


@dataclass(frozen=True)
class Listed:
    """Short lines under a title of their own."""

    title: str
    lines: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page: sentences, lists, charts, tables, code, in this order.

    `reader` is JSON of sequences that the page can leaf through. A folded part shows its title alone until it is
    opened.
    """

    key: str
    title: str
    sentences: tuple[str, ...] = ()
    lists: tuple[Listed, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    code: str = ""
    reader: str = ""
    folded: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.sentences or self.lists or self.charts or self.tables or self.code or self.reader)


@dataclass(frozen=True)
class Bar:
    """A range on the sheet's common axis, places in per cent of its width."""

    low: float
    high: float
    point: float


@dataclass(frozen=True)
class SheetRow:
    """A row of the answer sheet.

    Args:
        question, word, effect, interval, note: texts.
        kind: code of the word, from a fixed set that a style sheet may colour.
        bar: the range, where there is one.
    """

    question: str
    word: str
    kind: str
    effect: str
    interval: str
    note: str
    bar: Bar | None


@dataclass(frozen=True)
class Sheet:
    """The answer sheet: a table with bars.

    Args:
        unit: what the figures count.
        rows: in the order of the verdict.
        zero, margin: their places on the axis, in per cent.
        margin_text: the margin in words.
        sentences: questions that are sentences.
    """

    unit: str
    rows: tuple[SheetRow, ...]
    zero: float
    margin: float
    margin_text: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """One figure at a glance."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """The page, before any markup.

    Args:
        title: of the document.
        about: what the verdict is about, one sentence.
        headline: the verdict as a sentence or two.
        lead: why, and what the test part said.
        figures: at a glance.
        sections: in the order of the page.
        sheet: the answer sheet.
        top: name of the first part.
        source: the file that everything comes from.
    """

    title: str
    about: str
    headline: str
    lead: tuple[str, ...]
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
    sheet: Sheet | None = None
    top: str = "Verdict"
    source: str = "verdict.json"
