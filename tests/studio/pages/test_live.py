"""The live screen: a film is painted as it comes, what is chosen acts at once, and it stops when it must."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from gramarye import images

from .test_shell import HIDING
from .watching import Watch, refuse_camera

Visit = Callable[..., Page]
DESK, PHONE = (1280, 800), (390, 844)
PATIENCE = 60.0  # seconds


@pytest.fixture
def filmed(open_page: Callable[..., Page], visit: Visit) -> Page:
    """The screen in a browser that may use its camera, which is the browser's own drawing."""
    return visit(open_page(*DESK, permissions=["camera"]), "live")


def screen(page: Page) -> Locator:
    """The whole of it, with `data-state`."""
    return page.locator("main[data-screen=live]")


def painted(page: Page) -> Locator:
    """The painted picture."""
    return page.get_by_role("img", name="The film in the manner of")


def frames(page: Page) -> int:
    """How many were painted since the start."""
    return int(page.locator("[data-frames]").get_attribute("data-frames") or 0)


def wait_for(page: Page, more: int) -> None:
    """Until so many more frames are painted."""
    wanted, end = frames(page) + more, time.monotonic() + PATIENCE
    while frames(page) < wanted:
        assert time.monotonic() < end, f"{frames(page)} of {wanted} frames"
        page.wait_for_timeout(50)


def colours(page: Page) -> list[int]:
    """The mean of what is shown: red, green, blue."""
    shown: list[int] = painted(page).evaluate(
        """(canvas) => {
            const small = new OffscreenCanvas(1, 1).getContext('2d');
            small.imageSmoothingQuality = 'high';
            small.drawImage(canvas, 0, 0, 1, 1);
            return [...small.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    return shown


def start(page: Page, source: str = "Try it without a camera") -> None:
    """Begin, and wait for the first frames."""
    page.get_by_role("button", name=source).click()
    expect(screen(page)).to_have_attribute("data-state", "on")  # and from here on they are counted anew
    wait_for(page, 3)


def asked(page: Page, do: Callable[[], None]) -> Request:
    """The first frame that is sent after `do`."""
    do()
    with page.expect_request("**/api/live/**") as found:
        pass
    return found.value


# ---- before -------------------------------------------------------------------------------------------------


def test_a_newcomer_sees_an_example_and_what_to_press(page: Page, visit: Visit) -> None:
    visit(page, "live")
    expect(page.get_by_role("img", name="An example")).to_be_visible()
    expect(page.get_by_role("button", name="Start the camera")).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("nothing of the film is kept")).to_be_visible()


# ---- filming ------------------------------------------------------------------------------------------------


def test_the_cameras_film_is_painted_and_its_speed_is_told(filmed: Page) -> None:
    start(filmed, "Start the camera")
    expect(painted(filmed)).to_be_visible()
    assert painted(filmed).evaluate("canvas => [canvas.width, canvas.height]") == [256, 192]
    assert filmed.locator("video").evaluate("video => video.videoWidth") == 640
    expect(filmed.locator("[data-rate]")).to_be_visible()
    assert float(filmed.locator("[data-rate]").get_attribute("data-rate") or 0) > 0
    expect(filmed.locator(".speed")).to_contain_text("painting")
    expect(filmed.get_by_role("checkbox", name="Mirror")).to_be_checked()


def test_without_a_camera_a_photograph_is_moved_and_it_says_so(page: Page, visit: Visit) -> None:
    visit(page, "live")
    start(page)
    expect(page.get_by_text("This is no camera: Grace Hopper")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Mirror")).not_to_be_checked()
    wait_for(page, 3)


COUNTING = """
const real = window.fetch;
window.open_ = 0;
window.most = 0;
window.fetch = async (path, how) => {
  if (!path.startsWith('/api/live/')) return real(path, how);
  window.most = Math.max(window.most, ++window.open_);
  try { return await real(path, how); } finally { window.open_ -= 1; }
};
"""


def test_one_frame_is_on_its_way_at_a_time(open_page: Callable[..., Page], visit: Visit) -> None:
    page = open_page(*DESK, permissions=["camera"])
    page.add_init_script(COUNTING)
    visit(page, "live")
    start(page, "Start the camera")
    wait_for(page, 8)
    assert page.evaluate("most") == 1


def test_the_painting_the_strength_and_the_size_act_while_it_runs(page: Page, visit: Visit) -> None:
    visit(page, "live")
    start(page)
    woodcut = asked(page, lambda: page.get_by_role("radio", name="Pine at Sunrise").check())
    assert "/api/live/demo-woodcut?strength=1" in woodcut.url
    wait_for(page, 3)
    before = colours(page)
    page.get_by_role("slider", name="Strength").focus()
    page.keyboard.press("Home")
    wait_for(page, 3)
    after = colours(page)
    assert sum(abs(one - other) for one, other in zip(before, after, strict=True)) > 10
    page.get_by_role("combobox").select_option(label="192 px")
    wait_for(page, 3)
    assert painted(page).evaluate("canvas => canvas.width") == 192


def test_a_film_is_kept_steady_where_that_is_asked_for(filmed: Page) -> None:
    start(filmed, "Start the camera")
    assert "film=" in asked(filmed, lambda: None).url
    filmed.get_by_role("checkbox", name="Keep it").uncheck()
    wait_for(filmed, 2)
    assert "film=" not in asked(filmed, lambda: None).url


def test_a_film_from_a_file_that_cannot_be_played(page: Page, visit: Visit) -> None:
    visit(page, "live")
    given = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"Dear Grace"}
    page.locator("main input[type=file]").set_input_files(given)
    expect(page.get_by_role("alert").filter(has_text="MP4 or WebM")).to_be_visible()
    expect(screen(page)).to_have_attribute("data-state", "off")


# ---- a still ------------------------------------------------------------------------------------------------


def test_a_still_is_saved_with_its_recipe(page: Page, visit: Visit, tmp_path: Path) -> None:
    visit(page, "live")
    start(page)
    page.get_by_role("button", name="Freeze").click()
    expect(screen(page)).to_have_attribute("data-state", "held")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the picture").click()
    assert saved.value.suggested_filename.endswith(".png")
    saved.value.save_as(tmp_path / "still.png")
    assert images.load(tmp_path / "still.png").pixels.shape == (1, 3, 192, 256)
    assert images.read_recipe(tmp_path / "still.png")["fast"]["kind"] == "many"


def test_a_frozen_frame_can_be_painted_with_care(filmed: Page, watch: Watch) -> None:
    watch.allow(r"404.*/api/pictures/")
    start(filmed, "Start the camera")
    filmed.get_by_role("button", name="Freeze").click()
    filmed.get_by_role("button", name="Paint this one with care").click()
    expect(filmed.locator("main[data-screen=start]")).to_be_visible()
    expect(filmed.get_by_role("img", name="Live, chosen")).to_be_visible()
    filmed.get_by_role("button", name="Delete Live").click()


# ---- by keyboard --------------------------------------------------------------------------------------------


def test_by_keyboard_alone(page: Page, visit: Visit) -> None:
    visit(page, "live")
    page.get_by_role("button", name="Try it without a camera").focus()
    page.keyboard.press("Enter")
    wait_for(page, 3)
    expect(page.get_by_role("status").filter(has_text="is being painted")).to_have_count(1)
    page.locator("#screen").focus()
    page.keyboard.press("Space")
    expect(screen(page)).to_have_attribute("data-state", "held")
    page.keyboard.press("Space")
    wait_for(page, 2)
    page.keyboard.press("m")
    expect(page.get_by_role("checkbox", name="Mirror")).to_be_checked()


# ---- its end ------------------------------------------------------------------------------------------------


def stopped(page: Page, light: Locator) -> None:
    """No frame is asked for any more, and no camera is on."""
    expect(screen(page)).to_have_attribute("data-state", "off")
    assert light.evaluate("video => video.srcObject === null")
    count = frames(page)
    page.wait_for_timeout(700)
    assert frames(page) == count


def test_stop_ends_it_and_leaves_the_last_picture(filmed: Page) -> None:
    start(filmed, "Start the camera")
    filmed.get_by_role("button", name="Stop").click()
    stopped(filmed, filmed.locator("video"))
    expect(painted(filmed)).to_be_visible()
    start(filmed, "Start the camera")  # and it can begin again


def test_it_stops_when_the_page_is_hidden(open_page: Callable[..., Page], visit: Visit) -> None:
    page = open_page(*DESK, permissions=["camera"])
    page.add_init_script(HIDING)
    visit(page, "live")
    start(page, "Start the camera")
    page.evaluate("turnTo(false)")
    page.evaluate("turnTo(true)")
    stopped(page, page.locator("video"))
    expect(page.get_by_role("status").filter(has_text="nobody saw this page")).to_be_visible()


def test_it_stops_when_the_camera_goes_away(filmed: Page) -> None:
    start(filmed, "Start the camera")
    filmed.locator("video").evaluate("video => video.srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    stopped(filmed, filmed.locator("video"))
    expect(filmed.get_by_role("status").filter(has_text="the camera was unplugged")).to_be_visible()


def test_it_stops_when_another_screen_is_looked_at(filmed: Page, visit: Visit) -> None:
    start(filmed, "Start the camera")
    filmed.evaluate("window.track = document.querySelector('video').srcObject.getVideoTracks()[0]")
    filmed.get_by_role("link", name="Start", exact=True).click()
    expect(filmed.locator("main[data-screen=start]")).to_be_visible()
    assert filmed.evaluate("track.readyState") == "ended"


# ---- what may be wrong --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("NotAllowedError", "not allowed to this page"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "another program has it"),
    ],
)
def test_without_a_camera_it_says_why_and_what_to_do(page: Page, visit: Visit, name: str, says: str) -> None:
    refuse_camera(page, name)
    visit(page, "live")
    page.get_by_role("button", name="Start the camera").click()
    wrong = page.get_by_role("alert").filter(has_text=says)
    expect(wrong).to_contain_text("go on without a camera")
    start(page)
    expect(wrong).to_have_count(0)


def test_what_the_server_refuses_is_said_and_ends_it(page: Page, visit: Visit, watch: Watch) -> None:
    watch.allow("404")
    visit(page, "live")
    page.route("**/api/live/**", lambda route: route.fulfill(status=404, json={"error": "there is no such painting"}))
    page.get_by_role("button", name="Try it without a camera").click()
    expect(page.get_by_role("alert").filter(has_text="There is no such painting")).to_be_visible()
    expect(screen(page)).to_have_attribute("data-state", "off")


def test_a_busy_studio_is_asked_again(page: Page, visit: Visit, watch: Watch) -> None:
    watch.allow("503")
    visit(page, "live")
    busy = {"error": "frames are painted one at a time"}
    page.route("**/api/live/**", lambda route: route.fulfill(status=503, json=busy), times=2)
    page.get_by_role("button", name="Try it without a camera").click()
    expect(page.get_by_text("waits its turn")).to_be_visible()
    wait_for(page, 2)
    expect(page.get_by_text("waits its turn")).to_have_count(0)


# ---- for everybody ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [DESK, PHONE], ids=lambda size: str(size[0]))
def test_while_it_runs_axe_finds_nothing(
    open_page: Callable[..., Page], visit: Visit, axe: Callable[..., None], size: tuple[int, int]
) -> None:
    page = visit(open_page(*size, color_scheme="light"), "live")
    start(page)
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="the way").click()
    page.emulate_media(color_scheme="dark")
    axe(page, ["color-contrast"])


@pytest.mark.parametrize("width", [768, 2560])
def test_wide_and_narrow(open_page: Callable[..., Page], visit: Visit, width: int) -> None:
    page = visit(open_page(width, 1000), "live")
    start(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(painted(page)).to_be_in_viewport(ratio=1)
