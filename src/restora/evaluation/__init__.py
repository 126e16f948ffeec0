"""Metrics, protocols, the ledger of published numbers, suites, the benchmark runner and its reports."""

from restora.core.exports import exports

__getattr__, __dir__, __all__ = exports(__name__, __file__)
