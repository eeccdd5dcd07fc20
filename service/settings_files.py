"""Secret values from files: `SECURE_MCP_<NAME>_FILE` names a file that holds the value."""

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

MAX_SECRET_BYTES = 8192


class SettingsError(Exception):
    """The settings are wrong; the text has a line for each fault.

    Args:
        problems: one sentence each, beginning with the variable's name.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def is_secret(field: FieldInfo) -> bool:
    """Whether the value of a setting must not be shown, so that it may come from a file."""
    return "SecretStr" in str(field.annotation)


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the `*_FILE` variables of the secret settings."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self._prefix = str(settings_cls.model_config.get("env_prefix", ""))

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value of one setting, its name, and that it is no JSON."""
        variable = f"{self._prefix}{field_name.upper()}"
        path = os.environ.get(f"{variable}_FILE")
        if not path or not is_secret(field):
            return None, field_name, False
        if os.environ.get(variable):
            raise SettingsError([f"{variable}: is set, and so is {variable}_FILE; keep one of the two"])
        try:
            with Path(path).open("rb") as file:
                content = file.read(MAX_SECRET_BYTES + 1)
            value = content.decode("utf-8").rstrip("\r\n")
        except OSError as error:
            raise SettingsError([f"{variable}_FILE: {path}: {error.strerror}; name a file that can be read"]) from None
        except UnicodeDecodeError:
            raise SettingsError([f"{variable}_FILE: {path} is not UTF-8 text; write the secret alone"]) from None
        if not value or len(content) > MAX_SECRET_BYTES:
            wrong = "is too large" if value else "is empty"
            raise SettingsError([f"{variable}_FILE: {path} {wrong}; write the secret alone, on one line"])
        return SecretStr(value), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values of all secret settings whose `*_FILE` variable is set."""
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}
