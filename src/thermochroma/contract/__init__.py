"""What a plug-in provides: method, batch, settings, data set."""
