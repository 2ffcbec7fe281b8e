"""The field names of the newer client's page of the contract, copied by hand: a renamed field must fail a test."""


def _fields(text: str) -> set[str]:
    return {name.strip() for name in text.split(",")}


PRESENCE = _fields("user_id, is_online, online_status, status, last_seen, last_seen_display, timestamp")
CONNECTED = _fields("user_id, status, timestamp")
HEARTBEAT_ACK = _fields("status, timestamp")
