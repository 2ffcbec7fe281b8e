"""Security events as log events: what an operator watches, by ids and words that are no secret and nobody's name."""

from typing import Any

import structlog
from flask import g, has_request_context, request

log = structlog.get_logger("security")


def record(event: str, **ids: Any) -> None:
    """Log one security event with the address and id of its request."""
    if has_request_context():
        log.warning(event, address=request.remote_addr or "", request_id=g.get("request_id"), **ids)
    else:
        log.warning(event, **ids)
