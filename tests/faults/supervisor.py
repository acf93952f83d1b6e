"""`gradserve up` for the campaign: the same supervisor, with back-offs short enough to wait for.

FAULTS_WRAPPER names a module that is run with the module (`worker`, `service.cli.serve`) and its
arguments in the place of that module; FAULTS_ENVIRONMENT is JSON: for `worker` and `api` what their
environments have besides.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import replace
from functools import partial

from service.supervisor import __main__ as program
from service.supervisor.service import Pace, Service
from service.supervisor.stack import Options, stages
from service.supervisor.supervise import Stage, supervise

PACE = Pace(start=120.0, first_back_off=0.2, longest_back_off=0.4)


def main() -> int:
    """What `python -m service.supervisor` does, at the campaign's pace."""
    vars(program).update(supervise=partial(supervise, pace=PACE), stages=_stages)
    return program.main()


def _stages(options: Options, api_socket: socket.socket) -> list[Stage]:
    return [tuple(map(_disturbed, stage)) for stage in stages(options, api_socket)]


def _disturbed(service: Service) -> Service:
    environment = json.loads(os.environ.get("FAULTS_ENVIRONMENT", "{}")).get(service.name, {})
    wrapper = os.environ.get("FAULTS_WRAPPER")
    command = service.command
    if wrapper and service.name in ("worker", "api"):
        at = command.index("-m") + 1
        command = (*command[:at], wrapper, *command[at:])
    return replace(service, command=command, environment={**service.environment, **environment})


if __name__ == "__main__":
    sys.exit(main())
