"""From a message to labels: the transport first, then the sender's own words."""

from __future__ import annotations

from dsar.core.message import Label, Message
from dsar.reading.reading import Reading
from dsar.reading.signals import transport_label


def read(message: Message) -> Reading:
    """Return what a message is; `unclear` rather than a guess."""
    label = transport_label(message)
    if label is None and message.automatic in ("auto-replied", "vacation"):
        label = Label.AUTO_REPLY
    if label is None:
        return Reading(labels=(Label.UNCLEAR,), confidence=0.0, sentence="", language="")
    return Reading(labels=(label,), confidence=0.9, sentence=message.subject, language="")
