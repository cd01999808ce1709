"""What all records share: frozen pydantic models, JSON both ways, an unknown field is an error."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Interval = tuple[float, float]


class Record(BaseModel):
    """Base of all records: frozen, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
