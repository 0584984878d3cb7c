"""Whom one can write to: reading, checking, merging and pulling the registry."""
