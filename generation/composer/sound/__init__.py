"""How it sounds: instruments, room and level."""
