"""What every source shares: messages, the publisher, the ledger, progress."""
