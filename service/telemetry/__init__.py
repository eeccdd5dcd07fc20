"""What the service says about itself: the structured log."""
