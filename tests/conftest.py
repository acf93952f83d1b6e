"""What every test starts from: no settings of the developer's own, the same examples each run."""

import os

from hypothesis import settings

pytest_plugins = ["tests.servers.fixtures"]

# Busy machines make single examples slow, and a suite that gates changes must not be a lottery.
settings.register_profile("gradserve", deadline=None, derandomize=True)
settings.load_profile("gradserve")


def pytest_configure() -> None:
    for name in [name for name in os.environ if name.startswith("GRADSERVE_")]:
        del os.environ[name]
