"""The page that steps through a trace, in a real browser: every step, by every way that leads there."""

import pytest
import step_pages
from drawn_traces import chain
from step_pages import COUNT, assert_state, state, until

from dualdiff.lecture.drawn.notation import dotted

pytestmark = step_pages.NEEDED
browser, opened = step_pages.browser, step_pages.opened


def test_next_leads_through_all_steps_and_previous_back(opened):
    """Pressing Next shows every step in turn, and Previous shows them again."""
    page = opened()
    for step in range(1, COUNT + 1):
        assert_state(state(page), step)
        if step < COUNT:
            page.click("#next")
    for step in range(COUNT - 1, 0, -1):
        page.click("#previous")
        assert_state(state(page), step)


def test_arrow_keys_lead_through_all_steps(opened):
    """Right and left arrow do what Next and Previous do, and nothing at the ends."""
    page = opened()
    page.keyboard.press("ArrowLeft")
    assert_state(state(page), 1)
    for step in range(2, COUNT + 1):
        page.keyboard.press("ArrowRight")
        assert_state(state(page), step)
    page.keyboard.press("ArrowRight")
    assert_state(state(page), COUNT)
    page.keyboard.press("ArrowLeft")
    assert_state(state(page), COUNT - 1)


def test_the_slider_leads_to_any_step(opened):
    """Dragged, it shows the step under it; with the keyboard it moves by one, not by two, and to the ends."""
    page = opened()
    for step in (18, 3, 28, 1, 15):
        page.locator("#slider").fill(str(step))
        assert_state(state(page), step)
    page.focus("#slider")
    for key, step in (("ArrowRight", 16), ("ArrowLeft", 15), ("End", 28), ("Home", 1), ("r", 22), ("f", 8)):
        page.keyboard.press(key)
        assert_state(state(page), step)
    assert "step 8 of 28, Forward sweep" in page.get_attribute("#slider", "aria-valuetext")


def test_keys_and_buttons_jump(opened):
    """Home, End, F and R, First and Last, and the names of the passes lead where they say."""
    page = opened()
    for key, step in (("End", 28), ("Home", 1), ("f", 8), ("r", 22), ("F", 8), ("R", 22)):
        page.keyboard.press(key)
        assert_state(state(page), step)
    for name, step in (("First", 1), ("Last", 28)):
        page.get_by_role("button", name=name, exact=True).click()
        assert_state(state(page), step)
    for place, step in enumerate((1, 8, 15, 22)):
        page.locator(".passes button").nth(place).click()
        assert_state(state(page), step)
        assert 1 == page.locator(".passes [aria-current]").count()


def test_keys_with_modifiers_are_the_browsers(opened):
    """Ctrl+F searches and Alt+Left goes back, as on any page."""
    page = opened()
    for key in ("Control+f", "Alt+ArrowRight", "Meta+r", "x"):
        page.evaluate("""(key) => {
          const [modifier, letter] = key.split("+");
          document.body.dispatchEvent(new KeyboardEvent("keydown", {key: letter || modifier, bubbles: true,
            ctrlKey: modifier === "Control", altKey: modifier === "Alt", metaKey: modifier === "Meta"}));
        }""", key)  # fmt: skip
    assert_state(state(page), 1)


def test_a_link_leads_to_its_step_and_survives_a_reload(opened):
    """The address names the step; opened anew, loaded again, or changed by hand, the page shows it."""
    page = opened(address="#15")
    assert_state(state(page), 15)
    page.keyboard.press("ArrowRight")
    page.reload()
    assert_state(state(page), 16)
    page.evaluate("location.hash = '#27'")
    until(page, "document.getElementById('step').textContent.startsWith('27')")
    assert_state(state(page), 27)


@pytest.mark.parametrize(("address", "step"), [("#0", 1), ("#999", 28), ("#2x", 1)])
def test_a_link_to_nowhere_leads_to_the_nearest_step(opened, address, step):
    """An address out of range, or none of a step, is no fault."""
    assert_state(state(opened(address=address)), step)


def test_stepping_does_not_fill_the_browsers_history(opened):
    """Going back leaves the page, however many steps were taken."""
    page = opened()
    before = page.evaluate("history.length")
    for _ in range(5):
        page.keyboard.press("ArrowRight")

    assert before == page.evaluate("history.length")


# --- keyboard and focus ----------------------------------------------------------------------------------------------


def test_tab_goes_through_the_bar_in_order(opened):
    """Buttons from left to right, the slider, the passes; Shift+Tab goes back."""
    page = opened(address="#2")
    order = []
    for _ in range(9):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    page.keyboard.press("Shift+Tab")

    assert ["first", "previous", "next", "last", "slider", "values", dotted("x1"), dotted("x2"), "adjoints"] == order
    assert dotted("x2") == page.evaluate("document.activeElement.textContent")


def test_enter_and_space_press_buttons(opened):
    """A button that has the focus is pressed by both keys, and keeps the focus."""
    page = opened()
    page.focus("#next")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    found = state(page)

    assert_state(found, 3)
    assert "next" == found["focus"]


def test_focus_is_not_lost_where_a_button_is_switched_off(opened):
    """At an end the focus moves to the button that leads back."""
    page = opened(address=f"#{COUNT - 1}")
    page.focus("#next")
    page.keyboard.press("Enter")
    assert ("previous", ["next", "last"]) == (state(page)["focus"], state(page)["disabled"])
    page.focus("#first")
    page.keyboard.press("Enter")
    assert ("next", ["first", "previous"]) == (state(page)["focus"], state(page)["disabled"])


def test_a_frame_reached_by_keyboard_scrolls_by_keyboard(opened):
    """With Tab a reader comes to a graph wider than its frame, and arrows move it; after a click they still step."""
    told = chain(70)
    page = opened(told)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.graph .scroll').scrollLeft > 0")
    assert_state(state(page), 1, told)
    page = opened(told)
    page.click(".graph .scroll")
    page.keyboard.press("ArrowRight")
    assert_state(state(page), 2, told)
