"""The API's paths: each module has its `ROUTER`, found by looking."""
