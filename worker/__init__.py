"""Trains jobs: a thin Celery task around a run that holds a lease in SQL."""
