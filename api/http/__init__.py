"""What every path shares: limits, bodies, parameters, problems, OpenAPI."""
