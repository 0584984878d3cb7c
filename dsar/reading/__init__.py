"""What a reply says: its own words, read sentence by sentence, by rules that are data."""
