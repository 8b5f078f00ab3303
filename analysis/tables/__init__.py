"""The record and the manifests as tidy tables, and what is paired with what."""
