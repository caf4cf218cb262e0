"""Classes without use: without a rule or a script, or rules without an element."""

import re

from . import paths

NAME = re.compile(r"o_mango_\w+")
#: Where a template or a view gives classes to an element.
ATTRIBUTE = re.compile(r'\b(?:t-att-)?(?:menuC|c)lass="([^"]*)"')
RULE = re.compile(r"\.(o_mango_\w+)")
#: Odoo gives these to a view with our ``js_class``.
OF_VIEW = re.compile(r"o_mango_\w+_view")


def find_unused():
    """Find the classes and the rules to remove.

    :return: a description of each.
    :rtype: list[str]
    """
    given = set()
    for attribute in ATTRIBUTE.findall(_read("static/src", "views", ending="xml")):
        given.update(NAME.findall(attribute))
    rules = _read("static/src", ending="scss") + _read("views", ending="xml")
    ruled = set(RULE.findall(rules))
    scripts = set(NAME.findall(_read("static/src", ending="js")))
    tests = set(NAME.findall(_read("static/tests", ending="js")))
    tests.update(NAME.findall(_read("tests", "devtools", ending="py")))
    begun = tuple(name for name in given if name.endswith("_"))  # the rest is added
    return [
        *(
            f"{name}: no rule, script or test uses this class"
            for name in sorted(given - ruled - scripts - tests - set(begun))
        ),
        *(
            f"{name}: no element has the class of this rule"
            for name in sorted(ruled - given - scripts)
            if not OF_VIEW.fullmatch(name) and not name.startswith(begun)
        ),
    ]


def _read(*folders, ending):
    """Return the text of all files with an ending below some folders."""
    files = [
        path for one in folders for path in (paths.ROOT / one).rglob(f"*.{ending}")
    ]
    return "\n".join(path.read_text() for path in sorted(files))
