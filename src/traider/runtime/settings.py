"""The configuration: environment variables, read once, into frozen sections, one per room. A room receives its section only.

``load_settings`` names every problem at once, before anything starts. Each variable is described in ``docs/configuration.md``;
a test fails when one is missing there. An empty variable counts as not set.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from traider.domain.errors import SettingsError
from traider.domain.limits import RiskLimits, VolatilityMethod

LOOPBACK = ("127.0.0.1", "localhost", "::1")
STORE_SCHEMES = ("sqlite", "sqlite+aiosqlite", "postgresql", "postgresql+asyncpg", "postgres")

Port = Annotated[int, Field(ge=0, le=65535)]
PositiveDecimal = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
PositiveInt = Annotated[int, Field(gt=0)]
Fraction = Annotated[Decimal, Field(gt=0, le=1, allow_inf_nan=False)]


class Section(BaseSettings):
    """A part of the configuration. It reads no environment by itself: ``load_settings`` hands in the variables."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))


def _private_address(value: str) -> str:
    """An address that a secret may be sent to."""
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("write https://host[:port]/path")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("an address without TLS has to be on this machine: write https://")
    return value.rstrip("/")


class StateSettings(Section):
    """Where a session keeps its files."""

    directory: Path = Field(default=Path(".traider"), validation_alias="TRAIDER_STATE_DIR")
    journal_segment_lines: int = Field(default=50_000, ge=1_000, validation_alias="JOURNAL_SEGMENT_LINES")


class StoreSettings(Section):
    """The state store; without a URL it is a SQLite file in the state directory."""

    uri: SecretStr | None = Field(default=None, validation_alias="STATE_STORE_URI")

    @field_validator("uri")
    @classmethod
    def _known_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            scheme, separator, _ = value.get_secret_value().partition("://")
            if not separator or scheme not in STORE_SCHEMES:
                raise ValueError("write sqlite:///path/to/file or postgresql://user:password@host:port/database")
        return value

    def url(self, state_dir: Path) -> str:
        """The store's address."""
        if self.uri is not None:
            return self.uri.get_secret_value()
        return f"sqlite:///{(state_dir / 'traider.sqlite3').absolute()}"


class RiskSettings(Section):
    """The limits that the guard starts with."""

    allowed_markets: Annotated[tuple[str, ...] | None, NoDecode] = Field(default=None, validation_alias="ALLOWED_MARKETS")
    max_order_notional: PositiveDecimal | None = Field(default=None, validation_alias="MAX_ORDER_NOTIONAL")
    max_order_size: PositiveDecimal | None = Field(default=None, validation_alias="MAX_ORDER_SIZE")
    max_open_orders: PositiveInt | None = Field(default=None, validation_alias="MAX_OPEN_ORDERS")
    max_open_orders_per_market: PositiveInt | None = Field(default=None, validation_alias="MAX_OPEN_ORDERS_PER_MARKET")
    max_position_size: PositiveDecimal | None = Field(default=None, validation_alias="MAX_POSITION_SIZE")
    max_daily_loss: PositiveDecimal | None = Field(default=None, validation_alias="MAX_DAILY_LOSS")
    max_drawdown: Fraction | None = Field(default=None, validation_alias="MAX_DRAWDOWN")
    max_orders_per_minute: PositiveInt | None = Field(default=None, validation_alias="MAX_ORDERS_PER_MINUTE")
    max_gross_exposure: PositiveDecimal | None = Field(default=None, validation_alias="MAX_GROSS_EXPOSURE")
    max_price_deviation: Fraction | None = Field(default=None, validation_alias="MAX_PRICE_DEVIATION")
    max_market_data_age_s: PositiveDecimal | None = Field(default=None, validation_alias="MAX_MARKET_DATA_AGE_S")
    max_orders_per_second: PositiveInt | None = Field(default=None, validation_alias="MAX_ORDERS_PER_SECOND")
    max_amends_per_second: PositiveInt | None = Field(default=None, validation_alias="MAX_AMENDS_PER_SECOND")
    duplicate_window_s: PositiveDecimal | None = Field(default=None, validation_alias="DUPLICATE_WINDOW_S")
    prevent_self_match: bool = Field(default=False, validation_alias="PREVENT_SELF_MATCH")
    max_rejections_in_a_row: PositiveInt | None = Field(default=None, validation_alias="MAX_REJECTIONS_IN_A_ROW")
    max_rejections_per_minute: PositiveInt | None = Field(default=None, validation_alias="MAX_REJECTIONS_PER_MINUTE")
    max_executions_per_minute: PositiveInt | None = Field(default=None, validation_alias="MAX_EXECUTIONS_PER_MINUTE")
    safe_mode: bool = Field(default=False, validation_alias="SAFE_MODE")
    volatility_mult: PositiveDecimal | None = Field(default=None, validation_alias="VOLATILITY_MULT")
    volatility_method: VolatilityMethod = Field(default="std", validation_alias="VOLATILITY_METHOD")
    volatility_window: Annotated[int, Field(ge=2, le=256)] | None = Field(default=None, validation_alias="VOLATILITY_WINDOW")
    volatility_alpha: Annotated[Decimal, Field(gt=0, lt=1)] = Field(default=Decimal("0.94"), validation_alias="VOLATILITY_ALPHA")
    volatility_span_s: PositiveDecimal = Field(default=Decimal(60), validation_alias="VOLATILITY_SPAN_S")
    atr_window: Annotated[int, Field(ge=1, le=256)] | None = Field(default=None, validation_alias="ATR_WINDOW")

    @field_validator("allowed_markets", mode="before")
    @classmethod
    def _split_markets(cls, value: object) -> object:
        markets = _split(value)
        if markets == ():
            raise ValueError("name at least one market, such as BTC-USD,ETH-USD, or leave it unset to allow every market")
        return markets

    def limits(self) -> RiskLimits:
        """The same, in the domain's words."""
        return RiskLimits(**{name: getattr(self, name) for name in RiskLimits.__struct_fields__})


class LiveSettings(Section):
    """Whether orders may go to an exchange, and what has to be shown before."""

    live_trading: bool = Field(default=False, validation_alias="LIVE_TRADING_DEFAULT")
    dry_run: bool = Field(default=True, validation_alias="DRY_RUN")
    valid_h: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = Field(default=168.0, validation_alias="LIVE_VALID_H")
    paper_days: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(default=7.0, validation_alias="LIVE_PAPER_DAYS")


class StrategySettings(Section):
    """Parameters of built-in strategies that have a variable of their own."""

    sma_window: PositiveInt | None = Field(default=None, validation_alias="SMA_WINDOW")


class ApiSettings(Section):
    """The HTTP face."""

    host: str = Field(default="127.0.0.1", validation_alias="API_HOST", min_length=1)
    port: Port = Field(default=8000, validation_alias="API_PORT")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(default=(), validation_alias="CORS_ORIGINS")
    dashboard_password: SecretStr | None = Field(default=None, validation_alias="DASHBOARD_PASSWORD")
    market_stale_after_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(default=30.0, validation_alias="MARKET_STALE_AFTER_S")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return _split(value)

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            # With cookies a browser ignores a wildcard, and a path never matches: both would fail silently.
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}":
                raise ValueError(f"{origin!r} is not an origin: write scheme://host[:port] without a path or a wildcard")
        return value

    @field_validator("dashboard_password")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 8:
            raise ValueError("a password has at least 8 characters")
        return value


class MetricsSettings(Section):
    """The Prometheus exporter."""

    port: Port = Field(default=9108, validation_alias="METRICS_PORT")


class CoinbaseSettings(Section):
    """Where Coinbase is and how it is spoken to. Nothing here is secret."""

    official_sdk: bool = Field(default=False, validation_alias="USE_OFFICIAL_SDK")
    rest_url: str = Field(default="https://api.coinbase.com", validation_alias="COINBASE_REST_URL")
    market_url: str = Field(default="wss://advanced-trade-ws.coinbase.com", validation_alias="COINBASE_WS_URL")
    user_url: str = Field(default="wss://advanced-trade-ws-user.coinbase.com", validation_alias="COINBASE_WS_USER_URL")
    ca_file: Path | None = Field(default=None, validation_alias="COINBASE_CA_FILE")

    @field_validator("rest_url", "market_url", "user_url")
    @classmethod
    def _bare_address(cls, value: str, info: ValidationInfo) -> str:
        schemes = ("https", "http") if info.field_name == "rest_url" else ("wss", "ws")
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.netloc or value.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
            raise ValueError(f"write {schemes[0]}://host[:port] without a path")
        if parts.scheme == schemes[1] and parts.hostname not in LOOPBACK:
            raise ValueError(f"an address without TLS has to be on this machine: write {schemes[0]}://")
        return value.rstrip("/")


class CoinbaseKeySettings(Section):
    """The key to the account. Of all processes the guard alone is given it."""

    name: str | None = Field(default=None, validation_alias="COINBASE_API_KEY")
    secret: SecretStr | None = Field(default=None, validation_alias="COINBASE_API_SECRET")
    file: Path | None = Field(default=None, validation_alias="COINBASE_KEY_FILE")


class CoinbaseOAuthSettings(Section):
    """The application that users give access to their account instead of a key."""

    client_id: str | None = Field(default=None, validation_alias="COINBASE_OAUTH_CLIENT_ID")
    client_secret: SecretStr | None = Field(default=None, validation_alias="COINBASE_OAUTH_CLIENT_SECRET")
    redirect_uri: str = Field(default="http://127.0.0.1:8765/callback", validation_alias="COINBASE_OAUTH_REDIRECT_URI")
    url: str = Field(default="https://login.coinbase.com/oauth2", validation_alias="COINBASE_OAUTH_URL")
    key_file: Path | None = Field(default=None, validation_alias="COINBASE_OAUTH_KEY_FILE")

    @field_validator("url")
    @classmethod
    def _https(cls, value: str) -> str:
        return _private_address(value)


class AlphaVantageSettings(Section):
    """Where bars of shares are downloaded from, and with which key."""

    api_key: SecretStr | None = Field(default=None, validation_alias="ALPHAVANTAGE_API_KEY")
    url: str = Field(default="https://www.alphavantage.co/query", validation_alias="ALPHAVANTAGE_URL")
    requests_per_minute: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] = Field(
        default=45.0, validation_alias="ALPHAVANTAGE_REQUESTS_PER_MINUTE"
    )

    @field_validator("api_key")
    @classmethod
    def _one_word(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        key = value.get_secret_value().strip()
        if any(letter.isspace() or not letter.isprintable() for letter in key):
            raise ValueError("a key is one word")
        return SecretStr(key)

    @field_validator("url")
    @classmethod
    def _https(cls, value: str) -> str:
        return _private_address(value)


class LogSettings(Section):
    """What is logged and how it looks."""

    format: Literal["auto", "json", "console"] = Field(default="auto", validation_alias="LOG_FORMAT")
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", validation_alias="LOG_LEVEL")

    @field_validator("level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("format", mode="before")
    @classmethod
    def _any_case_format(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def level_number(self) -> int:
        return logging.getLevelNamesMapping()[self.level]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration. Hand on a section, never this."""

    state: StateSettings
    store: StoreSettings
    risk: RiskSettings
    live: LiveSettings
    strategy: StrategySettings
    api: ApiSettings
    metrics: MetricsSettings
    log: LogSettings
    coinbase: CoinbaseSettings
    coinbase_key: CoinbaseKeySettings
    coinbase_oauth: CoinbaseOAuthSettings
    alphavantage: AlphaVantageSettings

    @property
    def store_url(self) -> str:
        """The store's address, with the default that depends on the state directory."""
        return self.store.url(self.state.directory)


class _Variables(EnvSettingsSource):
    """The variables of one section out of a mapping, decoded as pydantic-settings decodes the environment."""

    def __init__(self, section: type[Section], environment: Mapping[str, str]) -> None:
        self._environment = environment
        super().__init__(section, case_sensitive=True, env_ignore_empty=True)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name: value for name, value in self._environment.items() if value.strip()}


def sections() -> Iterator[tuple[str, type[Section]]]:
    """Every section's name and class."""
    for field in msgspec.structs.fields(Settings):
        yield field.name, field.type


def variables() -> Iterator[str]:
    """The name of every environment variable that is read."""
    for _, section in sections():
        yield from (str(field.validation_alias) for field in section.model_fields.values())


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The configuration in the given variables, by default the process's own; ``SettingsError`` names every problem of it."""
    loaded, problems = _read(os.environ if environment is None else environment)
    if problems:
        told = "; ".join(f"{name}: {problem}" for name, problem in problems)
        raise SettingsError(
            f"the configuration can't be started with ({len(problems)} {'problem' if len(problems) == 1 else 'problems'}): {told}"
        )
    return Settings(**loaded)


def settings_problems(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Every variable that can't be used, with what is wrong with it."""
    return _read(environment)[1]


def _read(environment: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    problems: list[tuple[str, str]] = []
    loaded: dict[str, Any] = {}
    for name, section in sections():
        try:
            loaded[name] = section(**_Variables(section, environment)())
        except ValidationError as error:
            problems += ((str(problem["loc"][0]), _told(problem["msg"])) for problem in error.errors())
    problems += _between_sections(environment)
    return loaded, problems


def _told(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "should be")


def _between_sections(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    # Asked of the variables themselves, so that it is told even when something else in those sections is wrong.
    api_port = environment.get("API_PORT", "").strip() or str(ApiSettings.model_fields["port"].default)
    metrics_port = environment.get("METRICS_PORT", "").strip() or str(MetricsSettings.model_fields["port"].default)
    if api_port == metrics_port != "0":
        yield "METRICS_PORT", f"{metrics_port} is the API's port too; choose another"
    given = {name for name, value in environment.items() if value.strip()}
    window = "ATR_WINDOW" if environment.get("VOLATILITY_METHOD", "").strip() == "atr" else "VOLATILITY_WINDOW"
    if "VOLATILITY_MULT" in given and window not in given and environment.get("VOLATILITY_METHOD", "").strip() != "ewma":
        yield "VOLATILITY_MULT", f"a band needs {window} too"
