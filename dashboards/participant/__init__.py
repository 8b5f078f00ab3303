"""What a participant sees, and what becomes of what they say."""
