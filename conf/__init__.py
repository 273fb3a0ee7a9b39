"""Typed settings, and the connections that follow from them."""

from conf.domain_settings import wrong_settings
from conf.settings import LOOPBACK, REPOSITORY, Settings, settings

__all__ = ["LOOPBACK", "REPOSITORY", "Settings", "settings", "wrong_settings"]
