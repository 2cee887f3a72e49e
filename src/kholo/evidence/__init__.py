"""What makes a case checkable by a stranger: bytes, hashes, signatures, times. Knows nothing of what a case says."""
