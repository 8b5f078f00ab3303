"""Reporting guidelines filled from the store: SPIRIT 2025, CONSORT 2025, RG-MBI 2025."""
