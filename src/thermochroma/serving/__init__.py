"""What a person calls on images of their own."""
