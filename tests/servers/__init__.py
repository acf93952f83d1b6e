"""Real servers for the tests: PostgreSQL and a Redis-protocol server."""
