"""The machines Sauda runs on."""
