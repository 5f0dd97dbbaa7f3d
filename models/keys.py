"""Names of the snapshots, and what all of them say of themselves."""

SCHEMA = 1
"""Version of the snapshots' shapes."""
ESCAPED = str.maketrans({":": "%3A", "%": "%25"})
RANKING = "accounts:by-score"
OPEN_ALERTS, CLOSED_ALERTS, ALERTS_OF_ACCOUNTS = "alerts:open", "alerts:closed", "alerts:accounts"
"""Hashes: alerts by id, and ids of alerts by account."""
REFUSED_COMMANDS, ALERT_RULES = "alerts:refused", "alerts:rules"


def account_key(account_id: str) -> str:
    """The key of an account's snapshot. A colon in the id is written `%3A` (and `%` as `%25`) here and in the other
    keys: else an account `acme:history` would stand where acme's history does."""
    return f"account:{account_id.translate(ESCAPED)}"


def account_of(key: str) -> str:
    """Whose snapshot a key names: the inverse of `account_key`."""
    return key.removeprefix("account:").replace("%3A", ":").replace("%25", "%")


def history_key(account_id: str) -> str:
    return f"{account_key(account_id)}:history"


def journeys_key(account_id: str) -> str:
    return f"journeys:{account_id.translate(ESCAPED)}"
