"""Typed settings, and the connections made from them."""

from conf.settings import LOOPBACK, REPOSITORY, Settings, settings, wrong_settings

__all__ = ["LOOPBACK", "REPOSITORY", "Settings", "settings", "wrong_settings"]
