"""What the documentation and the app's page lead to is there, in both languages."""

import ast
import html.parser
import re
import unittest
import urllib.parse

from PIL import Image

from devtools import paths

DESCRIPTION = paths.ROOT / "static" / "description"
IMAGES = paths.ROOT / "docs" / "images"
READMES = [paths.ROOT / "README.md", paths.ROOT / "README.ru.md"]
README_LINES = 120
PICTURE_BYTES = 150_000
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(?P<level>#+) (?P<text>.+)$", re.MULTILINE)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
PICTURE = re.compile(r"!\[[^\]]+\]\((?P<target>[^)\s]+)\)")
QUESTIONS = 20
#: A row of the table of open questions.
ROW = re.compile(r"^\| (?P<number>\d+) \|.*\|(?P<tests>[^|]*)\|$", re.MULTILINE)
# What the app store leaves of a page, and what our page needs of it.
ALLOWED_TAGS = {
    *("section", "div", "h1", "h2", "h3", "h4", "p", "span", "b", "i", "code", "br"),
    *("ul", "ol", "li", "img", "table", "thead", "tbody", "tr", "th", "td"),
}
ALLOWED_ATTRIBUTES = {"class", "style", "src", "alt", "lang", "scope"}


def pages():
    """List the pages.

    :rtype: list[pathlib.Path]
    """
    return [
        path
        for path in sorted(paths.ROOT.rglob("*.md"))
        if not any(
            part.startswith(".") or part == "node_modules"
            for part in path.relative_to(paths.ROOT).parts
        )
    ]


def name(path):
    return str(path.relative_to(paths.ROOT))


def read(page):
    """Read a page without what it quotes.

    :param pathlib.Path page: to read.
    :rtype: str
    """
    return CODE.sub("", page.read_text())


def anchors(page):
    """List what the headings of a page are linked by, as GitHub makes it.

    :rtype: set[str]
    """
    return {
        re.sub(r"[^\w\- ]", "", heading["text"].lower()).replace(" ", "-")
        for heading in HEADING.finditer(read(page))
    }


def outline(page):
    """List the levels of a page's headings.

    :rtype: list[str]
    """
    return [heading["level"] for heading in HEADING.finditer(read(page))]


def pictures(page):
    """List the pictures of a page, in their order.

    :rtype: list[str]
    """
    return [found["target"] for found in PICTURE.finditer(read(page))]


class AppPage(html.parser.HTMLParser):
    """The tags, attributes and pictures of the app's page."""

    def __init__(self):
        super().__init__()
        self.tags = set()
        self.attributes = set()
        self.pictures = []
        self.feed((DESCRIPTION / "index.html").read_text())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(key for key, value in attrs)
        self.pictures += [value for key, value in attrs if key == "src"]


class TestPages(unittest.TestCase):
    def test_links_and_pictures(self):
        for page in pages():
            for found in LINK.finditer(read(page)):
                target = found["target"]
                with self.subTest(page=name(page), target=target):
                    self._assert_leads_somewhere(page, target)

    def _assert_leads_somewhere(self, page, target):
        url = urllib.parse.urlsplit(target)
        if url.scheme:
            return
        path = (page.parent / urllib.parse.unquote(url.path)) if url.path else page
        self.assertTrue(path.resolve().is_relative_to(paths.ROOT.resolve()))
        self.assertTrue(path.exists())
        if url.fragment:
            self.assertIn(urllib.parse.unquote(url.fragment), anchors(path))

    def test_readme_is_short_and_says_how_to_test(self):
        for page in READMES:
            with self.subTest(page=page.name):
                lines = page.read_text().splitlines()
                self.assertLessEqual(len(lines), README_LINES)
                self.assertIn("./dev test", lines)

    def test_both_languages_say_and_show_the_same(self):
        russian = [page for page in pages() if page.name.endswith(".ru.md")]
        self.assertGreater(len(russian), 4)
        for page in russian:
            with self.subTest(page=name(page)):
                english = page.with_name(page.name.replace(".ru.md", ".md"))
                self.assertEqual(outline(english), outline(page))
                shown = [one.replace(".en.", ".ru.") for one in pictures(english)]
                self.assertEqual(shown, pictures(page))

    def test_measurements_are_the_same_in_both_languages(self):
        english, russian = (
            [
                re.findall(r"\d+", line)
                for line in (paths.ROOT / "docs" / page).read_text().splitlines()
                if line.startswith("|")
            ]
            for page in ("benchmarks.md", "benchmarks.ru.md")
        )
        self.assertEqual(english, russian)


class TestFirstDay(unittest.TestCase):
    def test_each_open_question_has_its_tests(self):
        told = "".join(path.read_text() for path in paths.ROOT.glob("tests/**/*.py"))
        for page in (paths.ROOT / "docs").glob("first-day*.md"):
            rows = {
                int(row["number"]): row["tests"] for row in ROW.finditer(read(page))
            }
            # Those of mango-api.md, section 10.
            self.assertEqual(list(rows), list(range(1, QUESTIONS + 1)))
            for number, tests in rows.items():
                with self.subTest(page=name(page), question=number):
                    names = re.findall(r"`(test_\w+)`", tests)
                    self.assertTrue(names)
                    for test in names:
                        self.assertIn(f"def {test}(", told)


class TestPictures(unittest.TestCase):
    def test_each_can_be_seen(self):
        for path in [*IMAGES.iterdir(), *DESCRIPTION.glob("*.png")]:
            with self.subTest(picture=name(path)), Image.open(path) as picture:
                picture.load()

    def test_small_enough(self):
        for path in [*IMAGES.iterdir(), *DESCRIPTION.glob("*.png")]:
            with self.subTest(picture=name(path)):
                self.assertLessEqual(path.stat().st_size, PICTURE_BYTES)

    def test_each_is_shown_somewhere(self):
        shown = {
            (page.parent / target).resolve()
            for page in pages()
            for target in pictures(page)
        }
        self.assertEqual({path.resolve() for path in IMAGES.iterdir()} - shown, set())


class TestAppPage(unittest.TestCase):
    def test_pictures(self):
        found = AppPage().pictures
        for target in found:
            with self.subTest(picture=target):
                # Odoo and the app store look for a bare name in this folder.
                self.assertNotIn("/", target)
                self.assertTrue((DESCRIPTION / target).is_file())
        there = {path.name for path in DESCRIPTION.glob("*.png")}
        self.assertEqual(there - set(found), {"icon.png"})  # that is the app's own

    def test_only_what_the_app_store_leaves(self):
        page = AppPage()
        self.assertLessEqual(page.tags, ALLOWED_TAGS)
        self.assertLessEqual(page.attributes, ALLOWED_ATTRIBUTES)

    def test_cover(self):
        manifest = ast.literal_eval((paths.ROOT / "__manifest__.py").read_text())
        self.assertTrue(manifest["images"])
        for target in manifest["images"]:
            with self.subTest(picture=target):
                self.assertTrue((paths.ROOT / target).is_file())
