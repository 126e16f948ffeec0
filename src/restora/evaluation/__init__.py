"""Metrics, protocols, the ledger of published numbers, suites, the benchmark runner and its reports."""
