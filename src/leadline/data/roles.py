"""Which column of a table plays which part: by option, else by its name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from leadline.data.options import ReadOptions
from leadline.data.table import Table
from leadline.errors import DataError

RECOGNISED: dict[str, tuple[str, ...]] = {
    "sequence": ("sequence", "id", "unique_id"),
    "time": ("t", "time", "ds"),
    "group": ("group",),
    "split": ("split",),
    "target": ("target", "label", "y"),
    "text": ("text",),
}
MEANING = {
    "sequence": "names the sequence",
    "time": "orders the steps",
    "group": "names what must stay in one part",
    "split": "names the part",
    "target": "is the target",
    "text": "holds the text",
}

UNNEEDED = ("target", "group", "split")
# Names that a user may have misspelt; longer ones are text in the place of names.
LONGEST_NAME = 100


@dataclass(frozen=True)
class Roles:
    """Column names by role, None where there is none; `features` are the columns that are left."""

    sequence: str | None
    time: str | None
    group: str | None
    split: str | None
    target: str | None
    text: str | None
    features: tuple[str, ...]
    notes: tuple[str, ...]


def find_roles(table: Table, options: ReadOptions, needs_target: bool = True) -> Roles:
    """The roles of the table's columns.

    Where no target is needed, the columns of the target, the group and the part may be missing although they
    are named.

    Raises:
        DataError: an option names a column that is not there, or two columns could play one role.
    """
    for name in (*options.features, *options.exclude, *options.categorical, *options.numeric):
        require(table, name)
    found, notes = {}, []
    for role in RECOGNISED:
        found[role], note = _find_role(table, options, role, needs_target)
        notes.extend(note)
    taken = {name for name in found.values() if name is not None} | set(options.exclude)
    features = options.features or tuple(name for name in table.frame.columns if name not in taken)
    if options.exclude:
        notes.append(f"Left out as asked: {', '.join(options.exclude)}.")
    return Roles(**found, features=features, notes=tuple(notes))


def _find_role(table: Table, options: ReadOptions, role: str, needs_target: bool) -> tuple[str | None, list[str]]:
    asked = getattr(options, role)
    if role == "target" and options.without_target:
        return None, []
    if not needs_target and role in UNNEEDED and asked is not None and asked not in table.frame.columns:
        return None, []
    if asked is not None:
        return require(table, asked, role), []
    used = {*options.features, *options.exclude}
    used |= {getattr(options, other) for other in RECOGNISED if getattr(options, other)}
    matches = [c for c in table.frame.columns if c.lower() in RECOGNISED[role] and c not in used]
    if len(matches) > 1:
        raise DataError(
            f"columns {_quoted(matches)} could each be the {role}",
            where=table.where(None, matches[1]),
            expected=f"one column that {MEANING[role]}",
            next_move=f"Say which with --{role}, and leave the other out with --exclude if it is no feature.",
        )
    if not matches:
        return None, []
    return matches[0], [f"Column '{matches[0]}' {MEANING[role]} (by its name; --{role} overrules)."]


def require(table: Table, name: str, role: str = "") -> str:
    """`name`, unless the table has no such column."""
    columns = table.frame.columns
    if name in columns:
        return name
    if role == "target" and "," in name and all(part.strip() in columns for part in name.split(",")):
        raise DataError(
            f"'{name}' names several targets",
            where=table.where(None, name),
            expected="one target: many labels per step are refused",
            next_move="Predict each target alone.",
        )
    close = _close(name, columns)
    hint = f"Did you mean '{close[0]}'?" if close else "Correct the name."
    if not table.header:
        hint += " The first line was taken as data; use --header if it names the columns."
    raise DataError(
        f"there is no column '{name}'",
        where=table.where(None, name),
        expected=f"one of {_quoted(columns)}",
        next_move=hint,
    )


def _close(name: str, columns: list[str]) -> list[str]:
    """What `name` may have meant; the time of the search grows with the square of a name's length."""
    if len(name) > LONGEST_NAME:
        return []
    return difflib.get_close_matches(name, [column for column in columns if len(column) <= LONGEST_NAME], 1)


def _quoted(names: list[str]) -> str:
    shown = [f"'{name}'" for name in names[:12]]
    return ", ".join(shown) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
