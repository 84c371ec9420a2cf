"""Advice for a server that cannot be used: a proxy, a certificate, a redirect."""

import http.client
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from mnist_exp.outside.uris import masked
from mnist_exp.tracking.attempts import within

_SECONDS = 3.0  # for the one question to a server that cannot be used


def advice(uri: str, error: BaseException) -> str:
    """Return a second line for the message that this server cannot be used, or an empty text."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return ""
    proxies = getproxies()
    variable = next((name for name in (parts.scheme, "all") if proxies.get(name)), None)
    if variable is not None and not proxy_bypass(parts.hostname):
        return (
            f"\nThe request goes through the proxy {masked(proxies[variable])}, which "
            f"{variable}_proxy names; no_proxy={parts.hostname} leaves it out"
        )
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "\nMLFLOW_TRACKING_SERVER_CERT_PATH=FILE names the certificate to trust"
    if "#" in uri:
        address = masked(uri.partition("#")[0])
        return f"\nThe address of a tracking server ends before the #: {address}"
    if target := _sent_on(parts):
        return (
            f"\nThat server sends requests on to {masked(target)}; take that address, for what is "
            "written is lost on the way"
        )
    return ""


def _sent_on(parts: SplitResult) -> str | None:
    """Return where a server sends its visitors, as many do from http to https.

    The timeout of a connection begins anew with each byte, so that the whole question has one, too.
    """
    if parts.scheme != "http":
        return None
    try:
        target = within(_SECONDS, lambda: _location(parts, f"{parts.path.rstrip('/')}/health"))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return target.removesuffix("/health") or None


def _location(parts: SplitResult, path: str) -> str:
    """Return the address that a server's answer for a path names instead, or an empty text."""
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port or 80, timeout=_SECONDS
    )
    connection.request("GET", path)
    answer = connection.getresponse()
    connection.close()
    return answer.getheader("Location", "") if 300 <= answer.status < 400 else ""
