"""Whether the service is alive and ready, its documents and Data Docs."""
