"""The version of iebench."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("iebench")
except PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "0+unknown"
