"""Nothing is sent: the text stays on the delivery, where `flask notifications` shows it."""

from marketplace.notifications.gateways.channel import OutboundMessage

SHOWN = "shown"


class ShownChannel:
    """The embedded form of every channel."""

    def send(self, letter: OutboundMessage) -> str:
        """Nothing leaves this machine."""
        return SHOWN
