"""Every trigger, once, in the order in which they are asked."""

from api.monitoring.triggers import accuracy, drift, manual, new_images, schedule
from api.monitoring.triggers.rule import Rule

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (accuracy.RULE, drift.RULE, new_images.RULE, schedule.RULE, manual.RULE)
}
