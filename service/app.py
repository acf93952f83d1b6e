"""The application factory: `uvicorn service.app:create_app --factory`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from service import health, openapi, problems
from service.body_limit import BodyLimit
from service.broker import Bell
from service.datasets.router import router as datasets
from service.jobs.events import router as job_events
from service.jobs.router import router as jobs
from service.models.prediction import ModelCache
from service.models.router import router as models
from service.settings import Settings, get_settings
from service.store.database import Database

DESCRIPTION = (
    "Train neural networks behind an API: upload a dataset, submit a network, stream the job, "
    "ask for predictions."
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API of one process; it opens its database and broker when it starts to serve."""
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = Database(settings.resolved_database_url)
        app.state.model_cache = ModelCache()
        app.state.bell = Bell(settings.resolved_broker_url)
        yield
        app.state.bell.close()
        app.state.database.dispose()

    app = FastAPI(
        title="gradserve",
        description=DESCRIPTION,
        version=version("gradserve"),
        lifespan=lifespan,
        strict_content_type=False,
    )
    app.state.settings = settings
    problems.install(app)
    openapi.install(app)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(problems.RequestId)
    for router in (health.router, datasets, jobs, job_events, models):
        app.include_router(router)
    return app
