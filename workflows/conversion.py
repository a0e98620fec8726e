"""How the messages of a case are written into Temporal's history: as JSON, without what is at its default.

History is kept, sent and replayed again and again, so each byte counts. In return the default of a field that may lie
in a history can never change: `tests/house/test_defaults.py` holds them all.
"""

from functools import lru_cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import SchemaSerializer, core_schema
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)

_SERIALIZER = SchemaSerializer(core_schema.any_schema())


@lru_cache
def _adapter(hint: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - whatever may stand as a type hint
    return TypeAdapter(hint)


class _LeanJson(EncodingPayloadConverter):
    @property
    def encoding(self) -> str:
        return "json/plain"

    def to_payload(self, value: Any) -> Payload:  # noqa: ANN401 - whatever a workflow, an update or an activity takes
        return Payload(metadata={"encoding": b"json/plain"}, data=_SERIALIZER.to_json(value, exclude_defaults=True))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:  # noqa: ANN401 - likewise
        if isinstance(type_hint, type) and issubclass(type_hint, BaseModel):
            return type_hint.model_validate_json(payload.data)
        hint: Any = Any if type_hint is None else type_hint
        return _adapter(hint).validate_json(payload.data)


#: Made once: the SDK makes a payload converter for every context in which it meets a payload.
_CONVERTERS = tuple(
    _LeanJson() if isinstance(each, JSONPlainPayloadConverter) else each
    for each in DefaultPayloadConverter.default_encoding_payload_converters
)


class LeanPayloadConverter(CompositePayloadConverter):
    """`others`: for encodings beside the usual ones."""

    def __init__(self, *others: EncodingPayloadConverter) -> None:
        super().__init__(*_CONVERTERS, *others)
