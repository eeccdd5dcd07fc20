"""What a stranger's visit leaves behind, whichever library it was."""

from dataclasses import dataclass, field


@dataclass
class Meeting:
    """One visit: results of the calls in their order, and what was kept on the way."""

    client_id: str = ""
    echoed: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    computed: str = ""
    computed_after_refresh: str = ""
    refresh_tokens: list[str] = field(default_factory=list)
