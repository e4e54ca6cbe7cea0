"""One function a stage: the rooms in their order, typed values in and files out."""
