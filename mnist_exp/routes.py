"""What stands between this process and a tracking server, which neither the server's nor MLflow's own words name."""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from mnist_exp.uris import masked


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
    return ""
