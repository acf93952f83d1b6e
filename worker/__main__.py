"""`python -m worker`: the Celery worker of one machine."""

from __future__ import annotations

from service import log
from worker.celery_app import app, settings


def main() -> None:
    """Serve until told to stop."""
    log.configure()
    app.worker_main(
        [
            "worker",
            "--pool=prefork",
            f"--concurrency={settings.workers}",
            f"--loglevel={settings.log_level}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


if __name__ == "__main__":
    main()
