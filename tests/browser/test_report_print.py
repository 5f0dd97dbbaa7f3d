"""The report of `livelift report` in a real browser: whole and legible on A4, in light and dark, and on a telephone."""

import ctypes
from io import BytesIO
from typing import NamedTuple

import pypdfium2 as pdfium
import pytest
from PIL import Image
from pypdfium2.raw import FPDF_PAGEOBJ_TEXT, FPDFTextObj_GetFontSize

from livelift.recording import open_recording
from livelift.recording.write import write_exercise
from livelift.report.plan import assume
from livelift.report.run import run
from livelift.report.write import drawings, write_report
from livelift.surroundings import product_of
from models.product import Product
from models.simulation import simulate
from tests.support import fonts, oulad
from tests.support.axe import serious
from tests.support.shared_data import needs

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
MM, PX = 72 / 25.4, 96 / 25.4
"""A millimetre in points, as PDF counts, and in CSS's pixels."""
A4, MARGIN, TEXT = (210, 297), 20, (170, 257)
TITLE_PT, LEAST_PT = 20, 7
PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

WIDE = """([wide, high]) => [...document.querySelectorAll('h1,h2,h3,p,li,tr,table,figure,svg')]
  .filter(one => { const box = one.getBoundingClientRect();
                   return box.right > wide + 0.5 || (box.height > high && one.tagName != 'TABLE') })
  .map(one => one.tagName + ': ' + one.textContent.slice(0, 60))"""
CUT = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
  const whole = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => text.textContent && text.getAttribute('opacity') != '0')
    .filter(text => { const box = text.getBoundingClientRect();
      return box.left < whole.left - 0.5 || box.right > whole.right + 0.5 ||
             box.top < whole.top - 0.5 || box.bottom > whole.bottom + 0.5 })
    .map(text => svg.getAttribute('aria-label') + ': ' + text.textContent) })"""
OVER_EACH_OTHER = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
  const texts = [...svg.querySelectorAll('text')]
    .filter(text => text.textContent && text.getAttribute('opacity') != '0')
    .map(text => [text.textContent, text.getBoundingClientRect()]);
  return texts.flatMap(([one, a], i) => texts.slice(i + 1)
    .filter(([_, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 &&
                        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
    .map(([other]) => svg.getAttribute('aria-label') + ': ' + one + ' / ' + other)) })"""


def reported(folder):
    """Writes the report of a recording; the file."""
    recording = open_recording(folder, assume=assume)
    report = run(recording, product_of(recording.config) if recording.config else Product())
    write_report(folder, report, drawings(report))
    return folder / "report.html"


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("printed") / "trial"
    write_exercise(simulate(customers=300, seed=1), folder)
    return reported(folder)


@pytest.fixture
def opened(chromium):
    """Opens a file with the fonts that it asks for."""
    contexts = []

    def open_(path, **options):
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        page.add_style_tag(content=fonts.style())
        page.evaluate("document.fonts.ready.then(() => document.fonts.size)")
        return page

    yield open_
    for context in contexts:
        context.close()


class Printed(NamedTuple):
    """A piece of text of the PDF: its size in points, its box in millimetres from the page's left and upper edge."""

    page: int
    size: float
    box: tuple[float, float, float, float]


def texts(pdf):
    found = []
    for number, page in enumerate(pdf):
        height = page.get_size()[1]
        for one in page.get_objects(filter=[FPDF_PAGEOBJ_TEXT]):
            size, around = ctypes.c_float(), surrounding(one)
            FPDFTextObj_GetFontSize(one, size)
            matrix = one.get_matrix().multiply(around)
            left, bottom, right, top = around.on_rect(*one.get_bounds())
            box = (left / MM, (height - top) / MM, right / MM, (height - bottom) / MM)
            found.append(Printed(number, size.value * (matrix.a**2 + matrix.b**2) ** 0.5, box))
    return found


def surrounding(part):
    """From what a part of the PDF stands in to the page."""
    matrix = pdfium.PdfMatrix()
    while (part := part.container) is not None:
        matrix = matrix.multiply(part.get_matrix())
    return matrix


def printed(page):
    return pdfium.PdfDocument(page.pdf(prefer_css_page_size=True, print_background=True))


def on_paper(page):
    """The page laid out as on A4's text, to be measured."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": int(TEXT[0] * PX), "height": int(TEXT[1] * PX)})
    return page


# -- on paper ------------------------------------------------------------------------------------------------------------


def check_paper(page):
    assert on_paper(page).evaluate(WIDE, [TEXT[0] * PX, TEXT[1] * PX]) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate(OVER_EACH_OTHER) == []
    pdf = printed(page)
    assert all(one.get_size() == pytest.approx([side * MM for side in A4], abs=1) for one in pdf)
    found = texts(pdf)
    assert min(one.size for one in found) >= LEAST_PT
    # A browser makes everything smaller where something is too wide for the page.
    assert max(one.size for one in found) == pytest.approx(TITLE_PT, abs=0.05)
    outside = [
        one
        for one in found
        if one.box[0] < MARGIN - 0.5
        or one.box[2] > A4[0] - MARGIN + 0.5
        or one.box[1] < MARGIN - 0.5
        or one.box[3] > A4[1] - MARGIN + 0.5
    ]
    assert outside == []
    return pdf


def test_the_trials_report_is_whole_and_legible_on_a4(opened, trial):
    page = opened(trial)
    assert page.locator("figure").count() >= 12 and page.locator("table").count() >= 10
    pdf = check_paper(page)
    words = "".join(one.get_textpage().get_text_range() for one in pdf)
    for needed in ("1. CS help", "6. Real or simulated", "Known truth", "hours since the help", "no effect"):
        assert needed in words


@needs("oulad_subset")
def test_that_of_real_learners_is_too(opened, tmp_path):
    kept = [(one.presentation, one.student) for one in oulad.learners().iloc[::16].itertuples()]
    oulad.write_oulad(tmp_path / "courses", kept)
    page = opened(reported(tmp_path / "courses"))
    check_paper(page)
    assert serious(page) == []


@pytest.mark.parametrize(("spoiled", "seen"), [
    ("table{width:200mm}", WIDE), ("svg{height:300mm!important}", WIDE), ("svg text{font-size:30px!important}", CUT),
    ("svg text{font-size:20px!important}", OVER_EACH_OTHER),
])  # fmt: skip
def test_what_does_not_fit_is_seen(opened, trial, spoiled, seen):
    page = on_paper(opened(trial))
    page.add_style_tag(content=spoiled)
    assert page.evaluate(seen, [TEXT[0] * PX, TEXT[1] * PX])


def test_what_a_browser_makes_smaller_to_fit_is_seen(opened, trial):
    page = opened(trial)
    page.add_style_tag(content="table{width:260mm}")
    sizes = [one.size for one in texts(printed(page))]
    assert max(sizes) < TITLE_PT - 1 and min(sizes) < LEAST_PT


def test_paper_is_white_for_who_reads_in_the_dark(opened, trial):
    page = opened(trial, color_scheme="dark")
    light, dark = (printed(one)[0].render(scale=0.3).to_pil().convert("L") for one in (opened(trial), page))
    assert light.tobytes() == dark.tobytes() and mean(light) > 200


# -- on a screen ---------------------------------------------------------------------------------------------------------


def mean(image):
    """From 0 for black to 255 for white."""
    return sum(value * count for value, count in enumerate(image.histogram())) / (image.width * image.height)


def look(part):
    return Image.open(BytesIO(part.screenshot())).convert("L")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_axe_finds_nothing_serious(opened, trial, scheme, viewport):
    page = opened(trial, color_scheme=scheme, viewport=viewport)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_in_the_dark_text_and_figures_are_light_on_dark(opened, trial):
    for scheme, is_light in (("light", True), ("dark", False)):
        page = opened(trial, color_scheme=scheme, viewport=LAPTOP)
        for part in (page.locator("p").nth(1), page.locator("figure svg").first):
            shown = look(part)
            assert (mean(shown) > 200) if is_light else (mean(shown) < 60)
            darkest, lightest = shown.getextrema()
            assert lightest - darkest > 180, "contrast"


def test_every_figure_says_in_words_what_it_shows(opened, trial):
    page = opened(trial)
    named = page.get_by_role("img").all()
    assert len(named) == page.locator("figure").count()
    assert all(one.get_attribute("aria-label") for one in named)
    assert page.get_by_role("main").count() == 1
