"""What can be checked of the containers without an engine to run them."""

import re
import secrets

import yaml
from cryptography.fernet import Fernet

import config

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


def test_composes_settings_are_what_production_accepts() -> None:
    given = {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", re.sub(r"\$\{(\w+):\?[^}]*\}", lambda m: CHOSEN[m[1]], value))
        for name, value in ((name, str(value)) for name, value in COMPOSE["services"]["api"]["environment"].items())
    }
    settings = config.load(given)
    assert settings["ENVIRONMENT"] == "production"
    assert settings["DATABASE_URL"].startswith("postgresql://")


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
