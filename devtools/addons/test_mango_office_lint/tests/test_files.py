"""``test_lint``'s checks of files, applied to ours.

Odoo runs them over every addon on the addons path. That takes minutes and reports what
Debian left out of its package, so here ours is the only addon. Not included:

- ``TestESLint``: its command line is that of eslint 8; ``./dev lint`` has its rules.
- ``TestConflictMarkers``: walks the source of Odoo whatever the addons are.
- ``L10nLinter``: for ``l10n_*`` addons only.
- ``TestCheckers``: tests the checkers, not the addons.
"""

from unittest.mock import patch

from odoo import tools
from odoo.modules import Manifest
from odoo.tests import tagged

from odoo.addons.test_lint.tests import (
    test_dunderinit,
    test_i18n,
    test_jstranslate,
    test_manifests,
    test_onchange_domains,
    test_orm_import,
    test_pofile,
    test_pylint,
    test_test_holes,
)

MODULE = "mango_office"


class OnlyOurAddon:
    """Run the inherited tests as if ours were the only addon."""

    allow_inherited_tests_method = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ours = [Manifest.for_addon(MODULE)]
        cls.classPatch(Manifest, "all_addon_manifests", lambda: ours)
        cls.classPatch(test_pofile, "get_modules", lambda: [MODULE])


@tagged("post_install", "-at_install")
class TestDunderinit(OnlyOurAddon, test_dunderinit.TestDunderinit):
    pass


@tagged("post_install", "-at_install")
class TestI18n(OnlyOurAddon, test_i18n.TestI18n):
    pass


@tagged("post_install", "-at_install")
class TestJsTranslations(OnlyOurAddon, test_jstranslate.TestJsTranslations):
    pass


@tagged("post_install", "-at_install")
class TestManifest(OnlyOurAddon, test_manifests.ManifestLinter):
    pass


@tagged("post_install", "-at_install")
class TestOnchangeDomains(OnlyOurAddon, test_onchange_domains.TestOnchangeDomains):
    pass


@tagged("post_install", "-at_install")
class TestOrmImport(OnlyOurAddon, test_orm_import.TestDunderinit):
    pass


@tagged("post_install", "-at_install")
class TestPotFile(OnlyOurAddon, test_pofile.PotLinter):
    pass


@tagged("post_install", "-at_install")
class TestPylint(OnlyOurAddon, test_pylint.TestPyLint):
    def test_pylint(self):
        # The test would add Odoo's source to the addons, which takes minutes.
        root = Manifest.for_addon(MODULE).path
        with patch.object(tools.config, "root_path", root):
            super().test_pylint()


@tagged("post_install", "-at_install")
class TestTestHoles(OnlyOurAddon, test_test_holes.TestTestHoles):
    pass
