import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
PACKAGES = ("nncore", "service", "worker", "migrations")
BUILD_WHEEL = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"
LOCKED_LINE = re.compile(
    r"[a-z0-9-]+==[0-9a-z.]+( ; [\w .'<>=!()]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
)


def locked_versions(lock: str) -> dict[str, set[str]]:
    pins = re.findall(r"^([a-z0-9-]+)==(\S+)", (CHECKOUT / lock).read_text(), re.MULTILINE)
    return {name: {version for other, version in pins if other == name} for name, _ in pins}


def declared(requirements: list[str]) -> set[str]:
    return {re.match(r"[A-Za-z0-9-]+", line)[0].lower() for line in requirements}


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that the checkout stays clean."""
    source = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(
            CHECKOUT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    subprocess.run([sys.executable, "-c", BUILD_WHEEL], cwd=source, check=True, capture_output=True)
    return next((source / "dist").glob("*.whl"))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_names_versions_markers_and_hashes_only(lock: str) -> None:
    strange = [
        line
        for line in (CHECKOUT / lock).read_text().splitlines()
        if not LOCKED_LINE.fullmatch(line)
    ]
    assert strange == []


def test_every_declared_dependency_is_locked(project: dict) -> None:
    running = declared(
        [re.sub(r"\[.*?\]", "", line) for line in project["project"]["dependencies"]]
    )
    developing = declared(project["dependency-groups"]["dev"])
    assert running <= locked_versions("requirements.lock").keys()
    assert developing <= locked_versions("requirements-dev.lock").keys()


def test_development_uses_the_versions_of_production() -> None:
    developing = locked_versions("requirements-dev.lock")
    for name, versions in locked_versions("requirements.lock").items():
        assert developing[name] == versions, name


def test_the_wheel_carries_every_module_and_the_demo(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(CHECKOUT))
        for name in PACKAGES
        for path in (CHECKOUT / name).rglob("*")
        if path.suffix in {".py", ".csv", ".md", ".mako"}
    }
    missing = wanted - set(zipfile.ZipFile(wheel).namelist())
    assert missing == set()


def test_a_wheel_that_is_installed_elsewhere_can_migrate(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    database = tmp_path / "gradserve.db"
    migrate = (
        "from service.store import migrate;"
        f"assert migrate.__file__.startswith({str(site)!r}), migrate.__file__;"
        f"migrate.upgrade('sqlite+pysqlite:///{database}')"
    )
    subprocess.run(
        [sys.executable, "-c", migrate],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=True,
    )
    assert b"alembic_version" in database.read_bytes()


def test_make_refuses_an_old_python_and_says_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(CHECKOUT / name, tmp_path)
    made = subprocess.run(
        ["make", "setup", f"PYTHON={old}"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode != 0
    assert "older than 3.11; name a newer one: make PYTHON=" in made.stderr
    assert not (tmp_path / ".venv").exists()
