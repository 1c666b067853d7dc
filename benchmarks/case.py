"""One run of one case: ``python -m benchmarks.case bars compiled`` prints what it took as JSON."""

import importlib
import json
import sys

if __name__ == "__main__":
    _, module, name = sys.argv
    print(json.dumps(importlib.import_module(f"benchmarks.{module}").CASES[name]()))
