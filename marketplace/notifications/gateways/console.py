"""The embedded channel: nothing is sent, the text stays on the delivery for `flask notifications` to show."""

from marketplace.notifications.gateways.channel import OutboundMessage

SHOWN = "shown"


class ShownChannel:
    """Sends nothing."""

    def send(self, letter: OutboundMessage) -> str:
        """Returns `shown` in place of a reference."""
        return SHOWN
