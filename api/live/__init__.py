"""The page of live figures: its document, its questions, its path."""
