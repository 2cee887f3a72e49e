"""What makes a dossier checkable: knows files and bytes, nothing of what a case means."""
