"""The words that users type."""
