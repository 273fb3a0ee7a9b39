"""Processes of this machine: started, watched, limited and stopped."""
