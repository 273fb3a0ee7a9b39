"""The shop's own database: its migrations, and the command that carries them out."""
