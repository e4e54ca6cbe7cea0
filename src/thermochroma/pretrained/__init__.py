"""Weights of other people: fetch, verify, convert, or replace by random stand-ins."""
