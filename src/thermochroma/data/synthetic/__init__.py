"""The drawn sample: a scene to a pair of images."""
