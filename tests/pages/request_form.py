"""The form for a new run, as tests fill it in."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

PREFIX = "request__"


def press(app: AppTest, label: str) -> AppTest:
    """Click the button of this name."""
    return next(button for button in app.button if button.label == label).click().run()


def use_folder(app: AppTest, folder: Path | str) -> AppTest:
    """Choose a folder in the form, out of those that it suggests."""
    app.segmented_control(key=f"{PREFIX}kind").set_value("folder").run()
    return app.selectbox(key=f"{PREFIX}folder").select(str(folder)).run()
