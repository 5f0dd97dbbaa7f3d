"""What `livelift alerts draft` prints: rules to begin with, one of each kind."""

DRAFT = """# Who in customer success hears of which movement, by which way, and when. docs/guides/alerts.md explains it.
# `livelift alerts check` says what is wrong with this file, and on which line.

account_page = ""              # e.g. "https://crm.example.com/accounts/{account_id}"

[owners]                       # an account's owner is its trait `owner`
fallback = "customer-success"  # who hears of accounts without one
operator = "operator"          # who hears what concerns livelift itself

[limits]
per_account = 3                # of one account at most so many alerts are told ...
days = 7                       # ... in so many days
# How many accounts an owner can look at in a week is [capacity] per_owner_per_week in livelift.toml.

[hours]
timezone = "UTC"               # e.g. "Europe/Berlin"
quiet_from = "18:00"
quiet_until = "07:30"
quiet_days = ["saturday", "sunday"]
digest_at = "08:00"            # rules with deliver = "digest" come together, once a day

# [[channel]]
# id = "slack"
# url = "${SLACK_URL}"         # as apprise writes it: slack://..., msteams://..., mailto://..., pagerduty://...
#
# [[channel]]
# id = "own"
# url = "https://example.com/livelift"
# secret = "${LIVELIFT_HOOK_SECRET}"   # signs each message
# owners = ["olga"]            # only her alerts; without this line everybody's

[[rule]]
id = "at-risk"
title = "is at risk"
when = { band = "at_risk" }
suggest = "Call the owner of the account; the drivers say what to ask about."

[[rule]]
id = "falling"
title = "is falling"
when = { drop = 15, within_days = 7 }
deliver = "digest"

[[rule]]
id = "champion-gone"
title = "has lost its champion"
when = { champion_gone_days = 14 }
suggest = "Find out who uses it now, and offer them a course."

[[rule]]
id = "nobody-trained"
title = "has nobody left who was trained"
when = { trained_gone_days = 21 }
deliver = "digest"

[[rule]]
id = "tickets"
title = "has tickets piling up"
when = { tickets_open = 5 }

[[rule]]
id = "payment"
title = "has payments failing"
when = { payments_failed = 1 }
cooldown_days = 7

[[rule]]
id = "stuck"
title = "has somebody stuck"
when = { stuck = {} }          # or { stuck = { journey = "getting-started", task = "2" } }
cooldown_days = 3

[[rule]]
id = "revenue"
title = "puts revenue at risk"
when = { revenue_at_risk = 1000 }

[[rule]]
id = "capacity-list"
title = "has come onto the capacity list"
when = { on_capacity_list = true }
deliver = "digest"

[[rule]]
id = "no-longer-healthy"
title = "is no longer healthy"
when = { left_band = "healthy" }
segments = ["enterprise"]
deliver = "digest"
"""
