"""What every value in the core has in common: it never changes, and old history can always be read back."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value that Temporal's history may hold.

    Unknown fields are ignored on purpose: a worker rolled back to an older release must still read
    what a newer one wrote. New fields therefore always get a default.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
