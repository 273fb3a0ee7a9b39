"""Typed settings, and the connections made from them."""

from conf.settings import LOOPBACK, REPOSITORY, Settings, settings

__all__ = ["LOOPBACK", "REPOSITORY", "Settings", "settings"]
