"""From images to masks: who waits, who works, what is dropped, and how long it took."""
