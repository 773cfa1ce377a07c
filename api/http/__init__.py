"""The HTTP layer: endpoints, dependencies, error responses, middleware, security."""
