"""Pure decisions: standard library only, no file, socket or clock."""
