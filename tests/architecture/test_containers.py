"""What can be checked of the containers without an engine to run them."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import requests
import yaml
from cryptography.fernet import Fernet
from dotenv import dotenv_values
from flask import Flask

import config
from marketplace.core.database import sqlite
from tests.servers.waiting import free_port, until

ROOT = config.ROOT
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")

CHOSEN = {
    "SECRET_KEY": secrets.token_hex(32),
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "POSTGRES_PASSWORD": "long-and-random",
    "CORS_ORIGINS": "https://shop.example.com",
}  # what compose does not start without


def test_compose_runs_the_api_with_postgres_and_redis() -> None:
    ours = {"proxy", "api", "sockets", "sockets-2", "worker", "beat"}
    assert set(COMPOSE["services"]) == {*ours, "postgres", "redis"}
    assert set(COMPOSE["services"]["api"]["depends_on"]) == {"postgres", "redis"}


def given() -> dict[str, str]:
    """What the processes of compose see: .env.example with the settings its first line names, and `environment`."""
    example = {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}
    names = {**example, **CHOSEN}
    said = {name: str(value) for name, value in COMPOSE["services"]["api"]["environment"].items()}
    return {**names, **{name: re.sub(r"\$\{(\w+):\?[^}]*\}", lambda m: names[m[1]], said[name]) for name in said}}


def test_composes_settings_are_what_production_accepts() -> None:
    settings = config.load(given())
    assert settings["ENVIRONMENT"] == "production"
    assert settings["DATABASE_URL"] == "postgresql://marketplace:long-and-random@postgres/marketplace"
    assert (settings["COOKIE_SECURE"], settings["LOG_JSON"], settings["PAYMENT_PROVIDERS"]) == (True, True, [])


def test_every_setting_of_the_example_reaches_the_processes() -> None:
    ours = ("api", "sockets", "sockets-2", "worker", "beat")
    assert [COMPOSE["services"][name]["env_file"] for name in ours] == [[".env"]] * len(ours)
    assert config.load({**given(), "SITE_NAME": "Tirgus", "SMTP_PORT": "25"})["SITE_NAME"] == "Tirgus"


def test_whatever_ends_is_started_again_and_given_time_to_start() -> None:
    services = COMPOSE["services"]
    assert [name for name in services if services[name].get("restart") != "unless-stopped"] == []
    checked = ("api", "sockets", "sockets-2", "postgres")
    assert all("start_period" in services[name]["healthcheck"] for name in checked)
    assert "--start-period" in DOCKERFILE


def test_the_image_is_production_and_refuses_the_secret_everybody_knows() -> None:
    own = dict(word.split("=", 1) for word in re.findall(r"^ENV (.*)$", DOCKERFILE, re.M)[0].split())
    named = {**given(), **own, "SECRET_KEY": config.INSECURE_SECRET}
    assert own["MARKETPLACE_ENV"] == "production"
    with pytest.raises(config.ConfigurationError, match="SECRET_KEY"):
        config.load(named)
    with pytest.raises(config.ConfigurationError, match="SECRET_KEY"):
        config.load(own)


def test_what_the_image_runs_migrates_serves_and_is_well(apps: dict[str, Flask], tmp_path: Path) -> None:
    port, shop = str(free_port()), tmp_path / "shop.db"
    source = apps["sqlite"].config["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite.driver.connect(source)) as migrated, closing(sqlite.driver.connect(shop)) as copy:
        migrated.backup(copy)
    steps = [word.replace(":5000", f":{port}") for word in json.loads(re.findall(r"^CMD (.*)$", DOCKERFILE, re.M)[0])]
    check = re.findall(r"^    CMD (.*)$", DOCKERFILE, re.M)[0].replace(":5000", f":{port}")
    own = {"DATABASE_URL": f"sqlite:///{shop}", "ALLOW_SQLITE": "1", "UPLOADS_DIR": str(tmp_path), "REDIS_URL": ""}
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "FLASK_APP": "wsgi:app"}
    settings = {**given(), **own, **path, "JOBS": "embedded", "SOCKETS": "threading"}
    process = subprocess.Popen(steps, env=settings, cwd=ROOT, start_new_session=True)
    try:
        until("it to be well", lambda: requests.get(f"http://127.0.0.1:{port}/readyz", timeout=30).ok, 120)
        assert subprocess.call(check, shell=True, env=path) == 0
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_folder_of_nginxs_certificate_turns_tls_on() -> None:
    proxy = COMPOSE["services"]["proxy"]
    assert 'sed -i "s/#tls //"' in " ".join(proxy["command"])
    assert any(volume.endswith(":/etc/nginx/tls:ro") for volume in proxy["volumes"])


def test_every_process_has_the_same_settings_and_files() -> None:
    api, worker, beat = (COMPOSE["services"][name] for name in ("api", "worker", "beat"))
    assert api["environment"] == worker["environment"] == beat["environment"]
    assert api["environment"]["JOBS"] == "celery"
    assert api["volumes"] == worker["volumes"]
    assert "marketplace.worker worker" in worker["command"]
    assert "marketplace.worker beat" in beat["command"]


def test_the_proxy_of_compose_finds_every_process_by_its_name() -> None:
    services, proxy = COMPOSE["services"], (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    places = re.findall(r"s/(127[\d.:]+)/([\w-]+):5000/", " ".join(services["proxy"]["command"]))
    assert set(re.findall(r"server (127[\d.:]+)", proxy)) == {address for address, _ in places}
    assert {name for _, name in places} == {"api", "sockets", "sockets-2"}
    assert [services[name]["environment"]["SOCKET_INSTANCE"] for name in ("sockets", "sockets-2")] == [1, 2]
    for name in ("sockets", "sockets-2"):
        others = {**services["api"]["environment"], "SOCKET_INSTANCE": services[name]["environment"]["SOCKET_INSTANCE"]}
        assert services[name]["environment"] == others
        assert "deploy/sockets.gunicorn.py" in services[name]["command"]
    assert services["api"]["environment"]["SOCKETS"] == "elsewhere"


def test_what_breaks_sockets_under_gevent_is_not_installed() -> None:
    assert "gevent-websocket" not in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")


def test_the_image_installs_the_lock_and_runs_as_nobody_special() -> None:
    assert "--require-hashes -r requirements.txt" in DOCKERFILE
    assert re.search(r"^USER (?!root)", DOCKERFILE, re.M)
    assert "wsgi:app" in DOCKERFILE
    assert (ROOT / "wsgi.py").is_file()


def test_the_lock_pins_every_package_with_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lock = (ROOT / name).read_text(encoding="utf-8")
        pins = re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==", lock, re.M | re.I)
        assert len(pins) > 30
        assert "http" not in re.sub(r"httptools|httpx", "", " ".join(re.findall(r"^--.*$", lock, re.M)))
        assert lock.count("--hash=sha256:") >= len(pins)
