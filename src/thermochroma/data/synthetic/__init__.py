"""The procedural sample: each scene is drawn as a pair of images."""
