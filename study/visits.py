"""When each visit may take place, and which were missed."""
