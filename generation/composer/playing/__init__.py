"""How it is played: timing, touch and articulation."""
