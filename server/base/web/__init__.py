"""The JSON edge: endpoints, callers, shapes, problem+json, health, OpenAPI."""
