"""Registration: estimate the transform from visible to thermal pixels."""
