"""What the demo does for each domain: a module a domain, found by looking.

Each has `steps(run)`, which returns `DomainStep`s; titles of other steps may stand in their `after`.
"""
