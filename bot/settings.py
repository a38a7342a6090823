"""Every setting, once: read from the environment or ``.env`` and checked at start. Keys are never shown."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SetupError

PACKAGE = Path(__file__).resolve().parent


def content_root() -> Path:
    """The folder that holds ``prompts/`` and ``knowledge/``: inside the wheel, or the checkout."""
    packed = PACKAGE / "content"
    return packed if packed.is_dir() else PACKAGE.parent


class Settings(BaseSettings):
    """All configuration. Unset model settings mean the embedded default: scripted voice, rules only."""

    model_config = SettingsConfigDict(
        env_prefix="HUASU_", env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True,
        populate_by_name=True,
    )  # fmt: skip

    content_dir: Path = Field(default_factory=content_root)
    data_dir: Path = Path("data")
    database_url: str = ""
    chroma_url: str = ""
    api_key: SecretStr = Field(default=SecretStr(""), validation_alias=AliasChoices("OPENAI_API_KEY", "HUASU_API_KEY"))
    base_url: str = Field(
        default="", validation_alias=AliasChoices("OPENAI_BASE_URL", "OPENAI_API_BASE", "HUASU_BASE_URL")
    )
    voice_model: str = ""
    judge_model: str = ""
    voice_timeout: float = Field(
        default=20.0, gt=0, le=300, description="seconds for one customer line, retries included"
    )
    judge_timeout: float = Field(default=60.0, gt=0, le=600, description="seconds for one judged reply")
    model_retries: int = Field(default=2, ge=0, le=5)
    crisis_scenarios: str = Field(
        default="SC30", description="cases that may turn to a crisis, comma-separated; empty: none"
    )
    model_concurrency: int = Field(default=4, ge=1, le=64, description="calls to one endpoint at the same time")
    model_cache: Path | None = Field(default=None, description="folder of kept answers; for evaluations only")
    judge_samples: int = Field(default=1, ge=1, le=7, description="how often the evaluator is asked about one reply")
    price_question: float = Field(default=0.0, ge=0, description="price of a million prompt tokens")
    price_answer: float = Field(default=0.0, ge=0, description="price of a million answer tokens")
    max_reply_chars: int = Field(default=1000, ge=50, le=20000)
    login: Literal["off", "local", "oidc"] = Field(
        default="off", description="off: one person, this machine only; local: accounts; oidc: the bank's own sign-in"
    )
    allow_open: bool = Field(default=False, description="serve without accounts on an address others can reach")
    login_hours: int = Field(default=12, ge=1, le=720, description="how long a sign-in lasts")
    oidc_role_claim: str = Field(default="roles", description="the claim that carries a person's groups")
    oidc_trainers: str = Field(default="", description="values of the claim that make a trainer, comma-separated")
    oidc_admins: str = Field(default="", description="values of the claim that make an administrator")
    host: str = "127.0.0.1"
    port: int = Field(default=8501, ge=1, le=65535)
    log_json: bool = Field(default=False, description="write the log as one JSON object a line")
    metrics_port: int = Field(default=0, ge=0, le=65535, description="figures for Prometheus on 127.0.0.1; 0: none")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"

    @field_validator("base_url", "chroma_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("必须以 http:// 或 https:// 开头")
        return value.rstrip("/")

    @property
    def voice_ready(self) -> bool:
        """Whether an LLM voices the customer."""
        return bool(self.voice_model and (self.api_key.get_secret_value() or self.base_url))

    @property
    def judge_ready(self) -> bool:
        """Whether an LLM adds verdicts to the grade."""
        return bool(self.judge_model and (self.api_key.get_secret_value() or self.base_url))

    @property
    def crisis_cases(self) -> frozenset[str]:
        """The ids of the cases trainers have opened although the customer may speak of ending his life."""
        return frozenset(re.findall(r"[A-Z]{2}\d{2,4}", self.crisis_scenarios.upper()))

    @property
    def accounts(self) -> bool:
        """Whether people sign in; without it there is one person with every role."""
        return self.login != "off"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL; SQLite in the data folder unless set."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'huasu.db'}"

    @property
    def index_dir(self) -> Path:
        """Where the embedded Chroma keeps its files."""
        return self.data_dir / "index"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process-wide settings. Raises `SetupError` naming the variable and what is wrong with it."""
    return load_settings()


def check_open(settings: Settings) -> None:
    """Raises `SetupError` when the server would let everybody on the network in without an account."""
    if settings.accounts or settings.allow_open or _loopback(settings.host):
        return
    raise SetupError(
        f"HUASU_HOST={settings.host} 会让网络上的人都能打开，而现在没有登录。请设置 HUASU_LOGIN=local（先运行 huasu user add"
        " 建一个管理员），或者把 HUASU_HOST 改回 127.0.0.1；确实要不设登录，请设置 HUASU_ALLOW_OPEN=1。"
    )


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_settings(**overrides: object) -> Settings:
    """Read the environment anew; `overrides` win (used by tests and the command line)."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        variable = name if name.startswith("OPENAI_") else f"HUASU_{name.upper()}"
        raise SetupError(f"设置 {variable} 不对：{first['msg']}。请在环境变量或 .env 里改正后重试。") from None
