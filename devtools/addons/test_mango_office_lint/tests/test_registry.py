"""``test_lint``'s checks of the registry: ours and what we depend on.

These run over all installed models. Odoo's own models pass, so failures are ours.
"""

from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.test_lint.tests import (
    test_docstring,
    test_index,
    test_naming,
    test_override_signatures,
    test_routes,
)


@tagged("post_install", "-at_install")
class TestDocstring(test_docstring.TestDocstring):
    allow_inherited_tests_method = True

    def test_docstring(self):
        # Broken markup is reported only for the listed addons.
        with patch.object(test_docstring, "MODULES_TO_LINT", ("mango_office",)):
            super().test_docstring()


@tagged("post_install", "-at_install")
class TestIndex(test_index.TestIndex):
    allow_inherited_tests_method = True


@tagged("post_install", "-at_install")
class TestNaming(test_naming.TestNaming):
    allow_inherited_tests_method = True


@tagged("post_install", "-at_install")
class TestOverrideSignatures(test_override_signatures.TestLintOverrideSignatures):
    allow_inherited_tests_method = True


@tagged("post_install", "-at_install")
class TestRoutes(test_routes.RoutesLinter):
    allow_inherited_tests_method = True
