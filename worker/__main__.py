"""`python -m worker`: the Celery worker of one machine."""

from __future__ import annotations

from service import log
from worker.celery_app import app, settings
from worker.warming import warm_up


def main() -> None:
    """Serve until told to stop."""
    log.configure()
    warm_up()
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
