"""Engines that turn a session plan into sound."""
