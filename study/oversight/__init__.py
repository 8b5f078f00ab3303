"""How the study goes: who is where, what is complete, what needs somebody now."""
