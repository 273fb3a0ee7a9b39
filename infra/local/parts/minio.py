"""MinIO: the storage of the lake, over S3."""

from __future__ import annotations

from conf import LOOPBACK, Settings
from infra.local.parts import Machine, Part, Port, get
from infra.local.servers import minio


def command(machine: Machine) -> list[str]:
    settings = machine.settings
    return [
        *(str(machine.minio), "server", "--quiet"),
        *("--address", f"{LOOPBACK}:{settings.port('minio')}"),
        *("--console-address", f"{LOOPBACK}:{settings.port('minio_console')}"),
        str(settings.data / "minio"),
    ]


def environment(settings: Settings) -> dict[str, str]:
    return {
        "MINIO_ROOT_USER": settings.s3_key,
        "MINIO_ROOT_PASSWORD": settings.s3_secret,
        "MINIO_BROWSER": "on",
        "MINIO_UPDATE": "off",
        "GOMEMLIMIT": "500MiB",
    }


def probe(settings: Settings) -> str | None:
    status, _ = get(f"{settings.s3}/minio/health/ready")
    return None if status == 200 else f"its health check answers {status}"


PARTS = (
    Part(
        "minio",
        "MinIO",
        order=20,
        command=command,
        probe=probe,
        ports=(Port("minio", "MinIO"), Port("minio_console", "MinIO's console")),
        env=environment,
        after=(minio.STEP,),
        holds_data=True,
    ),
)
