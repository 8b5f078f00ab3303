"""Who may come in: personal links for participants, accounts and roles for staff."""
