"""Exchange rates: from the National Bank of Kazakhstan, and from files."""
