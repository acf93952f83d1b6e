"""Settings of every process: environment variables prefixed GRADSERVE_, the same names as flags."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """What can be configured; the defaults run everything on one machine."""

    model_config = SettingsConfigDict(env_prefix="GRADSERVE_", extra="ignore")

    host: str = "127.0.0.1"
    port: Port = 8000
    data_dir: Path = Path(".data")
    database_url: str | None = None  # None: SQLite in the data directory
    broker_url: str | None = None  # None: an embedded server that `gradserve up` starts
    workers: PositiveInt = 2  # training processes of one `gradserve worker`
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    max_body_bytes: PositiveInt = 256 * 2**20  # of any request
    max_json_bytes: PositiveInt = 64 * 2**20  # of a JSON body
    max_dataset_bytes: PositiveInt = 2 * 2**30  # of a dataset in memory, after unpacking
    max_network_bytes: PositiveInt = 8 * 2**30  # a network's memory estimate in training

    lease_seconds: PositiveFloat = 15.0  # how long a silent worker keeps its job
    heartbeat_seconds: PositiveFloat = 0.5  # also how often progress is written
    sweep_seconds: PositiveFloat = 2.0  # how often lost messages and leases are looked for
    max_attempts: PositiveInt = 3
    checkpoint_seconds: PositiveFloat = 10.0  # how often a run's state is kept
    poll_seconds: PositiveFloat = 2.0  # how often an idle trainer looks for jobs without a message
    max_job_bytes: PositiveInt = 8 * 2**30  # that a trainer may grow by for a job

    @property
    def resolved_database_url(self) -> str:
        """The configured database, or SQLite in the data directory."""
        if self.database_url is not None:
            return self.database_url
        return f"sqlite+pysqlite:///{self.data_dir.resolve() / 'gradserve.db'}"

    @property
    def resolved_broker_url(self) -> str:
        """The configured broker, or the embedded one's unix socket."""
        if self.broker_url is not None:
            return self.broker_url
        return f"redis+socket://{self.broker_socket}"

    @property
    def broker_socket(self) -> Path:
        """Where the embedded broker listens; a short path, since the kernel allows 107 bytes."""
        from hashlib import sha256
        from tempfile import gettempdir

        place = sha256(str(self.data_dir.resolve()).encode()).hexdigest()[:12]
        return Path(gettempdir()) / f"gradserve-{place}" / "broker.sock"


@lru_cache
def get_settings() -> Settings:
    """The process' settings, read once from the environment."""
    return Settings()
