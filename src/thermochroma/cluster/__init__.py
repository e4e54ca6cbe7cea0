"""Runs trainings as tasks of a Ray cluster; no other room imports Ray; git and DVC are commands here."""
