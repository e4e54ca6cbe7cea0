"""From frames to how thermal maps onto visible."""
