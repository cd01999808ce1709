"""Which layout a file has, told from its suffix, its first lines and its column names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadline.data.columns import MISSING, TYPO_SHARE, plain
from leadline.data.delimited import cells_of
from leadline.data.options import Layout, ReadOptions
from leadline.data.roles import RECOGNISED, find_roles
from leadline.data.table import Table

DELIMITED = (".csv", ".tsv", ".tab")
SAMPLE = 400
# Enough for 400 lines of 5,000 characters; of longer lines fewer tell the layout.
SAMPLE_CHARACTERS = 2_000_000
# A single line of names of columns is never so long: it is a text without line ends.
LONGEST_HEADER = 10_000
SEPARATORS = ("\t", ",", ";", "|")
KNOWN = frozenset(name for names in RECOGNISED.values() for name in names)


@dataclass(frozen=True)
class Guess:
    """How to read a text file; `layout` None means a table whose columns tell whether it is long or wide."""

    layout: Layout | None
    separator: str
    header: bool
    notes: tuple[str, ...] = ()


def guess_text(text: str, suffix: str, options: ReadOptions) -> Guess:
    """The layout of a text file.

    Args:
        text: the whole file.
        suffix: ".csv", ".tsv", ".txt" and so on.
        options: what the user said already.
    """
    sample = _sample(text)
    filled = [line for line in sample if line.strip()]
    separator, said = _separator(filled, suffix, options)
    if _is_one_line(filled, suffix, separator, options):
        return Guess("text", separator, False)
    rows = cells_of(filled, separator)
    header = options.header if options.header is not None else _has_header(rows, options)
    if options.layout is not None:
        return Guess(options.layout, separator, header, said)
    if _is_sentences(sample, filled, suffix, options):
        return Guess("words", separator, False, ("Blank lines between rows: a token and its label per line.",))
    if _plain(filled, suffix, separator, rows, header):
        return Guess("text", separator, False)
    if header or separator != "\t":
        return Guess(None, separator, header, said)
    return _headless_tabs(rows, separator, said)


def _sample(text: str) -> list[str]:
    """The first lines, from the first that is not blank on."""
    first = text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1
    last = text.find("\n", first + SAMPLE_CHARACTERS)
    return text[first : last if last >= 0 else len(text)].split("\n", SAMPLE)[:SAMPLE]


def _separator(lines: list[str], suffix: str, options: ReadOptions) -> tuple[str, tuple[str, ...]]:
    if options.separator is not None:
        return options.separator, ()
    usual = {".csv": ",", ".tsv": "\t", ".tab": "\t"}.get(suffix)
    if usual is not None and usual in lines[0]:
        return usual, ()
    counts = {mark: min(line.count(mark) for line in lines) for mark in SEPARATORS}
    best = max(SEPARATORS, key=lambda mark: counts[mark])
    if counts[best] == 0:
        return usual or "\t", ()
    names = {"\t": "a tab", ",": "a comma", ";": "a semicolon", "|": "a bar"}
    return best, (f"Columns are separated by {names[best]} (--separator overrules).",)


def _has_header(rows: list[list[str]], options: ReadOptions) -> bool:
    first = [cell.strip() for cell in rows[0]]
    asked = {getattr(options, role) for role in RECOGNISED} | {*options.features, *options.exclude}
    if len(first) > 1 and any(cell.lower() in KNOWN or cell in asked for cell in first):
        return True
    if any(_is_number(cell) for cell in first) or _is_spelled(rows[0]):
        return False
    width = len(first)
    columns = zip(*(row for row in rows[1:] if len(row) == width), strict=True)
    return any(_all_numbers(column) for column in columns)


def _all_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip().lower() not in MISSING]
    return len(filled) > 0 and sum(map(_is_number, filled)) >= TYPO_SHARE * len(filled)


def _is_spelled(row: Sequence[str]) -> bool:
    """Whether the second cell has a label for each letter of the first."""
    return len(row) > 1 and 0 < len(row[0]) == len(row[1].split())


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_sentences(sample: list[str], filled: list[str], suffix: str, options: ReadOptions) -> bool:
    """Blank lines inside, two or more columns in nearly all others, and no more labels than tokens."""
    inside = "\n".join(sample).strip("\n").split("\n")
    if suffix == ".csv" or all(line.strip() for line in inside):
        return False
    between = options.separator or ("\t" if any("\t" in line for line in filled) else None)
    cells = [line.split(between) for line in filled]
    widths = [len(row) for row in cells]
    usual = max(set(widths), key=widths.count)
    if usual < 2 or widths.count(usual) < 0.95 * len(widths):
        return False
    tokens, labels = ({row[place] for row in cells if len(row) > 1} for place in (0, 1))
    return len(labels) <= len(tokens)


def _is_one_line(filled: list[str], suffix: str, separator: str, options: ReadOptions) -> bool:
    """Whether the file is a text without line ends."""
    if len(filled) > 1 or len(filled[0]) <= LONGEST_HEADER or suffix in DELIMITED:
        return False
    said = (options.layout, options.separator, options.header)
    return said == (None, None, None) and not _mostly_numbers(cells_of([filled[0][:LONGEST_HEADER]], separator))


def _plain(filled: list[str], suffix: str, separator: str, rows: list[list[str]], header: bool) -> bool:
    if suffix in DELIMITED:
        return False
    if separator == "\t" and sum("\t" in line for line in filled) >= 0.5 * len(filled):
        return False
    widths = {len(row) for row in rows}
    return not (len(widths) == 1 and max(widths) > 1 and (header or _mostly_numbers(rows)))


def _mostly_numbers(rows: list[list[str]]) -> bool:
    cells = [cell.strip() for row in rows for cell in row]
    return sum(_is_number(cell) or cell.lower() in MISSING for cell in cells) >= 0.5 * len(cells)


def _headless_tabs(rows: list[list[str]], separator: str, said: tuple[str, ...]) -> Guess:
    full = [row for row in rows if len(row) > 1]
    spelled = [_is_spelled(row) for row in full]
    letters = sum(len(row[0]) for row in full)
    if full and sum(spelled) >= 0.8 * len(full) and letters > len(full):
        note = "Column 2 has a label for each letter of column 1: words and labels (--layout overrules)."
        return Guess("words", separator, False, (note,))
    if full and _mostly_numbers([row[1:] or row for row in full]) and not _one_text(full):
        return Guess(None, separator, False, said)
    note = "No column names: a label and a text per line (--layout overrules)."
    return Guess("lines", separator, False, (note,))


def _one_text(rows: list[list[str]]) -> bool:
    """Whether the second cell is text: label and text, with tabs at the end."""
    return sum(not _is_number(row[1]) for row in rows) > 0.5 * len(rows)


def guess_table(table: Table, options: ReadOptions, needs_target: bool = True) -> tuple[Layout, str]:
    """Long, wide, or label and text, from the columns; and why."""
    if options.layout is not None:
        return options.layout, ""
    roles = find_roles(table, options, needs_target)
    if roles.text or (roles.target and len(roles.features) == 1 and _is_text(table, roles.features[0], roles.sequence)):
        return "lines", "Read as a label and a text per row (--layout overrules)."
    if roles.sequence is None and not roles.time:
        return "wide", "No column names a sequence or a time: a row per sequence (--layout long overrules)."
    if roles.sequence is None:
        return "long", "Read in long form: a row per step (--layout overrules)."
    if table.column(roles.sequence).n_unique() == table.frame.height and roles.time is None:
        return (
            "wide",
            f"Column '{roles.sequence}' has no value twice: a row per sequence (--layout long overrules).",
        )
    return "long", "Read in long form: a row per step (--layout overrules)."


def _is_text(table: Table, column: str, sequence: str | None) -> bool:
    """Whether the only feature is running text: long values that hardly repeat, no sequence column."""
    series = table.column(column)
    if sequence is not None or str(plain(series.head(1)).dtype) != "String":
        return False
    return series.n_unique() > 0.5 * len(series) and not all(_is_number(v or "") for v in series.head(50).to_list())
