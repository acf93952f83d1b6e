# One image for the API, the worker and the migration: the command chooses.
FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build

# The locked packages are a layer of their own: a change of the code does not install them again.
COPY requirements.lock requirements-dev.lock ./
RUN python -m venv /opt/gradserve \
 && /opt/gradserve/bin/python -m pip install --require-hashes --only-binary :all: \
      -r requirements.lock \
 && sed -n '/^setuptools==/,/[^\\]$/p' requirements-dev.lock > build.lock \
 && python -m pip install --require-hashes -r build.lock

COPY LICENSE README.md pyproject.toml ./
COPY migrations migrations
COPY nncore nncore
COPY service service
COPY worker worker
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/gradserve/bin/python -m pip install --no-deps dist/gradserve-*.whl


FROM python:3.13-slim

RUN groupadd --system --gid 10001 gradserve \
 && useradd --system --uid 10001 --gid gradserve --home-dir /data --no-create-home gradserve \
 && install --directory --owner gradserve --group gradserve /data
COPY --from=build /opt/gradserve /opt/gradserve

ENV PATH=/opt/gradserve/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GRADSERVE_HOST=0.0.0.0 \
    GRADSERVE_PORT=8000 \
    GRADSERVE_DATA_DIR=/data

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"GRADSERVE_PORT\"]}/healthz', timeout=4)"]

ENTRYPOINT ["gradserve"]
CMD ["api"]
