import time

import pytest

from mnist_exp.tracking import credentials

SECRET_NAMES = """
.env .env.local prod.env .envrc .netrc _netrc .pgpass pgpass.conf .my.cnf .pypirc .npmrc
.git-credentials .gitconfig .htpasswd .dockercfg .docker/config.json .aws/credentials .aws/config
.ssh/config .kube/config kubeconfig kubeconfig.yaml lab-kubeconfig.yml
.config/gcloud/application_default_credentials.json .kaggle/kaggle.json kaggle.json
.huggingface/token .streamlit/secrets.toml secrets/lab.yaml id_rsa id_ed25519 id_rsa.pub ID_RSA
id_ecdsa.old server.pem server.key KEY.PEM key.p12 a.pfx a.jks a.kdbx a.ppk a.gpg lab.ovpn
terraform.tfstate lab.tfvars krb5.keytab service-account.json my_service_account_lab.json
secret.txt client_secret_1.json credentials credentials.json aws-credentials.csv passwords.txt
passwd token token.txt api_token.json apikey.txt api-key.yaml .bash_history .python_history
private_key.txt conf/secrets.yaml mnist_exp/.env deep/er/.ssh/known_hosts backup.zip all.tar.gz
""".split()  # noqa: SIM905
HARMLESS_NAMES = """
model.py conf/model/cnn.yaml tokenizer.yaml tokenization.txt mnist_exp/secrets.py credentials.py
monkey.yaml keys.py environment.yaml id.py identity.yaml passes.txt .gitignore notes.md pixels.bin
""".split()  # noqa: SIM905


@pytest.mark.parametrize("path", SECRET_NAMES)
def test_names_of_secrets(path: str) -> None:
    assert credentials.by_name(path) is not None
    assert credentials.by_name(f"folder/{path}") is not None


@pytest.mark.parametrize("path", HARMLESS_NAMES)
def test_names_of_code_and_configs(path: str) -> None:
    assert credentials.by_name(path) is None


LETTERS = "aB3" * 14
# Put together here, so that no search for secrets finds one in this file.
SECRET_TEXTS = [
    "-----BEGIN " + "RSA PRIVATE KEY-----",
    "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "-----BEGIN " + "PRIVATE KEY-----",
    "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----",
    '{"type": "service' + '_account"}',
    '{"private' + '_key": "x"}',
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "x = 'ASIA" + "ABCDEFGHIJKLMNOP'",
    "AIza" + LETTERS[:35],
    "ghp" + "_" + LETTERS,
    "gho" + "_" + LETTERS,
    "github" + "_pat_" + LETTERS,
    "glpat" + "-" + LETTERS[:20],
    "login('hf" + "_" + LETTERS + "')",
    "sk" + "-" + LETTERS,
    "sk" + "-ant-api03-" + LETTERS,
    "sk" + "_live_" + LETTERS,
    "xoxb" + "-1234567890-abc",
    "eyJ" + LETTERS + ".eyJ" + LETTERS + ".x",
    "postgresql://bob:hunt" + "er2@db/x",
    "http://:pw" + "@host:5000",
    "aws_secret_access" + "_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "WANDB_API" + "_KEY=" + LETTERS,
    "token" + f' = "{LETTERS}"',
    '"token' + f'": "{LETTERS}"',
    '\\"api_key' + f'\\": \\"{LETTERS}\\"',
    "password" + " = 'hunter2'",
    "db_passwd" + ': "hunter2"',
    "kind: " + "Secret\ndata: {}",
    "export MLFLOW_TRACKING_TOKEN" + f"={LETTERS}",
]
HARMLESS_TEXTS = [
    "password = getpass()",
    "token = page.token",
    "token = None",
    "api_key: ${oc.env:KEY}",
    "http://127.0.0.1:5000/x@y",
    "https://github.com/a/b",
    "self.password = password",
    "tokens = tokenizer.encode(text)",
    "secret = args.secret_name_of_it",
    "a-----BEGIN CERTIFICATE-----",
    "sk-learn",
    "mask-sk-",
    "hf_hub",
    "user@host",
    "tracking.uri=http://alice:***@host",
    "commit 0123456789abcdef0123456789abcdef01234567",
    "kind: softmax",
    "password: ${PASSWORD}",
]


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_contents_that_are_secrets(text: str) -> None:
    for content in (f"a = 1\n{text}\nb = 2\n", f"{text}\r\nb", text):
        assert credentials.by_content("lab.txt", content.encode()) is not None
        assert credentials.by_content("lab.py", content.encode()) is not None
    assert credentials.by_content("lab.txt", text.encode("utf-16")) is not None


@pytest.mark.parametrize("text", HARMLESS_TEXTS)
def test_contents_that_are_none(text: str) -> None:
    assert credentials.by_content("lab.py", f"a = 1\n{text}\nb = 2\n".encode()) is None


def test_a_value_without_quotes_is_an_expression_in_python_alone() -> None:
    assert credentials.by_content("lab.yaml", b"user: bob\n" + b"password: hunter2\n") is not None
    assert credentials.by_content("lab.py", b"password = hunter2\n") is None


@pytest.mark.parametrize(
    "pattern",
    [
        b"a",
        b"a-",
        b"token",
        b"token=",
        b"x://:",
        b"eyJ-",
        b"pass\n",
        b"word \n",
        b"password: ",
        b"\x00",
    ],
)
def test_no_content_takes_long(pattern: bytes) -> None:
    content = pattern * (1_000_000 // len(pattern))
    started = time.process_time()
    credentials.by_content("x.txt", content)
    assert time.process_time() - started < 3
