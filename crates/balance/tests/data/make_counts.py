"""Makes counts.csv: rows by expert of two domains, 26 layers and two halves of their tokens.

Source: deepseek-ai/ESFT, results/expert_scores/{intent,law}: the top-6 experts of every token under DeepSeek-V2-Lite (64 experts).
Usage: python make_counts.py intent.safetensors law.safetensors > counts.csv   (files with layer_00.. uint8 [tokens, 6])
"""
import json, struct, sys

print("# Rows by expert; from deepseek-ai/ESFT, results/expert_scores (DeepSeek-V2-Lite, 64 experts, top-6); see make_counts.py")
print("domain,layer,half," + ",".join(f"e{e}" for e in range(64)))
for path in sys.argv[1:]:
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + size])
    domain = head.pop("__metadata__")["source"].split("/")[-1]
    for name, tensor in sorted(head.items()):
        tokens, k = tensor["shape"]
        first, end = tensor["data_offsets"]
        ids = raw[8 + size + first:8 + size + end]
        for half, part in enumerate((ids[:tokens // 2 * k], ids[tokens // 2 * k:])):
            print(f"{domain},{int(name[6:])},{half}," + ",".join(str(part.count(bytes([e]))) for e in range(64)))
