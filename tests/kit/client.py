"""A client that validates every response against the published OpenAPI document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

OTHER_PATHS = (
    "/api/",
    "/front.css",
    "/wechat/",
    "/health",
    "/ready",
    "/metrics",
    "/docs",
    "/openapi",
    "/pictures/",
    "/verify",
    "/p/",
    "/p.css",
)


class Undocumented(AssertionError):
    """A response that the document does not allow."""


@dataclass(frozen=True)
class _Judge:
    """A document with its paths as patterns, and the validators of its responses."""

    document: dict[str, Any]
    paths: list[tuple[re.Pattern[str], str, dict[str, Any]]]
    # By method, path, status and media type; creating a validator costs more than using it.
    validators: dict[tuple[str, str, str, str], Draft202012Validator] = field(default_factory=dict)

    def find_operation(self, method: str, path: str) -> tuple[str, dict[str, Any] | None]:
        for pattern, template, methods in self.paths:
            if pattern.match(path):
                return template, methods.get(method.lower())
        return "", None

    def find_validator(
        self, key: tuple[str, str, str, str], schema: dict[str, Any]
    ) -> Draft202012Validator:
        found = self.validators.get(key)
        if found is None:
            whole = {**schema, "components": self.document["components"]}
            found = self.validators[key] = Draft202012Validator(whole)
        return found


@lru_cache(maxsize=64)
def _read_document(encoded: bytes) -> _Judge:
    """The validators of a document; all applications with the same endpoints share them."""
    document: dict[str, Any] = json.loads(encoded)
    paths = [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$"), path, methods)
        # The path with more fixed characters first: `/things/{ref}.ics` before `/things/{ref}`.
        for path, methods in sorted(
            document["paths"].items(), key=lambda one: -len(re.sub(r"\{\w+\}", "", one[0]))
        )
    ]
    return _Judge(document, paths)


class CheckedClient:
    """Flask's test client with JSON and a citizen's token; validates responses."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._client = app.test_client()
        self._judge = _read_document(self._client.get("/openapi.json").data)
        # The responses so far: method, documented path, status.
        self.templates: set[tuple[str, str, int]] = set()

    @property
    def document(self) -> dict[str, Any]:
        """The document, shared by tests: to change it, copy it and give the copy to `judge_by`."""
        return self._judge.document

    def judge_by(self, document: dict[str, Any]) -> None:
        """Validate against another document from now on."""
        self._judge = _read_document(json.dumps(document).encode())

    def get(self, path: str, **named: Any) -> TestResponse:
        return self.open("GET", path, **named)

    def post(self, path: str, **named: Any) -> TestResponse:
        return self.open("POST", path, **named)

    def put(self, path: str, **named: Any) -> TestResponse:
        return self.open("PUT", path, **named)

    def patch(self, path: str, **named: Any) -> TestResponse:
        return self.open("PATCH", path, **named)

    def delete(self, path: str, **named: Any) -> TestResponse:
        return self.open("DELETE", path, **named)

    def open(
        self, method: str, path: str, *, citizen: str | None = None, **named: Any
    ) -> TestResponse:
        """`path` without a leading `/api/v1` means the citizen API."""
        other = path == "/" or path.startswith(OTHER_PATHS)
        whole = path if other else f"/api/v1{path}"
        headers = dict(named.pop("headers", {}))
        if citizen is not None:
            headers["Authorization"] = f"Bearer {citizen}"
        answer = self._client.open(whole, method=method, headers=headers, **named)
        if method != "HEAD":
            self._check_answer(method, urlsplit(whole).path, answer)
        return answer

    def _check_answer(self, method: str, path: str, answer: TestResponse) -> None:
        template, operation = self._judge.find_operation(method, path)
        if operation is None:
            if answer.status_code not in (404, 405):
                raise Undocumented(f"{method} {path}: {answer.status_code} from an unknown address")
            return
        said = operation["responses"].get(str(answer.status_code))
        if said is None:
            raise Undocumented(f"{method} {path}: status {answer.status_code}: {answer.text[:300]}")
        self.templates.add((method, template, answer.status_code))
        content = said.get("content", {}).get(answer.mimetype)
        if content is None:
            if answer.data:
                raise Undocumented(f"{method} {path}: a body of {answer.mimetype}")
            return
        if "schema" not in content:
            return  # a picture
        key = (method, template, str(answer.status_code), answer.mimetype)
        validator = self._judge.find_validator(key, content["schema"])
        for trouble in validator.iter_errors(answer.get_json(force=True)):
            raise Undocumented(f"{method} {path}: {trouble.json_path} {trouble.message}")
