"""Live figures: their document, who asks for them, and the stream that hands them out."""
