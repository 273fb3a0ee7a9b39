"""The commands of the batch side: run, check, reconcile, settle, drift."""
