"""`gradserve demo`: the whole way from data to predictions, over HTTP, on one machine."""

from service.demo.show import run

__all__ = ["run"]
