"""The web layer: endpoints, callers, API types, problem+json, health, OpenAPI."""
