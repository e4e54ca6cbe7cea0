"""What one GPU gives: steps, precision, examination, loader, scoring and RoadScene, in a few minutes."""
