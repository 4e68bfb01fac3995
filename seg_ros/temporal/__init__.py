"""What earlier images say about the next: lasting ids, steady classes, stamps in order."""
