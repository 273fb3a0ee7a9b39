"""A failed task is told to whoever is to know: a webhook, a Telegram chat, or only the log."""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

log = logging.getLogger(__name__)
SECONDS = 10


def tell(context: Mapping[str, Any]) -> None:
    """Airflow's callback for a task whose last try failed. What goes wrong here is logged: the failure stands."""
    text = sentence(context)
    for url, body in addressees(os.environ, text):
        try:
            request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=SECONDS).close()
        except (OSError, ValueError, HTTPException) as error:
            # The address itself may hold a token.
            log.error("The alert could not be sent: %s", type(error).__name__)


def sentence(context: Mapping[str, Any]) -> str:
    """What failed, when, why, and where its log is."""
    task = context["task_instance"]
    given = str(context.get("exception") or "").strip() or "no reason was given"
    error = given.splitlines()[0]
    return f"Sauda: {task.dag_id}.{task.task_id} of {context['run_id']} failed: {error[:500]} {task.log_url}"


def addressees(settings: Mapping[str, str], text: str) -> list[tuple[str, dict[str, str]]]:
    """Addresses with what is sent there, by SAUDA_ALERT_WEBHOOK and SAUDA_ALERT_TELEGRAM (TOKEN@CHAT)."""
    recipients = []
    if webhook := settings.get("SAUDA_ALERT_WEBHOOK"):
        recipients.append((webhook, {"text": text}))
    if telegram := settings.get("SAUDA_ALERT_TELEGRAM"):
        token, _, chat = telegram.partition("@")
        recipients.append((f"https://api.telegram.org/bot{token}/sendMessage", {"chat_id": chat, "text": text}))
    return recipients
