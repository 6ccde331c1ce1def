"""Hostile inputs by subject, each with the one clean answer that is expected, and how they are put to the test."""
