"""Writes translators to files with their metadata, and reads them again."""
