"""Settings: where they come from, what is refused by name, and that the generated pages say what the code says."""

import re
from pathlib import Path

import pytest

from livelift.docs import DOCS, documents, outdated
from livelift.settings import BESIDE, Settings, WrongSetting

pytestmark = pytest.mark.shell


@pytest.fixture
def settings_file(tmp_path, monkeypatch):
    """Writes a settings file and names it."""

    def write(text: str) -> Path:
        file = tmp_path / "services.toml"
        file.write_text(text)
        monkeypatch.setenv("LIVELIFT_SETTINGS", str(file))
        return file

    return write


def test_a_variable_goes_before_the_file_and_an_argument_before_both(settings_file, monkeypatch):
    settings_file('kafka = "file:9092"\nnamespace = "file-"\npartitions = 3')
    monkeypatch.setenv("LIVELIFT_NAMESPACE", "variable-")
    monkeypatch.setenv("LIVELIFT_PARTITIONS", "4")
    settings = Settings(partitions=5)
    assert (settings.kafka, settings.namespace, settings.partitions) == ("file:9092", "variable-", 5)


def test_a_misspelt_variable_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("LIVELIFT_PARTITION", "3")
    with pytest.raises(WrongSetting, match=r"LIVELIFT_PARTITION is no setting \(did you mean LIVELIFT_PARTITIONS\?\)"):
        Settings()


def test_a_misspelt_key_of_the_file_is_refused_by_name(settings_file):
    file = settings_file('name_space = "a-"')
    with pytest.raises(WrongSetting, match=r"services.toml: name_space is no setting \(did you mean namespace\?\)"):
        Settings()
    file.write_text('[kafka_broker]\nhost = "x"')
    with pytest.raises(WrongSetting, match=r"kafka_broker is no setting"):
        Settings()


def test_what_kubernetes_adds_for_a_service_of_our_name_is_nobodys_typo(monkeypatch):
    for name, value in {
        "LIVELIFT_SERVICE_HOST": "10.0.0.1", "LIVELIFT_SERVICE_PORT_HTTP": "80", "LIVELIFT_PORT": "tcp://10.0.0.1:80",
        "LIVELIFT_REDIS_PORT_6379_TCP_ADDR": "10.0.0.2",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert Settings().redis is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"LIVELIFT_PARTITIONS": "many"}, "LIVELIFT_PARTITIONS.*integer"),
        ({"LIVELIFT_PARTITIONS": "0"}, "LIVELIFT_PARTITIONS.*greater than or equal to 1"),
        ({"LIVELIFT_CLOCK": "wall"}, "LIVELIFT_CLOCK.*'live' or 'log'"),
        ({"LIVELIFT_KAFKA_SECURITY": "sasl_ssl"}, "needs kafka_username and kafka_password"),
        ({"LIVELIFT_SETTINGS": "absent.toml"}, "absent.toml, which does not exist"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(given, said, monkeypatch):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WrongSetting, match=said) as refused:
        Settings()
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_toml_is_named(settings_file):
    settings_file("kafka = \nredis = 1")
    with pytest.raises(WrongSetting, match=r"services.toml is no TOML: .*line 1"):
        Settings()


def test_passwords_are_never_shown(monkeypatch):
    monkeypatch.setenv("LIVELIFT_KAFKA_PASSWORD", "secret-1")
    monkeypatch.setenv("LIVELIFT_REDIS", "redis://ann:secret-2@localhost:6379/0")
    monkeypatch.setenv("LIVELIFT_PARTITIONS", "12")
    settings = Settings()
    assert "secret" not in repr(settings) + str(settings) + settings.redis_shown
    assert settings.redis_shown == "redis://ann:***@localhost:6379/0"


def test_every_setting_says_what_it_means_in_the_page():
    page = (DOCS / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"| `{name}` | `LIVELIFT_{name.upper()}` |" in page
    for name in BESIDE:
        assert name in page


def test_the_examples_of_the_page_are_valid(settings_file, monkeypatch):
    examples = re.findall(r"```toml\n(.*?)```", (DOCS / "settings.md").read_text(), re.DOTALL)
    settings_file(examples[0])
    assert Settings().confluent()["bootstrap.servers"] == "127.0.0.1:9092"
    settings_file(examples[1])
    monkeypatch.setenv("LIVELIFT_KAFKA_PASSWORD", "secret")
    given = Settings().confluent()
    assert (given["security.protocol"], given["sasl.username"]) == ("sasl_ssl", "livelift")
    assert (given["sasl.mechanism"], given["sasl.password"]) == ("SCRAM-SHA-512", "secret")
    assert given["ssl.ca.location"] == "/etc/livelift/ca.pem"


def test_no_generated_page_is_out_of_date(tmp_path):
    assert outdated() == []
    assert outdated(tmp_path) == list(documents()), "pages that are missing are out of date"
