"""The pages a person sees while signing in: plain HTML that works with a keyboard and a screen reader, without scripts.

Everything that comes from a request is escaped. The one script there is posts an answer onward (`form_post`); a button
does the same where scripts are off.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import urlsplit

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;"
    "background:#fff}label{display:block;margin-top:1rem}input{font:inherit;width:100%;box-sizing:border-box;"
    "padding:.5rem;border:1px solid #595959}button{font:inherit;margin:1.5rem .5rem 0 0;padding:.5rem 1rem}"
    "[role=alert]{border-left:.25rem solid #a4262c;padding-left:.75rem}"
)


def page_headers(nonce: str, redirect_uri: str | None) -> dict[str, str]:
    """Return the headers of a page: nothing from elsewhere, not in a frame, not kept.

    Args:
        nonce: what the page's own style and script are marked with.
        redirect_uri: where its form may lead besides this server: browsers apply `form-action` to redirects as well.
    """
    leads_to = "'self'" if redirect_uri is None else f"'self' {_source(redirect_uri)}"
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action {leads_to}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store, no-cache",
        "Pragma": "no-cache",
    }


def sign_in_page(
    application: str, hidden: Mapping[str, str], *, username: str, alert: str | None, nonce: str, action: str
) -> str:
    """Return the form for name and password; `hidden` are the parameters that go along, `alert` what went wrong."""
    problem = "" if alert is None else f'<p role="alert">{escape(alert)}</p>'
    focus = ("", " autofocus") if username else (" autofocus", "")
    body = (
        f"<h1>Sign in</h1><p>to <strong>{escape(application)}</strong></p>{problem}"
        f'<form method="post" action="{escape(action)}">{_hidden(hidden)}'
        '<label for="username">User name</label>'
        f'<input id="username" name="username" type="email" value="{escape(username)}" autocomplete="username" '
        f"required{focus[0]}>"
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required'
        f"{focus[1]}>"
        '<button type="submit" name="answer" value="sign-in">Sign in</button>'
        '<button type="submit" name="answer" value="cancel" formnovalidate>Cancel</button></form>'
    )
    return _document("Sign in", body, nonce)


def refusal_page(code: int, text: str, facts: Mapping[str, str], nonce: str) -> str:
    """Return a page that says why nobody can sign in here."""
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    body = f'<h1>Sorry, but there is a problem</h1><p role="alert">AADSTS{code}: {escape(text)}</p><dl>{listed}</dl>'
    return _document("Sign in is not possible", body, nonce)


def posting_page(uri: str, answer: Mapping[str, str], nonce: str) -> str:
    """Return a page that posts an answer to an application (OAuth 2.0 Form Post Response Mode)."""
    body = (
        f'<h1>Signed in</h1><form method="post" action="{escape(uri)}">{_hidden(answer)}'
        '<button type="submit">Continue</button></form>'
        f'<script nonce="{nonce}">document.forms[0].submit()</script>'
    )
    return _document("Continue", body, nonce)


def _hidden(values: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in values.items()
    )


def _document(title: str, body: str, nonce: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - Talentverse</title>"
        f'<style nonce="{nonce}">{_STYLE}</style></head><body><main>{body}</main></body></html>'
    )


def _source(uri: str) -> str:
    parts = urlsplit(uri)
    # What is no plain host name does not get into the header; its scheme alone allows more, but injects nothing.
    return f"{parts.scheme}://{parts.netloc}" if _HOST.fullmatch(parts.netloc) else f"{parts.scheme}:"
