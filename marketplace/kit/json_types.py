"""What can be written as JSON, for the type checker."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeAlias

# Moments and dates are written as text. Sequence and Mapping, not list and dict: a list of texts is JSON too.
Json: TypeAlias = str | int | float | bool | date | Sequence["Json"] | Mapping[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]
