"""Sentences about errors of the PBX."""

from odoo.tests import tagged

from ...models.support.self_test_ends import ENDS
from ...vpbx import codes, errors
from ..common import MangoCase


@tagged("post_install", "-at_install")
class TestErrorMessage(MangoCase):
    def test_no_capital_after_a_colon(self):
        """The meaning of a code is a sentence, so it follows a full stop."""
        self.env["res.lang"]._activate_lang("ru_RU")
        for lang in ("en_US", "ru_RU"):
            messages = self.env["mango.error.message"].with_context(lang=lang)
            for code in codes.MEANINGS:
                sentence = messages._explain_error(errors.RefusedError(code, ""))
                self.assertNotRegex(sentence, r": [A-ZА-Я][a-zа-я ]", (lang, code))

    def test_reasons_in_the_self_test_are_sentences(self):
        for name, end in ENDS.items():
            self.assertNotIn(": %(reason)s", str(end.sentence), name)
