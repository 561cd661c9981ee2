"""Looks at report pages in a browser: `browser.py CHROMIUM PAGE...`. Prints what is wrong and fails if anything is.

Each page is opened from disk at three widths, light and dark. It asks for nothing, complains of nothing, draws every
plot with marks, titles and units, lets nothing overlap or stick out, and axe finds nothing serious in it.
"""

import pathlib
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

WIDTHS = [400, 1400, 2400]
SHADES = ["light", "dark"]

# In the page: what is wrong with its plots. Text elements overlap if their boxes do, by more than a pixel each way.
PLOTS = """() => {
  const wrong = [];
  const boxes = (root, selector) => [...root.querySelectorAll(selector)].map((element) => [element, element.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && box.height > 0);
  const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const figures = [...document.querySelectorAll("figure.plot")];
  if (figures.length === 0) wrong.push("no plot at all");
  for (const figure of figures) {
    const title = figure.querySelector("h3").textContent;
    if (!/\\(.+\\)$/.test(title)) wrong.push(`no unit in "${title}"`);
    if (figure.querySelector("figcaption").textContent.length < 20) wrong.push(`${title}: not explained`);
    // A line of nothing but zeros has no height, and is a mark.
    const marks = [...figure.querySelectorAll(".plot path, .heatmaplayer image")].map((mark) => mark.getBoundingClientRect())
      .filter((box) => box.width + box.height > 2);
    if (marks.length === 0) wrong.push(`${title}: no marks`);
    if (!figure.querySelector(".xtitle")?.textContent) wrong.push(`${title}: no title of the horizontal axis`);
    if (!figure.querySelector("[role=img]").getAttribute("aria-label")) wrong.push(`${title}: not described`);
    for (const selector of [".xtick text", ".ytick text", ".bartext"]) {
      const texts = boxes(figure, selector);
      texts.forEach(([one, box], index) => texts.slice(index + 1).forEach(([other, own]) => {
        if (overlap(box, own)) wrong.push(`${title}: "${one.textContent}" overlaps "${other.textContent}"`);
      }));
    }
    const titles = boxes(figure, ".xtitle, .ytitle"), ticks = boxes(figure, ".xtick text, .ytick text");
    for (const [one, box] of titles) for (const [other, own] of ticks) {
      if (overlap(box, own)) wrong.push(`${title}: "${one.textContent}" overlaps "${other.textContent}"`);
    }
    const frame = figure.getBoundingClientRect();
    for (const [text, box] of boxes(figure, "svg text")) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1) wrong.push(`${title}: "${text.textContent}" sticks out`);
    }
  }
  const blocks = boxes(document, "figure.plot, main .table, .card, .window");
  blocks.forEach(([one, box], index) => blocks.slice(index + 1).forEach(([other, own]) => {
    if (!one.contains(other) && overlap(box, own)) wrong.push(`blocks overlap: ${one.textContent.slice(0, 40)} / ${other.textContent.slice(0, 40)}`);
  }));
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`${document.documentElement.scrollWidth} pixels wide in ${innerWidth}`);
  if (!document.getElementById("trouble").hidden) wrong.push(document.getElementById("trouble").textContent);
  return wrong;
}"""

# In the page: every plot shows its data as a table.
TABLES = """() => {
  const all = [...document.querySelectorAll("details.data")];
  all.forEach((details) => { details.open = true; });
  return new Promise((done) => setTimeout(() => {
    done(all.filter((details) => details.querySelectorAll("tbody tr").length === 0).map((details) => `${details.dataset.table}: no table`));
    all.forEach((details) => { details.open = false; });
  }, 100));
}"""

# In the page: the window of time that plots over time show.
RANGES = "() => [...document.querySelectorAll('.canvas')].map((canvas) => canvas.layout.xaxis.range)"


def opened(browser, path, width, shade, wrong):
    """A page that is drawn; what it says or asks for meanwhile is wrong."""
    page = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=shade)
    url = path.resolve().as_uri()
    page.on("console", lambda message: wrong.append(f"console: {message.text}") if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: None if request.url == url else wrong.append(f"asks for {request.url[:80]}"))
    page.goto(url)
    page.wait_for_selector("html[data-ready=true]", timeout=120_000)
    return page


def accessibility(page):
    """What axe calls serious or critical."""
    found = Axe().run(page).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    return [f"axe: {rule['id']}: {rule['nodes'][0]['html'][:120]} ({len(rule['nodes'])})" for rule in serious]


def keyboard(page):
    """The window of time moves by keys alone, and every other control is reached."""
    wrong = []
    reached = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.closest('[data-step], [data-copy], .legend button, #theme, summary, .scroll, select')?.className ?? document.activeElement.tagName"))
        if page.evaluate("() => document.activeElement === document.querySelector('footer') || document.activeElement === document.body"):
            break
    if len(reached) < 3:
        wrong.append(f"keys reach only {reached}")
    if page.query_selector("[data-step=closer]"):
        before = page.evaluate(RANGES)
        page.focus("[data-step=closer]")
        page.keyboard.press("Enter")
        page.wait_for_timeout(1500)
        if page.evaluate(RANGES) == before:
            wrong.append("the window of time does not move")
    return wrong


def look(browser, path):
    """Everything that is wrong with a page."""
    problems = []
    for width in WIDTHS:
        for shade in SHADES:
            wrong = []
            page = opened(browser, path, width, shade, wrong)
            wrong += page.evaluate(PLOTS)
            if width < 2000:
                wrong += accessibility(page)
            if (width, shade) == (1400, "light"):
                wrong += page.evaluate(TABLES) + keyboard(page)
                page.pdf()
            page.close()
            problems += [f"{path.name}, {width} px, {shade}: {problem}" for problem in dict.fromkeys(wrong)]
    return problems


def main():
    chromium, *pages = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        problems = [problem for page in pages for problem in look(browser, pathlib.Path(page))]
        browser.close()
    for problem in problems[:60]:
        print(problem)
    print(f"{len(pages)} pages, {len(WIDTHS) * len(SHADES)} looks each, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
