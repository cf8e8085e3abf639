"""The options of the model that writes or filters."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from datagen.filters.base import WITH_MODEL
from pathkg.errors import InputError

if TYPE_CHECKING:
    from datagen.writers.llm import LlmOptions


def add_llm_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the LLM writer and of the filters that ask a model."""
    group = parser.add_argument_group("model (writer llm, or --model-filter)")
    group.add_argument("--model", metavar="NAME", help="name of the model at the endpoint")
    group.add_argument("--base-url", metavar="URL", help="OpenAI-compatible endpoint, with /v1 (vLLM, SGLang, Ollama, …)")
    group.add_argument("--api-version", metavar="VERSION", help="makes --base-url an Azure endpoint")
    group.add_argument("--concurrency", type=int, default=8, metavar="N", help="most calls at once (default: 8)")
    group.add_argument("--timeout", type=float, default=120.0, metavar="S", help="seconds per try (default: 120)")
    group.add_argument("--tries", type=int, default=6, metavar="N", help="tries per call (default: 6)")
    group.add_argument("--temperature", type=float, default=0.7, help="sampling temperature (default: 0.7)")
    group.add_argument("--max-tokens", type=int, default=1200, metavar="N", help="longest answer (default: 1200)")
    group.add_argument("--parameters", metavar="JSON", help="further call parameters, such as '{\"seed\": 1}'")
    group.add_argument("--price", nargs=2, type=float, metavar=("IN", "OUT"), help="price per million tokens")
    group.add_argument("--prices", metavar="FILE", help='price table: {"model": {"input": 0.1, "output": 0.4}}')
    group.add_argument("--budget", type=float, metavar="AMOUNT", help="stop before spending more, over all runs of --out")
    group.add_argument("--dry-run", action="store_true", help="count calls, tokens and price; call nobody, write nothing")
    group.add_argument("--retry-failures", action="store_true", help="ask again for the calls in failures.jsonl")
    group.add_argument("--prompts", metavar="DIR", help="folder with prompts that replace the package's own")
    group.add_argument("--findings", choices=("rules", "llm"), default="rules", help="who extracts findings (default: rules)")
    group.add_argument("--model-filter", action="append", default=[], metavar="NAME",
                       help=f"filter that asks the model: {', '.join(WITH_MODEL)}; may be repeated")


def llm_options(args: argparse.Namespace) -> LlmOptions | None:
    """The options as a value, or ``None`` where no model is needed.

    Raises:
        InputError: a model is needed and none is named, or a value cannot be read.
    """
    if args.writer != "llm" and not args.model_filter:
        return None
    from datagen.client import ClientOptions, PriceTable
    from datagen.writers.llm import LlmOptions

    if not args.model:
        raise InputError("the llm writer and model filters need a model", hint="name it with --model and --base-url")
    try:
        extra = json.loads(args.parameters) if args.parameters else {}
    except ValueError as error:
        raise InputError(f"--parameters is not JSON: {error}", hint="for example '{\"seed\": 1}'") from error
    client = ClientOptions(
        args.model, base_url=args.base_url, api_version=args.api_version, concurrency=args.concurrency,
        timeout=args.timeout, tries=args.tries,
        parameters={"temperature": args.temperature, "max_tokens": args.max_tokens, **extra})
    prices = PriceTable.read(Path(args.prices)) if args.prices else PriceTable()
    if args.price:
        prices = PriceTable.of({args.model: {"input": args.price[0], "output": args.price[1]}})
    return LlmOptions(client, prices, args.budget, args.prompts, args.findings == "llm", tuple(args.model_filter),
                      args.dry_run, args.retry_failures)
