"""What every gold table goes through: inputs, conform, Delta, the push, the journal."""
