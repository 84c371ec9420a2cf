"""What stands between this process and a tracking server, which neither the server's nor MLflow's own words name."""

import http.client
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from mnist_exp.outside.uris import masked

_SECONDS = 3.0  # for the one question to a server that cannot be used


def advice(uri: str, error: BaseException) -> str:
    """A second line for the message that the server of this URI cannot be used, or nothing."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return ""
    proxies = getproxies()
    variable = next((name for name in (parts.scheme, "all") if proxies.get(name)), None)
    if variable is not None and not proxy_bypass(parts.hostname):
        return (
            f"\nThe request goes through the proxy {masked(proxies[variable])}, which {variable}_proxy names; "
            f"no_proxy={parts.hostname} leaves it out"
        )
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "\nMLFLOW_TRACKING_SERVER_CERT_PATH=FILE names the certificate to trust"
    if "#" in uri:
        return (
            f"\nThe address of a tracking server ends before the #: {masked(uri.partition('#')[0])}"
        )
    if isinstance(
        error, TimeoutError
    ):  # a server that drips its answers would be waited for without an end
        return ""
    if target := _sent_on(parts):
        return f"\nThat server sends requests on to {masked(target)}; take that address, for what is written is lost on the way"
    return ""


def _sent_on(parts: SplitResult) -> str | None:
    """Where a server sends its visitors, as many do from http to https."""
    if parts.scheme != "http" or parts.hostname is None:
        return None
    path = f"{parts.path.rstrip('/')}/health"
    try:
        connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=_SECONDS)
        connection.request("GET", path)
        answer = connection.getresponse()
        connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return None
    target = answer.getheader("Location", "") if 300 <= answer.status < 400 else ""
    return target.removesuffix("/health") or None
