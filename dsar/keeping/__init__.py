"""What happens to a home as a whole: backed up, restored, exported, forgotten, sealed."""
