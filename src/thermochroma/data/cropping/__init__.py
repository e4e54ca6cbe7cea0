"""Cropping: cut registered frames and pack the crops into shards."""
