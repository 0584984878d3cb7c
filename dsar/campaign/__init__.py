"""Members and mandates → plans, waves, workers: how a group files for thousands."""
