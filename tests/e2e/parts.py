"""The parts of the app's pages that a tab or button selects, and how to select them."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from tests.e2e.pages import quiet

# By page, the name of each part and a selector that only matches in that part.
PARTS = {
    "training_data": {
        "Gallery": "text=Choose all shown",
        "Review queue": "text=Confirm these labels",
    },
    "retrain": {
        "Versions": "text=What was in use when",
        "Freshness limits": "text=Every fruit gets a freshness score",
        "Past runs": '[role="tabpanel"] [data-testid="stDataFrame"]',
    },
    "dataset_insights": {
        "Balance": "text=How even are the classes?",
        "Light and size": "text=Light and colour",
        "Augmentation": "text=What does training make of a photo?",
        "Map": "text=Which photos look alike to the model?",
        "Copies": "text=what they would give away",
    },
    "model_report": {
        "Classes": "text=Confusion matrix",
        "Where to draw the line": "text=Draw the line at",
        "Confidence": "text=Can its confidence be trusted?",
        "Training": "text=Loss by epoch",
        "Mistakes": "text=Worst mistakes",
        "Networks": "text=Input sizes",
        "Compare": "text=Compare with",
    },
}


def each_part(page: Page, address: str) -> Iterator[str]:
    """Choose each part of the open page in turn, and yield its name once it is drawn."""
    for name, own in PARTS.get(address, {}).items():
        choices = page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True)
        page.get_by_role("tab", name=name).or_(choices).first.click()
        # The script starts some time after the click; until then the page is quiet but still the
        # old one.
        expect(page.locator(own).locator("visible=true").first).to_be_visible()
        quiet(page)
        yield name
