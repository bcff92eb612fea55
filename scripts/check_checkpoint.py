"""Checks that Hugging Face `transformers` loads a checkpoint folder and can use it.

    check_checkpoint.py CHECKPOINT [--prompt TEXT] [--logits FILE.safetensors]

Loads the folder with nothing missing or left over, prints the loss on a batch of random ids and a greedy continuation.
With --logits it runs FILE's `input_ids` as well and compares with FILE's `logits` (a fixture's reference.safetensors
has both). Exit status: 0 all well, 1 the checkpoint is not what it should be.
"""
import argparse
import math
import os
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer


def load(folder):
    """`from_pretrained` fills missing tensors with random numbers and only logs it; here that is a failure."""
    model, found = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    wrong = {kind: sorted(map(str, names)) for kind, names in found.items() if names}
    if wrong:
        sys.exit(f"{folder}: the tensors do not fit the configuration: {wrong}")
    return model.eval()


def check_loss(model):
    vocab = model.config.vocab_size
    ids = torch.randint(0, vocab, (2, min(32, model.config.max_position_embeddings)))
    loss = model(input_ids=ids, labels=ids).loss.item()
    print(f"loss on random ids  {loss:.4f}   (guessing evenly: {math.log(vocab):.4f})")
    if not math.isfinite(loss):
        sys.exit("the loss is not finite")


def check_generation(model, folder, prompt, max_new_tokens):
    if os.path.exists(os.path.join(folder, "tokenizer.json")):
        tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        show = lambda row: repr(tokenizer.decode(row))
    else:
        print("no tokenizer.json: continuing random ids instead of the prompt")
        ids = torch.randint(0, model.config.vocab_size, (1, 4))
        show = lambda row: row.tolist()
    output = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=max_new_tokens)
    print(f"prompt              {show(ids[0])}\ncontinuation        {show(output[0, ids.shape[1]:])}")


def check_logits(model, path, tolerance):
    reference = load_file(path)
    logits = model(input_ids=reference["input_ids"].long()).logits
    if logits.shape != reference["logits"].shape:
        sys.exit(f"logits have shape {list(logits.shape)}, in {path} {list(reference['logits'].shape)}")
    error = (logits - reference["logits"].float()).abs().max().item()
    print(f"max logit error     {error:.3g}   (allowed: {tolerance:g})")
    if not error <= tolerance:  # also catches NaN
        sys.exit(f"the logits differ from those in {path}")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("checkpoint", help="folder with config.json and *.safetensors")
parser.add_argument("--prompt", default="The ", help="text to continue, where the folder has a tokenizer.json")
parser.add_argument("--max-new-tokens", type=int, default=32)
parser.add_argument("--logits", metavar="FILE.safetensors", help="compare with its logits on its input_ids")
parser.add_argument("--tolerance", type=float, default=2e-4, help="largest absolute logit error allowed")
arguments = parser.parse_args()

torch.manual_seed(0)
with torch.no_grad():
    model = load(arguments.checkpoint)
    print(f"loaded              {type(model).__name__}, {sum(p.numel() for p in model.parameters()):,} parameters")
    check_loss(model)
    check_generation(model, arguments.checkpoint, arguments.prompt, arguments.max_new_tokens)
    if arguments.logits:
        check_logits(model, arguments.logits, arguments.tolerance)
