"""What members of staff see, each role its own."""
