"""Which files hold passwords, keys or tokens: they stay on this machine, whatever a run records.

A file is judged by its name and by its content. It is better to leave out a harmless file, whose
name is then recorded, than to upload a key.
"""

import re
from pathlib import PurePosixPath

_CODE = (".py", ".pyi", ".pyx", ".ipynb")

# Names of files, or of folders above them, in small letters.
_NAMES = re.compile(
    r"""
    \.?env(\..*)? | .*\.env | \.envrc | [._]netrc | \.?pgpass(\..*)? | \.?my(login)?\.cnf
    | \.pypirc | \.npmrc | \.yarnrc.* | \.git-credentials | \.gitconfig | \.htpasswd | \.dockercfg
    | \.docker | \.boto | \.s3cfg | \.databrickscfg | \.vault-token | \.?kube | .*kubeconfig.*
    | \.aws | \.ssh | \.gnupg | \.azure | \.?gcloud | \.config | \.kaggle | kaggle\.json
    | \.huggingface | \.streamlit | \.modal\.toml | \.condarc | .*_history | authorized_keys
    | \.?secrets?
    | .*\.(pem|key|p8|p12|pfx|jks|keystore|kdbx?|ppk|gpg|pgp|asc|ovpn|tfstate|tfvars|keytab|agekey)
      (\.(bak|old|backup))?
    """,
    re.VERBOSE,
)
# Words in the names of files that are no code: `tokens.json`, `id_ed25519`.
_WORDS = re.compile(
    r"^id_|secret|credential|passw(or)?d|token(?!i[sz])|api[_-]?key"
    r"|service[_-]?account|private[_-]?key"
)
# The content of these is not looked into.
_ARCHIVES = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".whl")

# Repetitions are bounded, so that a large file is looked through quickly, whatever it holds.
_PASSWORD = rb"(?:passw(?:or)?d|passphrase)"
_SECRET = rb"(?:secret|token|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|auth)[\w.-]{0,40}"
_QUOTE = rb"\\?[\"']"
_IS = rb"(?:\\?[\"'])?[ \t]{0,9}[:=][ \t]{0,9}"
# Letters and digits, as neither a name nor a word has them.
_RANDOM = rb"(?=[^\s\"']{0,200}\d)(?=[^\s\"']{0,200}[a-z])[\w+/=.~-]{16,}"
_TOKENS = (
    rb"gh[pousr]_[A-Za-z0-9]{20}",
    rb"github_pat_\w{20}",
    rb"glpat-[\w-]{20}",
    rb"hf_[A-Za-z0-9]{20}",
    rb"sk-[\w-]{20}",
    rb"[sr]k_(?:live|test)_\w{16}",
    rb"xox[abeprs]-[\w-]{10}",
    rb"npm_\w{30}",
    rb"pypi-[\w-]{20}",
    rb"dapi[0-9a-f]{30}",
    rb"dckr_pat_\w{20}",
    rb"SG\.[\w-]{16,80}\.[\w-]{16}",
    rb"nvapi-[\w-]{20}",
    rb"gsk_\w{20}",
    rb"r8_\w{30}",
    rb"eyJ[\w-]{10,400}\.eyJ[\w-]{10}",
)
_PRIVATE_KEY = (
    rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|PuTTY-User-Key-File|AGE-SECRET-KEY-1"
    rb"|\"private_key\"\s*:"
)
_CLOUD_KEY = (
    rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}|\bya29\.[\w-]{20}|[\"']service_account[\"']"
)
_URL = rb"\b[a-zA-Z][\w+.-]{0,30}://[^\s/:@\"'<>{}$]{0,200}:[^\s/@\"'<>{}$*]{1,200}@[\w.\[-]"
_PERHAPS = "a password or token"
_CONTENTS = {
    _PRIVATE_KEY: "a private key",
    _CLOUD_KEY: "a key of a cloud",
    rb"\b(?:" + b"|".join(_TOKENS) + rb")": "a token",
    _URL: "a URL with a password",
    rb"(?i)" + _SECRET + _IS + _QUOTE + _RANDOM + _QUOTE: _PERHAPS,
    rb"(?im)^[\w. \t-]{0,80}?" + _SECRET + _IS + _RANDOM + rb"[ \t\r]{0,9}$": _PERHAPS,
    rb"(?i)" + _PASSWORD + _IS + _QUOTE + rb"[^\s\"'<>{}$*]{4,}" + _QUOTE: "a password",
    rb"(?m)^kind:[ \t]{0,9}Secret\b": "a secret of Kubernetes",
}
# For files in which a value needs no quotes. In Python, what stands unquoted is an expression.
_UNQUOTED = (
    rb"(?im)^[\w. \t\"-]{0,80}?" + _PASSWORD + _IS + rb"[^\s\"'<>{}$*|>&!()\[\]]{4,}[ \t\r]{0,9}$"
)


def is_guess(found: str) -> bool:
    """Return whether what `by_content` has found may be an ordinary text in quotes."""
    return found in (f"holds {_PERHAPS}", "holds a password")


def by_name(path: str) -> str | None:
    """Return why a file of this name may be a secret, or None. `path` is relative, with slashes."""
    parts = [part.lower() for part in PurePosixPath(path).parts]
    if any(_NAMES.fullmatch(part) for part in parts):
        return "by its name a secret"
    if not parts[-1].endswith(_CODE) and _WORDS.search(parts[-1]):
        return "by its name a secret"
    return "an archive, which may hold anything" if parts[-1].endswith(_ARCHIVES) else None


def by_content(path: str, content: bytes) -> str | None:
    """Return why the content may be a secret, or None. Text may be UTF-16."""
    text = content.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    for pattern, what in _CONTENTS.items():
        if re.search(pattern, text):
            return f"holds {what}"
    if not path.lower().endswith(_CODE) and re.search(_UNQUOTED, text):
        return "holds a password"
    return None
