"""Privacy in and out."""

from marshmallow import Schema, fields

from marketplace.auth.schemas import password
from marketplace.core.http.fields import Int, Str
from marketplace.core.http.schemas import Input
from marketplace.core.queues.routes import JobSchema


class ExportAskedSchema(Schema):
    """The export that is being made."""

    message = Str(required=True, example="We are packing your data. A letter comes when it is ready.")
    id = Int(required=True, example=7)
    export = fields.Nested(JobSchema, required=True)


class ErasureSchema(Input):
    """The password, to show that it is you."""

    password = password(required=True, shortest=1)
