"""The player's log: checked, recorded once, and what it amounts to."""
