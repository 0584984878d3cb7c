"""What the transport says, before any words are read: bounces, receipts, machines."""

from __future__ import annotations

from dsar.core.message import DeliveryReport, Label, Message


def transport_label(message: Message) -> Label | None:
    """The label that the form of a message alone decides, or None."""
    if message.report is not None:
        return _bounce_label(message.report)
    if message.automatic in ("read-receipt", "challenge", "feedback-report"):
        return Label.AUTO_REPLY
    return None


def _bounce_label(report: DeliveryReport) -> Label:
    if report.action in ("delivered", "relayed", "expanded"):
        return Label.AUTO_REPLY
    if report.action == "delayed" or report.passing:
        return Label.BOUNCE_TEMPORARY
    return Label.BOUNCE_PERMANENT
