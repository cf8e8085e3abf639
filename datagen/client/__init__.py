"""Calls to OpenAI-compatible endpoints: cached, priced, bounded, resumable."""

from datagen.client.budget import Budget, BudgetReached, Price, PriceTable
from datagen.client.cache import CallCache
from datagen.client.client import ChatClient, ClientOptions, Completion, Usage

__all__ = ["Budget", "BudgetReached", "CallCache", "ChatClient", "ClientOptions", "Completion", "Price", "PriceTable",
           "Usage"]
