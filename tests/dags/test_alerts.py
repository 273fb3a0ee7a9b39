from types import SimpleNamespace

from dags.alerts import addressees, sentence


def test_a_webhook_and_a_chat_are_told_the_same() -> None:
    settings = {"SAUDA_ALERT_WEBHOOK": "https://hooks.example/x", "SAUDA_ALERT_TELEGRAM": "12:ab@-100"}

    assert addressees(settings, "It failed") == [
        ("https://hooks.example/x", {"text": "It failed"}),
        ("https://api.telegram.org/bot12:ab/sendMessage", {"chat_id": "-100", "text": "It failed"}),
    ]
    assert addressees({}, "It failed") == []


def test_it_says_what_failed_and_where_the_log_is() -> None:
    task = SimpleNamespace(dag_id="purchases_nightly", task_id="build", log_url="http://127.0.0.1:8081/log")
    told = sentence({"task_instance": task, "run_id": "manual__1", "exception": ValueError("first line\nsecond")})

    assert told == "Sauda: purchases_nightly.build of manual__1 failed: first line http://127.0.0.1:8081/log"
