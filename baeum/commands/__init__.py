"""The commands, a module for each thing a user does; each has ``register(app)``."""
