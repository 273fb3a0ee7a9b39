"""What each domain can be set to, a module a domain; found by looking, so that adding a domain edits no list."""
