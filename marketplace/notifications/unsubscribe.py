"""The unsubscribe page behind the link in a mail.

Apart from the rooms: it builds an HTML page for people who are not signed in.
"""

from flask import Response, request
from itsdangerous import BadSignature
from markupsafe import Markup, escape

from marketplace.auth import queries as auth_queries
from marketplace.kit.errors import NotFound
from marketplace.notifications import preferences, renderer
from marketplace.notifications.deliveries.service import read_token

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
PAGE = Markup(
    """<!doctype html><html lang="{language}"><meta charset="utf-8"><meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:18px/1.5 system-ui;max-width:30em;margin:3em auto;padding:0 1em;color-scheme:light dark}}
button{{font:inherit;padding:.5em 1em}}</style><h1>{title}</h1>{body}</html>"""
)
FORM = Markup('<form method="post" action="{action}"><button>{label}</button></form>')


def page(token: str) -> Response:
    """The page with its button; raises NotFound for a token that is not ours."""
    language = _language(token)
    texts = renderer.page_texts(language)
    action = f"{request.path}?token={token}"
    return _html(language, texts["unsubscribe"], FORM.format(action=action, label=texts["unsubscribe"]))


def leave(token: str) -> Response:
    """Turn these mails off and say so; raises NotFound for a token that is not ours."""
    language = _language(token)
    preferences.stop_mail(*_read(token))
    texts = renderer.page_texts(language)
    return _html(language, texts["unsubscribed"], escape(""))


def _language(token: str) -> str:
    return auth_queries.language_of(_read(token)[0])


def _read(token: str) -> tuple[int, str]:
    try:
        user_id, kind = read_token(token)
    except (BadSignature, ValueError, TypeError):
        raise NotFound("This link is not whole. Open it from the mail once more.") from None
    if auth_queries.reachable(user_id) is None:
        raise NotFound("This link does not lead anywhere any more.")
    return user_id, kind


def _html(language: str, title: str, body: Markup) -> Response:
    text = PAGE.format(language=language, title=title, body=body)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "private, no-store"}
    return Response(text, content_type="text/html; charset=utf-8", headers=headers)
