"""`dsar demo`: the full cycle on mail servers of its own, with invented companies."""
