"""The second factor in and out."""

from marshmallow import Schema, fields

from marketplace.auth.schemas import link_token, one_time_code, password
from marketplace.core.http.fields import Int, Str
from marketplace.core.http.schemas import Input


class CodeSchema(Input):
    """What the authenticator shows."""

    code = one_time_code(required=True, shortest=1)


class SwitchOffSchema(CodeSchema):
    """Both proofs."""

    password = password(required=True, shortest=1)


class ChallengeAnswerSchema(CodeSchema):
    """The challenge of the log-in, and the code."""

    challenge_token = link_token()


class SecretSchema(Schema):
    """For the authenticator: to scan or to type."""

    secret = Str(required=True, example="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    otpauth_uri = Str(required=True, example="otpauth://totp/Marketplace:anna_k?secret=JBSWY3DP&issuer=Marketplace")
    qr_svg = Str(required=True, longest=50_000, example="<svg xmlns='http://www.w3.org/2000/svg'></svg>")


class RecoveryCodesSchema(Schema):
    """Shown once: each signs in once without the authenticator."""

    message = Str(required=True, example="Keep these codes where the telephone is not.")
    recovery_codes = fields.List(fields.String(), required=True, metadata={"example": ["k7mwd-p2x9a"]})


class SecondFactorSchema(Schema):
    """How it stands."""

    enabled = fields.Boolean(required=True, metadata={"example": True})
    recovery_codes_left = Int(required=True, example=10)
