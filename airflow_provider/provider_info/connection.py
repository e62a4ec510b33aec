"""The connection type ``datarobot``: its standard fields and the declared ones, as Airflow's form shows them.

Airflow 3.2 and newer draw the form from this data. Airflow 3.1 asks the hook's form methods, which read it from here
too. A saved form holds every declared field, those left empty as null: the hook takes null as absent.
"""

from __future__ import annotations

from typing import Any

CONNECTION_TYPE = "datarobot"
HOOK_CLASS = "airflow_provider.hooks.datarobot.DataRobotHook"

FIELDS: dict[str, dict[str, Any]] = {
    # Not "token_...": Airflow masks a field with that word in its name.
    "auth_scheme": {
        "label": "Token scheme",
        "description": "The word before the token in the Authorization header; some installations want Token.",
        "schema": {"type": ["string", "null"], "enum": ["Bearer", "Token"], "default": "Bearer"},
    },
    "verify_tls": {
        "label": "Verify TLS",
        "description": "Check the server's certificate. Switch it off for a trial only.",
        "schema": {"type": ["boolean", "null"], "default": True},
    },
    "ca_bundle": {
        "label": "CA bundle",
        "description": "Path of a PEM file with the authorities to trust, on every worker and triggerer.",
        "schema": {"type": ["string", "null"]},
    },
    "client_cert": {
        "label": "Client certificate",
        "description": "Path of a PEM file, where the installation asks for one (mutual TLS).",
        "schema": {"type": ["string", "null"]},
    },
    "client_key": {
        "label": "Client key",
        "description": "Path of the PEM file with the key, when it is not in the certificate's file.",
        "schema": {"type": ["string", "null"]},
    },
    "client_key_password": {
        "label": "Client key password",
        "schema": {"type": ["string", "null"], "format": "password"},
    },
    "proxy": {
        "label": "Proxy",
        # Masked, because the address of a proxy often carries user and password.
        "description": "Address of an HTTP proxy, with user and password if it needs them.",
        "schema": {"type": ["string", "null"], "format": "password"},
    },
    "connect_timeout": {
        "label": "Connect timeout",
        "description": "Seconds to wait for a connection.",
        "schema": {"type": ["number", "null"], "minimum": 0.1, "default": 6.05},
    },
    "read_timeout": {
        "label": "Read timeout",
        "description": "Seconds to wait between two parts of an answer.",
        "schema": {"type": ["number", "null"], "minimum": 0.1, "default": 60},
    },
    "location": {
        "label": "Foreign Location",
        "description": (
            "What to do with an answer that points to another origin, as installations behind a proxy give: refuse it, "
            "or rebase its path onto the endpoint. The token goes to the endpoint only, in both cases."
        ),
        "schema": {"type": ["string", "null"], "enum": ["refuse", "rebase"], "default": "refuse"},
    },
    "extra_headers": {
        "label": "Extra headers",
        "description": 'Headers for every request, as a JSON object: {"X-Team": "risk"}.',
        "schema": {"type": ["object", "null"]},
    },
}

# `port` is used by the URI form of a connection, where it is part of the address; in a form it belongs to the endpoint.
BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["schema", "login", "port"],
    "relabeling": {"host": "Endpoint", "password": "API token"},
    "placeholders": {
        "host": "https://app.datarobot.com/api/v2",
        "password": "from Developer tools of your account",
    },
}

INFO: dict[str, list[Any]] = {
    "connection-types": [
        {
            "connection-type": CONNECTION_TYPE,
            "hook-class-name": HOOK_CLASS,
            "hook-name": "DataRobot",
            "conn-fields": FIELDS,
            "ui-field-behaviour": BEHAVIOUR,
        }
    ],
}


def form_behaviour() -> dict[str, Any]:
    """``BEHAVIOUR`` as the hook's method ``get_ui_field_behaviour`` answers it, for Airflow 3.1."""
    return {key.replace("-", "_"): value for key, value in BEHAVIOUR.items()}


def form_widgets() -> dict[str, Any]:
    """``FIELDS`` as the hook's method ``get_connection_form_widgets`` answers them, for Airflow 3.1.

    wtforms is no dependency: Airflow 3.1 stands in for it while it asks, and no other line asks.
    """
    from wtforms import BooleanField, PasswordField, StringField
    from wtforms.validators import Optional, any_of

    widgets = {}
    for name, field in FIELDS.items():
        schema = field["schema"]
        texts = PasswordField if schema.get("format") == "password" else StringField
        kind = BooleanField if "boolean" in schema["type"] else texts
        checks = [Optional(), any_of(schema["enum"])] if "enum" in schema else [Optional()]
        default = schema.get("default")
        widgets[name] = kind(
            field["label"],
            validators=checks,
            description=field.get("description", ""),
            # Numbers are typed as text, of which the hook makes numbers: 3.1 has a field for whole numbers only.
            default=default if kind is BooleanField or default is None else str(default),
        )
    return widgets
