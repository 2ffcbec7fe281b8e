"""What the chat uses of Socket.IO's and Engine.IO's libraries; to be imported from here.

They would load libraries that only their clients need (aiohttp, requests, websocket) or other queues than ours (kombu),
if those are installed, as they are here for push, SMS and Celery: 0.1 s at each start.
"""

from marketplace.kit.lazy_module import not_installed

with not_installed("aiohttp", "kombu", "requests", "websocket"):
    from engineio.exceptions import EngineIOError, QueueEmpty, UnknownPacketError
    from engineio.packet import MESSAGE, Packet
    from engineio.payload import Payload
    from flask_socketio import ConnectionRefusedError as Refused
    from flask_socketio import SocketIO, emit, join_room, leave_room

__all__ = [
    "MESSAGE",
    "EngineIOError",
    "Packet",
    "Payload",
    "QueueEmpty",
    "Refused",
    "SocketIO",
    "UnknownPacketError",
    "emit",
    "join_room",
    "leave_room",
]
