"""dsar: data-subject requests, sent and followed until they are answered."""

__version__ = "0.1.0"
