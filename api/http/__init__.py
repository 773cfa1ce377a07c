"""What speaks HTTP: endpoints, dependencies, errors, middleware, security."""
