"""Uses the docs page as a person does, in Debian's chromium: register, authorize, list widgets.

docs_page.py URL FOLDER: pictures go to FOLDER.
"""

import json
import pathlib
import sys
import uuid

from playwright.sync_api import expect, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def run(page, name, body=None):
    """Opens an operation, fills its body, presses Execute, and gives status and body of the response."""
    block = page.locator(f"[id$='-{name}'].opblock")
    block.locator(".opblock-summary-control").click()
    if body is not None:
        block.locator("textarea.body-param__text").fill(json.dumps(body))
    block.get_by_role("button", name="Execute").click()
    live = block.locator(".live-responses-table .response")
    expect(live).to_be_visible()
    status = live.locator(".response-col_status").inner_text().split()[0]
    text = live.locator(".response-col_description .highlight-code pre").first.inner_text()
    return status, text


def main(url, folder):
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        complaints, elsewhere = [], []
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith((url, "data:", "blob:")) else elsewhere.append(request.url))

        page.goto(url + "/")
        expect(page.locator(".opblock").first).to_be_visible()
        assert page.url.rstrip("/") == url + "/docs", page.url
        expect(page).to_have_title("Gatehouse")
        page.screenshot(path=folder / "docs.png", full_page=True)

        account = {"email": f"docs-{uuid.uuid4().hex}@example.com", "password": "correct horse battery staple"}
        status, text = run(page, "Register", account)
        assert status == "201", f"register: {status} {text}"
        token = json.loads(text)["access_token"]

        page.locator("button.authorize").first.click()
        page.locator(".auth-container input").fill(token)
        page.locator(".auth-btn-wrapper button.authorize").click()
        page.locator(".auth-btn-wrapper .btn-done").click()

        status, text = run(page, "ListWidgets")
        assert status == "200", f"list widgets: {status} {text}"
        assert "widgets" in json.loads(text), text
        page.locator("[id$='-ListWidgets'].opblock").screenshot(path=folder / "list-widgets.png")

        assert not complaints, complaints
        assert not elsewhere, elsewhere
        browser.close()
    print("docs page: rendered, registered, authorized, listed")


main(sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2]))
