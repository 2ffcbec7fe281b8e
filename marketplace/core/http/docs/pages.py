"""The documentation to read: every operation with a search, and the guides; nothing comes from elsewhere."""

from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, send_file
from werkzeug.wrappers import Response as BaseResponse

from marketplace.core.http.docs.guides import FOR_CLIENTS, guides
from marketplace.kit.errors import NotFound

bp = Blueprint("docs", __name__, template_folder="templates")
# Scripts and styles are files of ours; the reader sets some styles itself while it draws.
POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:"),
        *("connect-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"),
    )
)
OURS = Path(__file__).parent / "static"
READER = Path(str((find_spec("flask_swagger_ui") or __spec__).origin)).parent / "dist"
ASSETS = {
    **{name: OURS / name for name in ("docs.css", "docs.js")},
    **{name: READER / name for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")},
}


@bp.get("/")
def home() -> BaseResponse:
    """Whoever opens the address in a browser wants to read."""
    return redirect("/docs/")


@bp.get("/docs/")
def operations() -> Response:
    """Every operation, to read and to try."""
    return _page("operations.html")


@bp.get("/docs/assets/<name>")
def asset(name: str) -> Response:
    """A script, a style or a picture of the pages; raises NotFound."""
    if name not in ASSETS:
        raise NotFound.of("file")
    return send_file(ASSETS[name])


@bp.get("/docs/guides/")
def guide_list() -> Response:
    """All guides."""
    return _page("guides.html")


@bp.get("/docs/guides/<path:name>")
def guide(name: str) -> Response:
    """One guide; raises NotFound."""
    found = guides().get(name)
    if found is None:
        raise NotFound.of("guide")
    return _page("guide.html", guide=found)


def _page(template: str, **shown: object) -> Response:
    known = guides()
    for_clients = [known[name] for name in FOR_CLIENTS if name in known]
    others = [one for name, one in known.items() if name not in FOR_CLIENTS]
    site = current_app.config["SITE_NAME"]
    response = make_response(render_template(template, site=site, for_clients=for_clients, others=others, **shown))
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "public, no-cache"
    return response
