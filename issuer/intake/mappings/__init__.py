"""The ready mappings, one YAML file each; data, no code."""
