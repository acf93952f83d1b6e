"""Persistence: one file for the table and the queries of each aggregate."""
