"""The settings of each domain, a module a domain; they are found by walking, so that adding a domain edits no list."""
