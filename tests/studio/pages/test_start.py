"""The first screen: a photograph, a painting, how long, go; and pictures of one's own."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from .watching import Watch, refuse_camera

Visit = Callable[..., Page]
DELETED = r"404.*/api/pictures/"  # a thumbnail that was still on its way
TINY = {"size": 96, "steps": 8}  # so that the test's painting is done soon


def wall(page: Page, kind: str) -> Locator:
    """The gallery of one kind."""
    return page.locator(f"section[data-kind={kind}]")


def chosen(page: Page, kind: str) -> Locator:
    """The large picture of the chosen one."""
    return wall(page, kind).get_by_role("img", name=re.compile(", chosen$"))


def result(page: Page) -> Locator:
    """The picture under "Result"."""
    return page.get_by_role("region", name="Result").get_by_role("img")


def smaller(route: Route) -> None:
    """Let the page's own request go on to the server, but for a tiny painting."""
    asked = json.loads(route.request.post_data or "{}")
    route.continue_(post_data=json.dumps(asked | {"settings": TINY}))


def transfer(page: Page, kind: str, file: Path, event: str) -> None:
    """Drop or paste a file: what a browser tells a page when somebody does."""
    encoded = base64.b64encode(file.read_bytes()).decode()
    wall(page, kind).get_by_role("heading").evaluate(
        """(target, [encoded, name, event]) => {
            const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], name, { type: 'image/jpeg' }));
            const how = { bubbles: true, cancelable: true };
            target.dispatchEvent(
                event === 'paste'
                    ? new ClipboardEvent('paste', { ...how, clipboardData: data })
                    : new DragEvent('drop', { ...how, dataTransfer: data }));
        }""",
        [encoded, file.name, event],
    )


# ---- what is there -----------------------------------------------------------------------------------------


def test_it_opens_with_pictures_and_a_finished_result(page: Page, visit: Visit) -> None:
    visit(page)
    for picture in (chosen(page, "photograph"), chosen(page, "painting"), result(page)):
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.naturalWidth") > 64
    assert wall(page, "painting").get_by_role("radio").count() >= 6
    expect(page.locator("[name=preset]")).to_have_count(3)
    expect(page.get_by_role("button", name="Paint", exact=True)).to_be_enabled()


def test_a_pair_that_is_painted_shows_its_own_picture_and_any_other_an_example(
    page: Page, visit: Visit, studio_server
) -> None:  # type: ignore[no-untyped-def]
    def alone(route: Route) -> None:
        response = route.fetch()
        state = response.json()
        runs = [run for run in state["runs"] if run["id"] == studio_server.run]  # not those of other tests
        route.fulfill(response=response, json=state | {"runs": runs})

    page.route("**/api/state", alone)
    visit(page)
    wall(page, "painting").get_by_role("radio", name="Guitar, Bottle and Pear").check()
    expect(result(page)).to_have_attribute("src", re.compile("/api/runs/"))
    expect(page.get_by_text("Painted here in")).to_be_visible()
    wall(page, "painting").get_by_role("radio", name="Peacock").check()
    expect(result(page)).to_have_attribute("src", re.compile("mosaic"))
    expect(result(page)).to_have_attribute("alt", "Grace Hopper in the manner of Peacock")
    wall(page, "painting").get_by_role("radio", name="Guitar, Bottle and Pear").check()
    page.get_by_role("link", name="How it was painted").click()
    expect(page.locator("main[data-screen=paint]")).to_be_visible()
    assert "run=" in page.url


# ---- painting ----------------------------------------------------------------------------------------------


def test_paint_paints_what_is_chosen_and_shows_it(page: Page, visit: Visit, studio_server) -> None:  # type: ignore[no-untyped-def]
    page.route("**/api/runs", smaller)
    visit(page)
    wall(page, "painting").get_by_role("radio", name="Pine at Sunrise").check()
    page.locator("[name=preset]").first.check()
    page.get_by_role("button", name="Paint", exact=True).click()
    page.wait_for_url(re.compile(r"#/paint\?run=[0-9a-f]+"))
    run = studio_server.await_run(page.url.partition("run=")[2].partition("&")[0])
    assert (run["content"], run["styles"], run["preset"]) == ("demo-photograph", ["demo-woodcut"], "draft")


def test_what_the_server_refuses_is_said_beside_the_button(page: Page, visit: Visit, watch) -> None:  # type: ignore[no-untyped-def]
    watch.allow("400")
    page.route("**/api/runs", lambda route: route.continue_(post_data=json.dumps({"preset": "no such preset"})))
    visit(page)
    page.get_by_role("button", name="Paint", exact=True).click()
    expect(page.get_by_role("region", name="Result").get_by_role("alert")).not_to_be_empty()
    expect(page.locator("main[data-screen=start]")).to_be_visible()
    expect(page.get_by_role("button", name="Paint", exact=True)).to_be_enabled()


# ---- pictures of one's own ---------------------------------------------------------------------------------


def test_a_chosen_file_is_hung_and_can_be_deleted(page: Page, visit: Visit, picture_file: Path, watch: Watch) -> None:
    watch.allow(DELETED)
    visit(page)
    wall(page, "photograph").locator("input[type=file]").set_input_files(picture_file)
    expect(chosen(page, "photograph")).to_have_attribute("alt", "my photograph, chosen")
    expect(wall(page, "photograph").get_by_role("radio", name="my photograph")).to_be_checked()
    expect(page.get_by_role("status").filter(has_text="my photograph is here")).to_have_count(1)
    visit(page)  # it is still there
    wall(page, "photograph").get_by_role("radio", name="my photograph").check()
    page.get_by_role("button", name="Delete my photograph").click()
    expect(wall(page, "photograph").get_by_role("radio", name="my photograph")).to_have_count(0)
    expect(chosen(page, "photograph")).to_have_attribute("alt", "Grace Hopper, chosen")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_pictures_may_be_dropped_and_pasted(
    event: str, page: Page, visit: Visit, picture_file: Path, watch: Watch
) -> None:
    watch.allow(DELETED)
    visit(page)
    if event == "paste":
        wall(page, "painting").get_by_role("button", name="Choose a file").focus()
    transfer(page, "painting", picture_file, event)
    expect(chosen(page, "painting")).to_have_attribute("alt", "my photograph, chosen")
    page.get_by_role("button", name="Delete my photograph").click()
    expect(chosen(page, "painting")).not_to_have_attribute("alt", "my photograph, chosen")


def test_how_far_an_upload_is_can_be_seen(page: Page, visit: Visit, picture_file: Path, watch: Watch) -> None:
    watch.allow(DELETED)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/pictures?*", hold)
    visit(page)
    wall(page, "photograph").locator("input[type=file]").set_input_files(picture_file)
    expect(wall(page, "photograph").get_by_role("progressbar", name="Bringing my photograph.jpg")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    page.get_by_role("button", name="Delete my photograph").click()


def test_a_picture_stays_although_an_older_list_comes_after_it(
    page: Page, visit: Visit, picture_file: Path, watch: Watch
) -> None:
    watch.allow(DELETED)
    visit(page)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/state", lambda route: held.append((route, route.fetch())))  # answered, but not told
    with page.expect_request("**/api/state"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wall(page, "photograph").locator("input[type=file]").set_input_files(picture_file)
    mine = page.get_by_role("button", name="Delete my photograph")
    expect(mine).to_be_visible()
    assert held
    for route, answer in held:
        with page.expect_response("**/api/state"):
            route.fulfill(response=answer)
    page.wait_for_timeout(100)
    expect(mine).to_be_visible()
    mine.click()


def test_what_is_no_picture_or_too_large_is_refused_where_it_was_given(page: Page, visit: Visit, watch) -> None:  # type: ignore[no-untyped-def]
    watch.allow("400")
    visit(page)
    given, wrong = wall(page, "photograph").locator("input[type=file]"), wall(page, "photograph").get_by_role("alert")
    given.set_input_files({"name": "letter.jpg", "mimeType": "image/jpeg", "buffer": b"Dear Grace"})
    expect(wrong).not_to_be_empty()
    given.evaluate(
        """(input) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(20_000_001)], 'wall.png', { type: 'image/png' }));
            input.files = data.files;
            input.dispatchEvent(new Event('change', { bubbles: true }));
        }"""
    )
    expect(wrong).to_contain_text("at most 20 MB")
    expect(wall(page, "painting").get_by_role("alert")).to_be_empty()
    wrong.get_by_role("button", name="Dismiss").click()
    expect(wrong).to_be_empty()


def test_a_still_of_the_camera_is_hung(page: Page, visit: Visit) -> None:
    page.add_init_script(
        """if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => {
            const scene = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
            const brush = scene.getContext('2d');
            setInterval(() => { brush.fillStyle = 'teal'; brush.fillRect(0, 0, 320, 240); }, 20);
            return scene.captureStream(30);
        }"""
    )
    visit(page)
    page.get_by_role("button", name="Camera").click()
    expect(page.locator("video")).to_have_js_property("videoWidth", 320)
    page.get_by_role("button", name="Take it").click()
    expect(chosen(page, "photograph")).to_have_attribute("alt", "Camera, chosen")
    page.get_by_role("button", name="Delete Camera").click()


def test_without_a_camera_it_says_what_to_do(page: Page, visit: Visit) -> None:
    refuse_camera(page, "NotAllowedError")
    visit(page)
    page.get_by_role("button", name="Camera").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("choose a file")


# ---- in a hand ---------------------------------------------------------------------------------------------


def test_in_a_hand_the_button_is_in_sight_all_the_way(phone: Page, visit: Visit) -> None:
    visit(phone)
    button = phone.get_by_role("button", name="Paint", exact=True)
    expect(button).to_be_in_viewport(ratio=1)
    phone.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(button).to_be_in_viewport(ratio=1)
    columns = phone.locator("main section").evaluate_all("all => all.map((each) => each.getBoundingClientRect().left)")
    assert len({round(column) for column in columns if column}) == 1
