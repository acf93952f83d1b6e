"""The job service, measured: how soon jobs run and end, how many, and what is kept flat."""

import warnings

# The test client prefers a successor of httpx; the command line uses httpx, and one is enough.
warnings.filterwarnings("ignore", "Using .httpx. with .starlette.testclient. is deprecated")
