"""Weights of other people: fetch, verify, convert, stand in for."""
