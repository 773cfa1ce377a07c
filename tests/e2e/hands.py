"""How a person operates the app: by mouse, by finger, or only by keyboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Locator, Page, expect

MOST_TABS = 400
# Works within a component too, whose root has its own active element.
_HAS_FOCUS = "element => element.contains(element.getRootNode().activeElement)"


@dataclass(frozen=True)
class Hands:
    """What a person does on `page`, with the input device `kind`."""

    page: Page
    kind: Literal["mouse", "finger", "keyboard"]

    def go_to(self, target: Locator) -> None:
        """Move the focus to it; with the keyboard step by step, by Tab."""
        expect(target).to_be_visible()
        if self.kind == "keyboard":
            for _ in range(MOST_TABS):
                if target.evaluate(_HAS_FOCUS):
                    return
                self.page.keyboard.press("Tab")
            raise AssertionError(f"The keyboard does not reach {target}")
        if self.kind == "finger":
            target.tap()
        else:
            target.click()

    def press(self, target: Locator) -> None:
        """Press a button or a link."""
        self.go_to(target)
        if self.kind == "keyboard":
            self.page.keyboard.press("Enter")

    def pick(self, choices: Locator, name: str) -> None:
        """Choose one of several options side by side."""
        choice = choices.get_by_role("radio", name=name, exact=True)
        if self.kind == "keyboard":
            # Tab leads to the chosen one, and arrow keys from there to the others.
            self.go_to(choices)
            for _ in range(choices.get_by_role("radio").count()):
                if choice.evaluate(_HAS_FOCUS):
                    break
                self.page.keyboard.press("ArrowRight")
            self.page.keyboard.press("Space")
        else:
            self.press(choice)
        expect(choice).to_be_checked()

    def write(self, box: Locator, text: str) -> None:
        """Type into an empty text field, key by key."""
        self.go_to(box)
        self.page.keyboard.type(text)

    def give(self, button: Locator, files: Sequence[Path]) -> None:
        """Give files to a button that asks for them."""
        with self.page.expect_file_chooser() as chooser:
            self.press(button)
        chooser.value.set_files(files)

    def download(self, button: Locator) -> bytes:
        with self.page.expect_download() as download:
            self.press(button)
        return Path(download.value.path()).read_bytes()
