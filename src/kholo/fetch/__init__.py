"""Getting data from where it is published, with its provenance. Knows nothing of what it means."""
