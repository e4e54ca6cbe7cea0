"""From images to tables of scores, for methods and baselines through one door."""
