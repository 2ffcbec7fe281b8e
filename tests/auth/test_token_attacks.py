"""The token table: whatever is not a token we made, still living and of the right kind, is a 401."""

import hashlib
import hmac
import json
import socket
import time
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask import Flask
from werkzeug.test import TestResponse

from marketplace.auth import queries as people
from marketplace.auth.account_admin import service as account_admin_service
from marketplace.core.database.db import db, in_transaction, one
from tests.factories.people import PASSWORD, Person, sign_up

PROFILE, REFRESH, LISTINGS = ("GET", "/api/auth/profile"), ("POST", "/api/auth/refresh"), ("GET", "/api/listings")
ATTACKERS_KEY = "the attacker's own key, long enough for every digest: " + "0123456789" * 4
DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


@dataclass(frozen=True)
class Mint:
    """An honest token taken apart, the key it was made with, and somebody else's token to borrow from."""

    claims: dict[str, Any]
    key: str
    token: str
    others: dict[str, Any]

    def forge(self, header: dict[str, Any] | None = None, key: str | None = None, **changes: Any) -> str:
        """A token by the right key unless told, its claims changed; `...` takes a claim out."""
        changed = {name: value for name, value in {**self.claims, **changes}.items() if value is not ...}
        return self.raw(json.dumps({"alg": "HS256", "typ": "JWT", **(header or {})}), json.dumps(changed), key)

    def raw(self, header: str, payload: str, key: str | None = None, digest: str = "HS256") -> str:
        """A token of these very letters."""
        signed = f"{encoded(header.encode())}.{encoded(payload.encode())}"
        mac = hmac.new((self.key if key is None else key).encode(), signed.encode(), DIGESTS[digest])
        return f"{signed}.{encoded(mac.digest())}"

    def unsigned(self, algorithm: str, signature: str = "") -> str:
        """A token that asks to be believed."""
        return f"{self.forge({'alg': algorithm}).rpartition('.')[0]}.{signature}"


Forgery = Callable[[Mint], str]


def encoded(data: bytes) -> str:
    """Base64 for addresses, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(part: str) -> Any:
    """What a part of a token says."""
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def mint(app: Flask, token: str, other: str) -> Mint:
    """Take an honest token apart."""
    claims, others = (decoded(each.split(".")[1]) for each in (token, other))
    return Mint(claims, app.config["JWT_SECRET_KEY"], token, others)


def of_digest(algorithm: str, made: Mint) -> str:
    """The right key with another digest, named honestly."""
    return made.raw(json.dumps({"alg": algorithm, "typ": "JWT"}), json.dumps(made.claims), digest=algorithm)


def over_public_key(algorithm: str, made: Mint) -> str:
    """An asymmetric name over an HMAC whose secret is everybody's: the public key's text."""
    return made.forge({"alg": algorithm}, PUBLIC_PEM.decode())


def by_own_pair(algorithm: str, header: dict[str, Any], made: Mint) -> str:
    """Rightly signed, by a key pair of the attacker's."""
    key = EC_KEY if algorithm.startswith("ES") else RSA_KEY
    return jwt.encode(made.claims, key, algorithm=algorithm, headers=header)


def embedded_key() -> dict[str, Any]:
    """The attacker's public key as the header carries it."""
    return dict(json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key())))


def changed_after_signing(made: Mint, **changes: Any) -> str:
    """The honest header and signature around another payload."""
    header, _, signature = made.token.split(".")
    return f"{header}.{encoded(json.dumps({**made.claims, **changes}).encode())}.{signature}"


def other_header(made: Mint, **changes: Any) -> str:
    """The honest payload and signature under another header."""
    header, payload, signature = made.token.split(".")
    return f"{encoded(json.dumps({**decoded(header), **changes}).encode())}.{payload}.{signature}"


def deep(made: Mint, where: str, key: str | None = None, depth: int = 3000) -> str:
    """Brackets within brackets, more than a recursive reader has frames for."""
    nest = "[" * depth + "]" * depth
    header, payload = '{"alg": "HS256", "typ": "JWT"', json.dumps(made.claims)[:-1]
    if where == "header":
        return made.raw(f'{header}, "x": {nest}}}', payload + "}", key)
    return made.raw(header + "}", f'{payload}, "x": {nest}}}', key)


def twice(made: Mint, key: str | None = None) -> str:
    """Every claim named two times: first the honest ones, then with the other person's sub."""
    honest, other = (json.dumps({**made.claims, "sub": sub})[1:-1] for sub in (made.claims["sub"], made.others["sub"]))
    return made.raw('{"alg": "HS256", "typ": "JWT"}', f"{{{honest}, {other}}}", key)


UNSIGNED: dict[str, Forgery] = {
    **{f"alg {name}": lambda made, name=name: made.unsigned(name) for name in ("none", "None", "NONE", "nOnE", "")},
    **{
        f"alg {name}, signed": lambda made, name=name: made.unsigned(name, made.token.rpartition(".")[2])
        for name in ("none", "None", "NONE", "nOnE")
    },
    "alg none, two dots missing": lambda made: made.unsigned("none").rstrip("."),
    "alg none, signed by the attacker": lambda made: made.forge({"alg": "none"}, ATTACKERS_KEY),
    "alg named twice, none last": lambda made: (
        made.raw('{"alg": "HS256", "alg": "none"}', json.dumps(made.claims)).rpartition(".")[0] + "."
    ),
    "alg named twice, none first": lambda made: made.raw(
        '{"alg": "none", "alg": "HS256"}', json.dumps(made.claims), ATTACKERS_KEY
    ),
    "alg missing": lambda made: made.raw('{"typ": "JWT"}', json.dumps(made.claims)),
    "alg null": lambda made: made.forge({"alg": None}),
    "alg a number": lambda made: made.forge({"alg": 256}),
    "alg a list": lambda made: made.forge({"alg": ["HS256"]}),
    "alg an object": lambda made: made.forge({"alg": {"HS256": 1}}),
    "no signature": lambda made: made.token.rpartition(".")[0] + ".",
    "half a signature": lambda made: made.token[:-20],
    "the signature of another": lambda made: f"{made.token.rpartition('.')[0]}.{made.forge(x=1).rpartition('.')[2]}",
}
CONFUSED: dict[str, Forgery] = {
    "HS384 by the right key": partial(of_digest, "HS384"),
    "HS512 by the right key": partial(of_digest, "HS512"),
    "hs256 in small letters": lambda made: made.forge({"alg": "hs256"}),
    **{f"{name} over a public key's text": partial(over_public_key, name) for name in ("RS256", "ES256", "PS256")},
    "HS256 over a public key's text": partial(over_public_key, "HS256"),
    **{f"{name} by an own pair": partial(by_own_pair, name, {}) for name in ("RS256", "PS256", "ES256")},
    "an empty key": lambda made: made.forge(key=""),
    "another key": lambda made: made.forge(key=ATTACKERS_KEY),
    "the right key with a line's end": lambda made: made.forge(key=made.key + "\n"),
    "an unencoded payload": lambda made: made.forge({"b64": False, "crit": ["b64"]}, ATTACKERS_KEY),
}
POINTING: dict[str, Forgery] = {
    **{
        f"kid {kid}": lambda made, kid=kid, key=key: made.forge({"kid": kid}, key)
        for kid, key in (
            ("../../dev/null", ""),
            ("../../../../../../dev/null", "\x00"),
            ("/proc/sys/kernel/randomize_va_space", "2\n"),
            ("' UNION SELECT 'known' -- ", "known"),
            ("1; DROP TABLE users; --", ATTACKERS_KEY),
            ("https://attacker.example/key", ATTACKERS_KEY),
            ("key|id", ATTACKERS_KEY),
            ("\x00", ""),
        )
    },
    "kid a number": lambda made: made.forge({"kid": 1}, ATTACKERS_KEY),
    "kid an object": lambda made: made.forge({"kid": {"$ne": ""}}, ATTACKERS_KEY),
    "an own key inside": partial(by_own_pair, "RS256", {"jwk": embedded_key()}),
    "a symmetric key inside": lambda made: made.forge(
        {"jwk": {"kty": "oct", "k": encoded(ATTACKERS_KEY.encode())}}, ATTACKERS_KEY
    ),
    "an own certificate inside": partial(by_own_pair, "RS256", {"x5c": [b64encode(PUBLIC_PEM).decode()]}),
}
CLAIMS: dict[str, Forgery] = {
    "another's sub, unsigned": lambda made: changed_after_signing(made, sub=made.others["sub"]),
    "another's sub and sid, unsigned": lambda made: changed_after_signing(
        made, sub=made.others["sub"], sid=made.others["sid"]
    ),
    "another end, unsigned": lambda made: changed_after_signing(made, exp=made.claims["exp"] + 10**6),
    "another type, unsigned": lambda made: changed_after_signing(
        made, type={"access": "refresh", "refresh": "access"}[made.claims["type"]]
    ),
    "another header, unsigned": lambda made: other_header(made, kid="1"),
    "another's sub": lambda made: made.forge(sub=made.others["sub"]),
    "another's sid": lambda made: made.forge(sid=made.others["sid"]),
    **{
        f"sub {json.dumps(sub)[:24]}": lambda made, sub=sub: made.forge(sub=sub)
        for sub in (
            *(1, 0, -1, 2**63, 10**400, 1.5, True, None, [], ["1"], {"id": 1}),
            *("0", "-1", str(2**63), "9" * 400, "9" * 5000, "1.0", "1e0", "", "one", "1 OR 1=1", "1\x00", "\ud800"),
        )
    },
    "sub a number that is right": lambda made: made.forge(sub=int(made.claims["sub"])),
    "sub of nobody": lambda made: made.forge(sub="999999"),
    "sub missing": lambda made: made.forge(sub=...),
    **{
        f"sid {json.dumps(sid)[:24]}": lambda made, sid=sid: made.forge(sid=sid)
        for sid in (1, 0, None, True, [], {"id": 1}, "", "unknown", "x" * 5000, "' OR '1'='1", "\x00", "\ud800")
    },
    "sid in a list": lambda made: made.forge(sid=[made.claims["sid"]]),
    "sid with a space": lambda made: made.forge(sid=made.claims["sid"] + " "),
    "sid missing": lambda made: made.forge(sid=...),
    **{
        f"type {json.dumps(kind)}": lambda made, kind=kind: made.forge(type=kind)
        for kind in ("admin", "Access", "REFRESH", "", None, 1, [], ["access", "refresh"], {"access": 1})
    },
    "expired a moment ago": lambda made: made.forge(exp=int(time.time()) - 1),
    "expired in 1970": lambda made: made.forge(exp=0),
    **{
        f"exp {json.dumps(end)[:24]}": lambda made, end=end: made.forge(exp=end)
        for end in (None, [], {}, "tomorrow", -1, float("nan"), float("-inf"), float("inf"))
    },
    "nbf in an hour": lambda made: made.forge(nbf=int(time.time()) + 3600),
    "iat in an hour": lambda made: made.forge(iat=int(time.time()) + 3600),
    **{
        f"nbf {json.dumps(start)[:24]}": lambda made, start=start: made.forge(nbf=start)
        for start in (None, [], {}, "tomorrow", float("nan"), float("inf"))
    },
    "another's claims named last": twice,
    "another's claims named last, not our key": lambda made: twice(made, ATTACKERS_KEY),
}
SHAPES: dict[str, Forgery] = {
    "empty": lambda _: "",
    "a space": lambda _: " ",
    "two dots": lambda _: "..",
    "many dots": lambda _: "." * 5000,
    "a word": lambda _: "undefined",
    "four parts": lambda made: f"{made.token}.x",
    "five parts": lambda made: f"{made.token}.x.y",
    "said twice": lambda made: f"{made.token} {made.token}",
    "10,000 letters": lambda _: "a" * 10_000,
    "10,000 letters after it": lambda made: made.token + "a" * 10_000,
    "NUL": lambda _: "\x00",
    "NUL after it": lambda made: made.token + "\x00",
    "NUL within": lambda made: made.token.replace(".", ".\x00", 1),
    "letters with signs": lambda _: "pāroles žetons".encode().decode("latin-1"),
    "letters with signs after it": lambda made: made.token + "é",
    "bytes that are no UTF-8": lambda _: "\xff\xfe\xc3\x28",
    "three dots of bytes": lambda _: "\xff.\xff.\xff",
    "no JSON": lambda made: made.raw("{", "}"),
    "JSON that is a list": lambda made: made.raw("[]", "[]"),
    "JSON that is null": lambda made: made.raw('{"alg": "HS256"}', "null"),
    "JSON that is a string": lambda made: made.raw('{"alg": "HS256"}', '"sub"'),
    "an empty payload": lambda made: made.raw('{"alg": "HS256"}', ""),
    "an object without claims": lambda made: made.raw('{"alg": "HS256"}', "{}"),
    "a number of 5,000 digits": lambda made: made.raw('{"alg": "HS256"}', f'{{"exp": {"9" * 5000}}}', ATTACKERS_KEY),
    "deep JSON in the payload": lambda made: deep(made, "payload", ATTACKERS_KEY),
    "deep JSON in the header": lambda made: deep(made, "header", ATTACKERS_KEY),
    "deep JSON in the payload, our key": lambda made: deep(made, "payload"),
    "deep JSON in the header, our key": lambda made: deep(made, "header"),
}
TABLE = {**UNSIGNED, **CONFUSED, **POINTING, **CLAIMS, **SHAPES}
# What is signed rightly reaches the database with its claims; of the rest no database is asked.
FORGERIES = [
    pytest.param(forgery, id=name, marks=() if name in CLAIMS else pytest.mark.one_database)
    for name, forgery in TABLE.items()
]


def ask(app: Flask, route: tuple[str, str], authorization: str | None = None, **kwargs: Any) -> TestResponse:
    """A request with this header, as it is."""
    headers = [*kwargs.pop("headers", []), *([] if authorization is None else [("Authorization", authorization)])]
    return app.test_client().open(route[1], method=route[0], headers=headers, **kwargs)


def with_token(app: Flask, route: tuple[str, str], token: str) -> TestResponse:
    """A request with this token."""
    return ask(app, route, f"Bearer {token}")


def assert_refused(answer: TestResponse) -> None:
    """A problem document that tells nothing of anybody."""
    assert answer.status_code == 401, answer.text[:300]
    assert answer.content_type == "application/problem+json"
    assert (answer.json["status"], bool(answer.json["error"])) == (401, True)
    assert "anna@example.com" not in answer.text


@pytest.fixture
def access(app: Flask, anna: Person, juris: Person) -> Mint:
    """Anna's access token."""
    return mint(app, anna.token, juris.token)


@pytest.fixture
def renewing(app: Flask, anna: Person, juris: Person) -> Mint:
    """Anna's refresh token."""
    return mint(app, anna.refresh_token, juris.refresh_token)


def test_control_what_the_forger_makes_by_the_right_key_is_believed(app: Flask, access: Mint, renewing: Mint) -> None:
    assert with_token(app, PROFILE, access.forge()).json["username"] == "anna"
    assert with_token(app, LISTINGS, access.forge()).status_code == 200
    assert with_token(app, REFRESH, renewing.forge()).status_code == 200


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_refused_and_ends_nobodys_sign_in(
    app: Flask, access: Mint, renewing: Mint, juris: Person, forgery: Forgery
) -> None:
    assert with_token(app, PROFILE, access.forge()).status_code == 200
    assert_refused(with_token(app, PROFILE, forgery(access)))
    assert_refused(with_token(app, LISTINGS, forgery(access)))
    assert_refused(with_token(app, REFRESH, forgery(renewing)))
    assert with_token(app, REFRESH, renewing.token).status_code == 200
    assert juris.get("/api/auth/profile").status_code == 200


GENERATIONS: dict[str, Any] = {
    "missing": ...,
    "null": None,
    "a list": [1],
    "an object": {"is": 1},
    "a word": "first",
    "a digit as text": "1",
    "true": True,
    "a fraction": 1.5,
    "negative": -1,
    "of 64 bits and one": 2**63,
    "of 400 digits": 10**400,
    "infinite": float("inf"),
    "not a number": float("nan"),
}


@pytest.mark.parametrize("generation", GENERATIONS.values(), ids=GENERATIONS.keys())
def test_a_token_of_no_generation_is_refused(app: Flask, access: Mint, renewing: Mint, generation: Any) -> None:
    assert_refused(with_token(app, PROFILE, access.forge(gen=generation)))
    assert_refused(with_token(app, LISTINGS, access.forge(gen=generation)))
    assert_refused(with_token(app, REFRESH, renewing.forge(gen=generation)))
    assert with_token(app, REFRESH, renewing.token).status_code == 200


def test_a_refresh_token_of_a_generation_that_is_not_there_ends_the_family(
    app: Flask, access: Mint, renewing: Mint
) -> None:
    assert_refused(with_token(app, REFRESH, renewing.forge(gen=renewing.claims["gen"] + 1)))
    assert_refused(with_token(app, REFRESH, renewing.token))
    assert_refused(with_token(app, PROFILE, access.token))


def test_each_kind_of_token_opens_only_its_own_doors(app: Flask, access: Mint, renewing: Mint) -> None:
    assert_refused(with_token(app, REFRESH, access.token))
    assert_refused(with_token(app, PROFILE, renewing.token))
    assert_refused(with_token(app, LISTINGS, renewing.token))
    assert with_token(app, PROFILE, access.token).status_code == 200
    assert with_token(app, REFRESH, renewing.token).status_code == 200


def test_tokens_end_with_their_time(app: Flask, access: Mint, renewing: Mint) -> None:
    assert with_token(app, PROFILE, access.token).status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        assert_refused(with_token(app, PROFILE, access.token))
        assert_refused(with_token(app, LISTINGS, access.token))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=31)):
        assert_refused(with_token(app, REFRESH, renewing.token))


def test_tokens_do_not_begin_before_their_time(app: Flask, access: Mint, renewing: Mint) -> None:
    with time_machine.travel(datetime.now(UTC) - timedelta(hours=1)):
        assert_refused(with_token(app, PROFILE, access.token))
        assert_refused(with_token(app, REFRESH, renewing.token))
    assert with_token(app, PROFILE, access.token).status_code == 200


def log_out(app: Flask, person: Person) -> None:
    """By the person."""
    assert person.post("/api/auth/logout").status_code == 200


def suspend(app: Flask, person: Person) -> None:
    """By staff."""
    close(app, person, lambda user: account_admin_service.suspend(user, "Spam"))


def erase(app: Flask, person: Person) -> None:
    """Nobody is left behind the account."""
    close(app, person, account_admin_service.erase)


def close(app: Flask, person: Person, way: Callable[[Any], Any]) -> None:
    """Do this to the account."""
    with app.app_context():
        in_transaction(lambda: way(one(people.everybody().where(people.User.id == person.id), "person")))
        db.session.remove()


def end_from_elsewhere(app: Flask, person: Person) -> None:
    """By the person, on another device."""
    credentials = {"username": "anna", "password": PASSWORD}
    elsewhere = app.test_client().post("/api/auth/login", json=credentials).json["token"]
    assert Person(app, token=elsewhere).delete("/api/auth/sessions").status_code == 200


@pytest.mark.parametrize("end", [log_out, suspend, erase, end_from_elsewhere])
def test_what_has_ended_is_refused_at_once(
    app: Flask, anna: Person, access: Mint, renewing: Mint, end: Callable[[Flask, Person], None]
) -> None:
    assert with_token(app, PROFILE, access.token).status_code == 200
    end(app, anna)
    for token in (access.token, access.forge(), access.forge(exp=access.claims["exp"] + 3600)):
        assert_refused(with_token(app, PROFILE, token))
        assert_refused(with_token(app, LISTINGS, token))
    assert_refused(with_token(app, REFRESH, renewing.token))


HEADERS: dict[str, Callable[[str], list[str]]] = {
    "no scheme": lambda token: [token],
    "no space": lambda token: [f"Bearer{token}"],
    "a tab": lambda token: [f"Bearer\t{token}"],
    "nothing after the scheme": lambda _: ["Bearer"],
    "an empty header": lambda _: [""],
    "another scheme": lambda token: [f"Token {token}"],
    "Basic with the token": lambda token: [f"Basic {token}"],
    "Basic with name and password": lambda _: [f"Basic {b64encode(f'anna:{PASSWORD}'.encode()).decode()}"],
    "Digest": lambda token: [f'Digest username="anna", response="{token}"'],
    "quotation marks": lambda token: [f'Bearer "{token}"'],
    "named": lambda token: [f"Bearer token={token}"],
    "two headers, the good one first": lambda token: [f"Bearer {token}", "Bearer forged"],
    "two headers, the good one last": lambda token: ["Bearer forged", f"Bearer {token}"],
    "the same header twice": lambda token: [f"Bearer {token}"] * 2,
    "a list in one header": lambda token: [f"Bearer {token}, Bearer {token}"],
}


@pytest.mark.one_database
@pytest.mark.parametrize("write", HEADERS.values(), ids=HEADERS.keys())
def test_only_one_way_to_write_the_header_counts(
    app: Flask, access: Mint, renewing: Mint, write: Callable[[str], list[str]]
) -> None:
    for route, made in ((PROFILE, access), (LISTINGS, access), (REFRESH, renewing)):
        assert_refused(ask(app, route, headers=[("Authorization", line) for line in write(made.token)]))
    assert with_token(app, PROFILE, access.token).status_code == 200
    assert with_token(app, REFRESH, renewing.token).status_code == 200


@pytest.mark.parametrize("name", ["access_token", "refresh_token", "token", "jwt", "authorization", "Authorization"])
def test_a_token_elsewhere_than_in_the_header_does_not_count(
    app: Flask, access: Mint, renewing: Mint, name: str
) -> None:
    for route, made in ((PROFILE, access), (REFRESH, renewing)):
        for value in (made.token, f"Bearer {made.token}"):
            assert_refused(ask(app, route, query_string={name: value}))
            assert_refused(ask(app, route, json={name: value}))
            assert_refused(ask(app, route, data={name: value}))
            assert_refused(ask(app, route, headers=[("Cookie", f"{name}={value}")]))
            assert_refused(ask(app, route, headers=[(f"X-{name.replace('_', '-')}", value)]))
            assert_refused(ask(app, route, headers=[("Proxy-Authorization", value)]))


def test_a_forged_header_is_not_made_good_by_an_honest_token_beside_it(app: Flask, access: Mint) -> None:
    forged = ("Authorization", f"Bearer {access.forge(key=ATTACKERS_KEY)}")
    assert_refused(ask(app, PROFILE, headers=[forged, ("Cookie", f"access_token={access.token}")]))
    assert_refused(ask(app, PROFILE, headers=[forged], query_string={"access_token": access.token}))
    assert_refused(ask(app, LISTINGS, headers=[forged], query_string={"access_token": access.token}))


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A listener that stands for the attacker's server; accepting never waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def visits(trap: socket.socket) -> int:
    """How many came to the trap so far."""
    came = 0
    while True:
        try:
            trap.accept()[0].close()
        except BlockingIOError:
            return came
        came += 1


@pytest.mark.parametrize("name", ["jku", "x5u", "kid", "iss"])
def test_nobody_follows_an_address_in_a_token(
    app: Flask, access: Mint, renewing: Mint, trap: socket.socket, name: str
) -> None:
    address = f"http://127.0.0.1:{trap.getsockname()[1]}/keys.json"
    for route, made in ((PROFILE, access), (LISTINGS, access), (REFRESH, renewing)):
        header = {"kid": "attacker", name: address}
        assert_refused(with_token(app, route, by_own_pair("RS256", header, made)))
        assert_refused(with_token(app, route, by_own_pair("ES256", header, made)))
        assert_refused(with_token(app, route, made.forge(header, ATTACKERS_KEY)))
        assert_refused(with_token(app, route, made.forge({}, ATTACKERS_KEY, **{name: address})))
    assert visits(trap) == 0


def test_control_the_trap_notices_who_comes(trap: socket.socket) -> None:
    socket.create_connection(trap.getsockname()).close()
    assert visits(trap) == 1


def test_the_person_and_the_sign_in_must_belong_together(app: Flask, anna: Person) -> None:
    other = sign_up(app, "other")
    made = mint(app, anna.token, other.token)
    assert with_token(app, PROFILE, made.forge(sub=str(other.id), sid=made.others["sid"])).json["username"] == "other"
    assert_refused(with_token(app, PROFILE, made.forge(sub=str(other.id))))
    assert_refused(with_token(app, PROFILE, made.forge(sid=made.others["sid"])))
