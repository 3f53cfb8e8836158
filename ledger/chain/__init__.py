"""The chain: an embedded EVM chain, any JSON-RPC endpoint, and the gateway the outbox speaks to."""
