import re
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from traider.domain.errors import SettingsError
from traider.domain.limits import RiskLimits
from traider.runtime.settings import load_settings, sections, settings_problems, variables

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"
_ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \|$", re.MULTILINE)


def test_without_variables_there_is_a_default_for_everything() -> None:
    settings = load_settings({})
    assert settings.state.directory == Path(".traider")
    assert settings.store_url == f"sqlite:///{Path('.traider/traider.sqlite3').absolute()}"
    assert settings.risk.limits() == RiskLimits()
    assert (settings.api.host, settings.api.port, settings.metrics.port) == ("127.0.0.1", 8000, 9108)
    assert (settings.log.format, settings.log.level) == ("auto", "INFO")


def test_every_variable_is_read() -> None:
    settings = load_settings(
        {
            "TRAIDER_STATE_DIR": "/var/lib/traider",
            "STATE_STORE_URI": "postgresql://user:secret@db/traider",
            "ALLOWED_MARKETS": "BTC-USD, ETH-USD,BTC-USD,",
            "MAX_ORDER_NOTIONAL": "1000.50",
            "MAX_ORDER_SIZE": "0.05",
            "MAX_OPEN_ORDERS": "5",
            "MAX_OPEN_ORDERS_PER_MARKET": "3",
            "MAX_POSITION_SIZE": "0.1",
            "MAX_DAILY_LOSS": "250",
            "MAX_DRAWDOWN": "0.2",
            "MAX_ORDERS_PER_MINUTE": "60",
            "MAX_REJECTIONS_PER_MINUTE": "10",
            "SMA_WINDOW": "30",
            "API_HOST": "0.0.0.0",
            "API_PORT": "8080",
            "CORS_ORIGINS": "http://localhost:3000,https://desk.example",
            "DASHBOARD_PASSWORD": " with spaces ",
            "MARKET_STALE_AFTER_S": "2.5",
            "METRICS_PORT": "0",
            "LOG_FORMAT": "JSON",
            "LOG_LEVEL": "debug",
            "USE_OFFICIAL_SDK": "true",
            "COINBASE_REST_URL": "http://127.0.0.1:9000/",
            "COINBASE_WS_URL": "ws://localhost:9000",
            "COINBASE_WS_USER_URL": "wss://user.example",
            "COINBASE_CA_FILE": "/etc/ca.pem",
            "COINBASE_API_KEY": "organizations/o/apiKeys/k",
            "COINBASE_API_SECRET": "hidden",
            "COINBASE_KEY_FILE": "/run/secrets/coinbase.json",
            "COINBASE_OAUTH_CLIENT_ID": "app",
            "COINBASE_OAUTH_CLIENT_SECRET": "also hidden",
            "COINBASE_OAUTH_REDIRECT_URI": "http://127.0.0.1:1/back",
            "ALPHAVANTAGE_API_KEY": " KEY ",
            "ALPHAVANTAGE_URL": "http://localhost:1/query",
            "ALPHAVANTAGE_REQUESTS_PER_MINUTE": "600",
            "SOMETHING_ELSE": "is not ours",
        }
    )
    assert settings.store_url == "postgresql://user:secret@db/traider"
    assert settings.risk.limits() == RiskLimits(
        allowed_markets=("BTC-USD", "ETH-USD"),
        max_order_notional=Decimal("1000.50"),
        max_order_size=Decimal("0.05"),
        max_open_orders=5,
        max_open_orders_per_market=3,
        max_position_size=Decimal("0.1"),
        max_daily_loss=Decimal(250),
        max_drawdown=Decimal("0.2"),
        max_orders_per_minute=60,
        max_rejections_per_minute=10,
    )
    assert settings.strategy.sma_window == 30
    assert settings.api.cors_origins == ("http://localhost:3000", "https://desk.example")
    assert settings.api.dashboard_password is not None
    assert settings.api.dashboard_password.get_secret_value() == " with spaces "
    assert (settings.api.market_stale_after_s, settings.metrics.port) == (2.5, 0)
    assert (settings.log.format, settings.log.level, settings.log.level_number) == ("json", "DEBUG", 10)
    coinbase = settings.coinbase
    assert coinbase.official_sdk
    assert (coinbase.rest_url, coinbase.market_url, coinbase.user_url) == (
        "http://127.0.0.1:9000",
        "ws://localhost:9000",
        "wss://user.example",
    )
    assert coinbase.ca_file == Path("/etc/ca.pem")
    key, oauth = settings.coinbase_key, settings.coinbase_oauth
    assert key.secret is not None
    assert (key.name, key.secret.get_secret_value(), key.file) == (
        "organizations/o/apiKeys/k",
        "hidden",
        Path("/run/secrets/coinbase.json"),
    )
    assert oauth.client_secret is not None
    assert (oauth.client_id, oauth.client_secret.get_secret_value(), oauth.redirect_uri) == (
        "app",
        "also hidden",
        "http://127.0.0.1:1/back",
    )
    bars = settings.alphavantage
    assert bars.api_key is not None
    assert (bars.api_key.get_secret_value(), bars.url, bars.requests_per_minute) == ("KEY", "http://localhost:1/query", 600)


WRONG = {
    "STATE_STORE_URI": ("mysql://db", "traider.sqlite3"),
    "ALLOWED_MARKETS": (",", " , "),
    "MAX_ORDER_NOTIONAL": ("0", "-1", "NaN", "Infinity", "much"),
    "MAX_ORDER_SIZE": ("0", "-0.1", "NaN", "much"),
    "MAX_OPEN_ORDERS": ("0", "1.5", "-3"),
    "MAX_OPEN_ORDERS_PER_MARKET": ("0", "1.5"),
    "MAX_POSITION_SIZE": ("0",),
    "MAX_DAILY_LOSS": ("-0.01",),
    "MAX_DRAWDOWN": ("1.01", "0", "10%"),
    "MAX_ORDERS_PER_MINUTE": ("0",),
    "MAX_REJECTIONS_PER_MINUTE": ("0", "1.5"),
    "SMA_WINDOW": ("0", "2.5"),
    "API_PORT": ("65536", "-1", "http"),
    "CORS_ORIGINS": ("*", "localhost:3000", "http://localhost:3000/path"),
    "DASHBOARD_PASSWORD": ("short",),
    "MARKET_STALE_AFTER_S": ("0", "inf", "soon"),
    "METRICS_PORT": ("70000", "8000"),
    "LOG_FORMAT": ("xml",),
    "LOG_LEVEL": ("LOUD",),
    "USE_OFFICIAL_SDK": ("perhaps",),
    "COINBASE_REST_URL": ("http://api.coinbase.com", "api.coinbase.com", "https://api.coinbase.com/api/v3", "wss://host"),
    "COINBASE_WS_URL": ("ws://host.example", "https://host", "wss://host/path"),
    "COINBASE_WS_USER_URL": ("ws://host.example", "host"),
    "COINBASE_OAUTH_URL": ("http://host.example/oauth2", "host", "https://host/path?query=1"),
    "ALPHAVANTAGE_API_KEY": ("two words",),
    "ALPHAVANTAGE_URL": ("http://www.alphavantage.co/query", "www.alphavantage.co", "https://host/query?apikey=1"),
    "ALPHAVANTAGE_REQUESTS_PER_MINUTE": ("0", "inf", "many"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_named_and_nothing_else(name: str, value: str) -> None:
    assert [problem[0] for problem in settings_problems({name: value})] == [name]
    with pytest.raises(SettingsError, match=rf"\(1 problem\): {name}: ") as caught:
        load_settings({name: value})
    assert "\n" not in str(caught.value)


def test_every_problem_is_named_at_once() -> None:
    environment = {name: values[0] for name, values in WRONG.items()}
    with pytest.raises(SettingsError) as caught:
        load_settings(environment)
    assert [name for name in environment if f"{name}: " not in str(caught.value)] == []
    assert f"({len(environment)} problems)" in str(caught.value)


def test_a_clash_between_sections_is_named_beside_what_is_wrong_within_them() -> None:
    environment = {"API_PORT": "9108", "CORS_ORIGINS": "*", "LOG_LEVEL": "LOUD"}
    assert sorted(name for name, _ in settings_problems(environment)) == ["CORS_ORIGINS", "LOG_LEVEL", "METRICS_PORT"]


def test_an_empty_variable_is_not_set() -> None:
    assert load_settings(dict.fromkeys(variables(), " ")) == load_settings({})


def test_secrets_are_not_shown() -> None:
    settings = load_settings(
        {
            "DASHBOARD_PASSWORD": "s3cret-word",
            "STATE_STORE_URI": "postgresql://u:s3cret@h/d",
            "COINBASE_API_SECRET": "s3cret",
            "COINBASE_OAUTH_CLIENT_SECRET": "s3cret",
            "ALPHAVANTAGE_API_KEY": "s3cret",
        }
    )
    assert "s3cret" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        load_settings({"STATE_STORE_URI": "mysql://u:s3cret@h/d"})
    assert "s3cret" not in str(caught.value)


def test_sections_are_frozen() -> None:
    settings = load_settings({})
    with pytest.raises(ValidationError):
        settings.api.port = 1


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "8123")
    assert load_settings().api.port == 8123
    assert load_settings({}).api.port == 8000


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    documented = [name for name, _ in _ROW.findall(DOCUMENT.read_text(encoding="utf-8"))]
    assert documented == list(variables())


def test_the_documented_defaults_are_the_real_ones() -> None:
    documented = dict(_ROW.findall(DOCUMENT.read_text(encoding="utf-8")))
    for _, section in sections():
        for field in section.model_fields.values():
            shown = documented[str(field.validation_alias)]
            if field.default in (None, ()):
                assert not shown.startswith("`"), shown  # told in words
            else:
                default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
                assert shown == f"`{default.lower() if isinstance(field.default, bool) else default}`"


def test_a_band_without_its_window_is_named() -> None:
    for environment, window in (
        ({"VOLATILITY_MULT": "3"}, "VOLATILITY_WINDOW"),
        ({"VOLATILITY_MULT": "3", "VOLATILITY_METHOD": "atr"}, "ATR_WINDOW"),
    ):
        assert settings_problems(environment) == [("VOLATILITY_MULT", f"a band needs {window} too")]
        assert settings_problems(environment | {window: "20"}) == []
    assert settings_problems({"VOLATILITY_MULT": "3", "VOLATILITY_METHOD": "ewma"}) == []


def test_live_trading_is_off_by_default() -> None:
    live = load_settings({}).live
    assert (live.live_trading, live.dry_run) == (False, True)
    assert load_settings({"SAFE_MODE": "true"}).risk.limits().safe_mode
