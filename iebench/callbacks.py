"""Callbacks of Lightning for people who train their own network: `from iebench.callbacks import ScoreOnIebench`."""

from iebench.models.callbacks import ScoreOnIebench

__all__ = ["ScoreOnIebench"]
