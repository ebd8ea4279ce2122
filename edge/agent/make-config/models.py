"""Which models the agent asks. Keys are in no file: OpenClaw takes them from its environment."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional

# What is said of a server's model; less than what servers usually offer, so that nothing is cut there unseen.
SERVER_CONTEXT_TOKENS = 32_768
SERVER_OUTPUT_TOKENS = 4_096
ANTHROPIC_URL = "https://api.anthropic.com"
ANTHROPIC_CONTEXT_TOKENS = 200_000
ANTHROPIC_OUTPUT_TOKENS = 8_192


class Models(NamedTuple):
    """An OpenAI-compatible server (RHEL Lightspeed on the machine, a central vLLM), and Anthropic where it is preferred."""

    server_url: str
    server_model: str
    anthropic_model: Optional[str]

    def providers(self) -> Dict[str, Any]:
        """OpenClaw's `models.providers`. The entrypoint sets FLEETBOT_MODEL_KEY, to a placeholder where there is no key."""
        server = model(self.server_model, SERVER_CONTEXT_TOKENS, SERVER_OUTPUT_TOKENS)
        providers = {"server": provider(self.server_url, "openai-completions", "${FLEETBOT_MODEL_KEY}", server)}
        if self.anthropic_model:
            preferred = model(self.anthropic_model, ANTHROPIC_CONTEXT_TOKENS, ANTHROPIC_OUTPUT_TOKENS)
            providers["anthropic"] = provider(ANTHROPIC_URL, "anthropic-messages", "${FLEETBOT_ANTHROPIC_KEY}", preferred)
        return providers

    def choice(self) -> Dict[str, Any]:
        """OpenClaw's `agents.defaults.model`: without an answer from Anthropic, the server is asked."""
        server = f"server/{self.server_model}"
        if not self.anthropic_model:
            return {"primary": server, "fallbacks": []}
        return {"primary": f"anthropic/{self.anthropic_model}", "fallbacks": [server]}


def provider(url: str, api: str, key: str, only: Dict[str, Any]) -> Dict[str, Any]:
    return {"baseUrl": url, "api": api, "apiKey": key, "models": [only]}


def model(name: str, context_tokens: int, output_tokens: int) -> Dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "reasoning": False,
        "input": ["text"],
        # What a run cost is worked out at the centre, where the prices are.
        "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
        "contextWindow": context_tokens,
        "maxTokens": output_tokens,
    }
