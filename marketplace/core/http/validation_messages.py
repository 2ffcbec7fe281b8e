"""What people are told of a wrong field: our sentences in the place of marshmallow's, for every field and validator."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

MISSING = "This is missing."
OBJECT = "This must be an object with fields."
NUMBER = "This must be a number."
OF_FIELDS: dict[type[fields.Field[Any]], dict[str, str]] = {
    fields.Field: {
        "required": MISSING,
        "null": "This must have a value, not null.",
        "validator_failed": "This is not right.",
    },
    fields.Nested: {"type": OBJECT},
    fields.List: {"invalid": "This must be a list."},
    fields.String: {"invalid": "This must be a text.", "invalid_utf8": "This text is not valid UTF-8."},
    fields.Number: {"invalid": NUMBER, "too_large": "This number is too large."},
    fields.Integer: {"invalid": "This must be a whole number."},
    fields.Float: {"special": NUMBER},
    fields.Decimal: {"special": NUMBER},
    fields.Boolean: {"invalid": "This must be true or false."},
    fields.DateTime: {"invalid": "This must be a date and time such as 2030-06-01T12:00:00Z."},
    fields.Date: {"invalid": "This must be a date such as 2030-06-01."},
    fields.Mapping: {"invalid": OBJECT},
}
OF_VALIDATORS: dict[type[validate.Validator], dict[str, str]] = {
    validate.OneOf: {"default_message": "One of: {choices}."},
    validate.ContainsOnly: {"default_message": "Only these: {choices}."},
    validate.Regexp: {"default_message": "This is not written as it has to be."},
    validate.Range: {  # formatted twice: once with the operators, once with the bounds
        "message_min": "At least {{min}}.",
        "message_max": "At most {{max}}.",
        "message_all": "Between {{min}} and {{max}}.",
    },
    validate.Length: {
        "message_min": "At least {min}.",
        "message_max": "At most {max}.",
        "message_all": "Between {min} and {max}.",
        "message_equal": "Exactly {equal}.",
    },
}


class TextLength(validate.Length):
    """How long a text may be, in characters; a text that is too long is told how long it is."""

    def __call__(self, value: Any) -> Any:
        """Raises ValidationError; an empty text where one is needed counts as missing."""
        length = len(value)
        if self.min and not length:
            raise self.refused(MISSING)
        if self.min is not None and length < self.min:
            raise self.refused(f"At least {self.min:,} characters; this has {length:,}.")
        if self.max is not None and length > self.max:
            raise self.refused(f"At most {self.max:,} characters; this has {length:,}.")
        return value

    @staticmethod
    def refused(sentence: str) -> ValidationError:
        """A ValidationError with this sentence."""
        return ValidationError(sentence)


def install() -> None:
    """Give the library's classes our sentences; they are read whenever a field or validator is made."""
    Schema.error_messages = {**Schema.error_messages, "type": OBJECT}
    for kind, sentences in OF_FIELDS.items():
        kind.default_error_messages = {**kind.default_error_messages, **sentences}
    for validator, texts in OF_VALIDATORS.items():
        for name, text in texts.items():
            setattr(validator, name, text)


install()
