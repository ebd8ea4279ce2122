"""Makes the agent's files: `python3 -I make-config --machine NAME --policy FILE --out DIR [--model …]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

# Isolated mode leaves the folder out where this file is run by its own name.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from approvals import approvals  # noqa: E402  (needs the path above)
from instructions import instructions  # noqa: E402
from models import Models  # noqa: E402
from openclaw_config import openclaw_config  # noqa: E402
from policy import read_policy  # noqa: E402
from problem import Problem  # noqa: E402

TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "AGENTS.md.template")
LIGHTSPEED_URL = "http://127.0.0.1:8888/v1"


def main() -> None:
    """Writes openclaw.json, approvals.json and AGENTS.md. Ends with 1 and one sentence when it cannot."""
    options = read_options()
    try:
        policy = read_policy(options.policy, options.machine)
        with open(TEMPLATE, encoding="utf-8") as file:
            template = file.read()
        models = Models(options.model_url, options.model, options.anthropic_model)
        write(options.out, "openclaw.json", as_json(openclaw_config(options.machine, models)))
        write(options.out, "approvals.json", as_json(approvals()))
        write(options.out, "AGENTS.md", instructions(template, policy))
    except Problem as problem:
        sys.exit(f"make-config: {problem}")
    except OSError as error:
        sys.exit(f"make-config: {error.filename} cannot be used ({error.strerror}). Correct that, and run it again.")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make-config", description="Makes the settings of a machine's agent.")
    parser.add_argument("--machine", required=True, help="its name in the fleet file")
    parser.add_argument("--policy", required=True, help="what `fleetbot edge policy NAME` printed")
    parser.add_argument("--out", required=True, help="folder for openclaw.json, approvals.json and AGENTS.md")
    parser.add_argument("--model-url", default=LIGHTSPEED_URL, help="OpenAI-compatible server (default: %(default)s)")
    parser.add_argument("--model", default="default", help="model to ask there (default: the server's only one)")
    parser.add_argument("--anthropic-model", help="model of Anthropic to prefer; the server above is the fallback")
    return parser.parse_args()


def as_json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"


def write(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


main()
