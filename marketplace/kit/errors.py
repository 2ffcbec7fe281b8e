"""Errors a client can cause. Each is a class with a status, a code and the data it needs."""

from collections.abc import Mapping


class Problem(Exception):
    """The base of every error a client can cause; rendered as an RFC 9457 problem document."""

    status = 400
    code = "bad_request"
    sentence = "This request could not be understood."

    def __init__(
        self,
        sentence: str | None = None,
        *,
        errors: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.sentence = sentence or type(self).sentence
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})
        self.beside: dict[str, object] = {}  # further members of the document (RFC 9457, 3.2)
        super().__init__(self.sentence)


class Malformed(Problem):
    """400: the body is not what its content type says."""

    code = "malformed"
    sentence = "The body is not valid JSON."


class NotSignedIn(Problem):
    """401: no token, or one that does not count any more."""

    status = 401
    code = "not_signed_in"
    sentence = "Please sign in first."

    def __init__(self, sentence: str | None = None, *, error: str = "") -> None:
        """`error` is RFC 6750's word for what is wrong with the token that came; none where none did."""
        challenge = f'Bearer error="{error}"' if error else "Bearer"
        super().__init__(sentence, headers={"WWW-Authenticate": challenge})


class NotAllowed(Problem):
    """403: visible, but not for the caller to do."""

    status = 403
    code = "not_allowed"
    sentence = "This is not yours to do."


class NotFound(Problem):
    """404: not there, or not visible to the caller; the answer is the same."""

    status = 404
    code = "not_found"
    sentence = "There is nothing here."

    @classmethod
    def of(cls, what: str) -> "NotFound":
        """The error about one kind of thing, such as "listing"."""
        return cls(f"This {what} does not exist, or is not visible to you.")


class Conflict(Problem):
    """409: the thing's state does not allow this now."""

    status = 409
    code = "conflict"
    sentence = "Somebody changed this a moment ago. Load it again and repeat."


class Duplicate(Conflict):
    """409: it exists already and may exist only once."""

    code = "duplicate"
    sentence = "This exists already."


class PreconditionFailed(Problem):
    """412: If-Match named another version than the current one."""

    status = 412
    code = "precondition_failed"
    sentence = "This was changed since you loaded it. Load it again and repeat."


class Invalid(Problem):
    """422: well formed JSON with wrong fields, each with its sentences."""

    status = 422
    code = "invalid"
    sentence = "Some fields are not right."

    @classmethod
    def field(cls, name: str, sentence: str) -> "Invalid":
        """The error about one field."""
        return cls(sentence, errors={name: [sentence]})


class TooMany(Problem):
    """429: a limit is used up; `retry_after` in seconds."""

    status = 429
    code = "too_many_requests"
    sentence = "Too many requests. Wait a little and try again."

    def __init__(self, sentence: str | None = None, *, retry_after: int = 60) -> None:
        super().__init__(sentence, headers={"Retry-After": str(max(retry_after, 1))})


class Busy(Problem):
    """503: the database or a lock did not answer in time."""

    status = 503
    code = "busy"
    sentence = "The marketplace is busy. Try again in a moment."

    def __init__(self, sentence: str | None = None, *, seconds: int = 1) -> None:
        super().__init__(sentence, headers={"Retry-After": str(seconds)})
