"""How many examples there are: of each class, split and origin, and of fresh against rotten."""

from collections import Counter

from api.dataset.labels import read_label
from api.insights.examples import Examples
from api.insights.schemas import Balance, Count, Freshness, FruitFreshness
from api.insights.wording import number, share, words

# Up to so many times the smallest class, the largest is no concern.
EVEN = 1.5
UNEVEN = 3.0


def counts(examples: Examples) -> list[Count]:
    """Of every class, split and origin of which there are any, in this order."""
    kinds = zip(
        examples.class_names.tolist(),
        examples.splits.tolist(),
        examples.origins.tolist(),
        strict=True,
    )
    return [
        Count(class_name=name, split=split, origin=origin, examples=found)
        for (name, split, origin), found in sorted(Counter(kinds).items())
    ]


def balance(examples: Examples) -> Balance | None:
    """The largest class against the smallest; None without any examples."""
    by_class = Counter(examples.class_names.tolist())
    if not by_class:
        return None
    (largest, most), *_ = ordered = by_class.most_common()
    smallest, least = ordered[-1]
    ratio = most / least
    return Balance(
        largest=largest,
        largest_examples=most,
        smallest=smallest,
        smallest_examples=least,
        ratio=ratio,
        story=_balance_story(len(by_class), len(examples), largest, smallest, ratio),
    )


def _balance_story(classes: int, total: int, largest: str, smallest: str, ratio: float) -> str:
    start = f"{number(total, 'example')} in {number(classes, 'class', 'classes')}."
    if classes < 2:
        return f"{start} A grader needs at least two classes: upload photographs of another."
    found = (
        f"{words(largest).capitalize()} has {ratio:.1f} times as many as {words(smallest)}, the "
        "smallest class"
    )
    if ratio <= EVEN:
        return f"{start} They are well balanced: {_lower(found)}."
    weighed = "Training gives every class the same say, whatever its size"
    if ratio <= UNEVEN:
        return f"{start} {found}. {weighed}, so this is no trouble yet."
    return (
        f"{start} {found}. {weighed}, but what little there is of {words(smallest)} shows few of "
        "the ways that it can look: photographs of it help most."
    )


def freshness(examples: Examples) -> Freshness | None:
    """Fresh against rotten in all and of each fruit; None where no class speaks of freshness."""
    of_fruit: dict[str, Counter[str]] = {}
    for name, found in Counter(examples.class_names.tolist()).items():
        label = read_label(name)
        of_fruit.setdefault(label.fruit, Counter())[label.freshness or "other"] += found
    total = sum(of_fruit.values(), Counter())
    if not total["fresh"] + total["rotten"]:
        return None
    by_fruit = [
        FruitFreshness(fruit=fruit, fresh=parts["fresh"], rotten=parts["rotten"])
        for fruit, parts in sorted(of_fruit.items())
        if parts["fresh"] + parts["rotten"]
    ]
    return Freshness(
        fresh=total["fresh"],
        rotten=total["rotten"],
        other=total["other"],
        by_fruit=by_fruit,
        story=_freshness_story(total["fresh"], total["rotten"], by_fruit),
    )


def _freshness_story(fresh: int, rotten: int, by_fruit: list[FruitFreshness]) -> str:
    both = fresh + rotten
    more, most = ("fresh", fresh) if fresh >= rotten else ("rotten", rotten)
    story = (
        f"{number(fresh, 'fresh example')} against {rotten:,} rotten. Whoever always said {more} "
        f"would be right in {share(most / both)} of them, so that is what an accuracy has to be "
        "compared with."
    )
    odd = max(by_fruit, key=lambda part: abs(part.fresh / (part.fresh + part.rotten) - 0.5))
    one_sided = odd.fresh / (odd.fresh + odd.rotten)
    if len(by_fruit) > 1 and abs(one_sided - 0.5) > 0.02:
        kind, part = ("fresh", one_sided) if one_sided > 0.5 else ("rotten", 1 - one_sided)
        story += f" The most one-sided fruit is {odd.fruit}, {share(part)} of it {kind}."
    missing = [part.fruit for part in by_fruit if not part.fresh or not part.rotten]
    if missing:
        story += (
            f" Of {', '.join(missing)} there is only one of the two, so freshness cannot be told "
            "there: upload the other."
        )
    return story


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
