"""Published network weights: fetched, checked, converted, or replaced by random stand-ins."""
