"""Interfaces of a plug-in: method, batch, settings, data set."""
