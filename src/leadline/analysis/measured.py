"""What all records of findings share: a figure with its interval, words for direction and outcome, JSON both ways."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict

from leadline.records.base import Interval, Record
from leadline.records.stored import parse

Direction = Literal["all", "forward", "backward"]
Side = Literal["back", "ahead"]
Against = Literal["more", "less", "open"]


class Finding(Record):
    """Base of all findings: a number that is not finite survives JSON, as a string."""

    model_config = ConfigDict(ser_json_inf_nan="strings")


class Document(Finding):
    """A finding that is a file of its own."""

    def to_json(self) -> str:
        """The text of the file; a number that is not finite is written as a string."""
        return self.model_dump_json(by_alias=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            RunFolderError: it is something else.
        """
        return parse(text, cls)


class Measured(Finding):
    """A figure and its 95 % interval; None where one cannot be given."""

    value: float
    interval: Interval | None = None
