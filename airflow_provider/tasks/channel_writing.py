"""What creating and updating a notification channel have in common: its fields, and writing what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider.mlops import notifications
from airflow_provider.tasks import arguments
from airflow_provider.tasks.base import DataRobotBaseOperator
from airflow_provider.tasks.run import Run
from airflow_provider.tasks.secret_arguments import SecretArguments, headers

Headers = Mapping[str, str] | Sequence[Mapping[str, str]] | str


class ChannelOperator(SecretArguments, DataRobotBaseOperator):
    """Common to creating and updating: the channel itself."""

    secret_fields = ("secret_token", "custom_headers", "verification_code")
    template_fields = (
        *DataRobotBaseOperator.template_fields,
        "name",
        "payload_url",
        "content_type",
        "secret_token",
        "custom_headers",
        "validate_ssl",
        "email_address",
        "verification_code",
        "language_code",
        "hidden_secrets",
    )

    def __init__(
        self,
        *,
        name: str | None = None,
        payload_url: str | None = None,
        content_type: str | None = None,
        secret_token: str | None = None,
        custom_headers: Headers | None = None,
        validate_ssl: bool | str | None = None,
        email_address: str | None = None,
        verification_code: str | None = None,
        language_code: str | None = None,
        hidden_secrets: str = "write",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.payload_url = payload_url
        self.content_type = content_type
        self.secret_token = secret_token
        self.custom_headers = custom_headers
        self.validate_ssl = validate_ssl
        self.email_address = email_address
        self.verification_code = verification_code
        self.language_code = language_code
        self.hidden_secrets = hidden_secrets
        self.warn()

    def prepare(self) -> None:
        """Checks every argument before anything is sent."""
        super().prepare()
        self.secrets()
        self.hidden_secrets = arguments.one_of("hidden_secrets", self.hidden_secrets, ("write", "keep"))
        given = {
            "name": self._text("name", self.name, notifications.NAME_LENGTH),
            "payloadUrl": self._text("payload_url", self.payload_url),
            "contentType": self._word("content_type", self.content_type, notifications.CONTENT_TYPES),
            "secretToken": self._text("secret_token", self.secret_token),
            "emailAddress": self._text("email_address", self.email_address),
            "languageCode": self._word("language_code", self.language_code, notifications.LANGUAGES),
        }
        self.wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if not arguments.absent(self.custom_headers):
            self.wanted["customHeaders"] = headers("custom_headers", self.custom_headers)
        if not arguments.absent(self.validate_ssl):
            self.wanted["validateSsl"] = arguments.flag("validate_ssl", self.validate_ssl)
        code = self._text("verification_code", self.verification_code)
        self.code = {} if code is None else {"verificationCode": code}

    @staticmethod
    def _text(name: str, value: Any, most: int = 2_000) -> str | None:
        return None if arguments.absent(value) else arguments.text(name, value, most)

    @staticmethod
    def _word(name: str, value: Any, allowed: Sequence[str]) -> str | None:
        return None if arguments.absent(value) else arguments.one_of(name, value, allowed)

    def write_difference(self, run: Run, channel: Mapping[str, Any]) -> list[str]:
        """Writes what differs, in one PUT with everything else as it is; the names of what was written."""
        found = notifications.difference(self.wanted, channel)
        unseen = found.unseen if self.hidden_secrets == "write" or found.fields else ()
        written = sorted({*found.fields, *unseen})
        if not written and not self.extra_body:
            return []
        channel_id = str(channel["id"])
        body = notifications.whole(notifications.CHANNEL_FIELDS, self.wanted, channel) | self.code
        run.submit(
            "updateNotificationChannel",
            body,
            stage="update",
            look=None if unseen else lambda: None if self._differs(run, channel_id) else True,
            extra_body=self.extra_body,
            id=channel_id,
            channelId=channel_id,
        )
        notifications.refuse_unkept("channel", self.wanted, run.read("getNotificationChannel", channelId=channel_id))
        return written

    def _differs(self, run: Run, channel_id: str) -> bool:
        now = run.read("getNotificationChannel", channelId=channel_id)
        return bool(notifications.difference(self.wanted, now).fields)
