import re

from odoo import models
from odoo.tools.translate import code_translations

MODULE = "mango_office"
#: How the files of the samples say what is to be translated, and show a moment.
TRANSLATED = re.compile(r'^=_t\("(?P<words>.*)"\)$')
MOMENT = "m/d/yyyy hh:mm"


class SpreadsheetDashboard(models.Model):
    _inherit = "spreadsheet.dashboard"

    def _get_sample_dashboard(self):
        """Show our samples in the user's language, as Odoo does with the dashboards.

        Odoo shows a sample as it is in its file.
        """
        sample = super()._get_sample_dashboard()
        if sample and self._get_dashboard_translation_namespace() == MODULE:
            self._translate_sample(sample)
        return sample

    def _translate_sample(self, sample):
        """Translate the texts of a spreadsheet, and adapt its format of numbers.

        :param dict sample: is changed.
        """
        lang = self.env.user.lang or "en_US"
        found = code_translations.get_web_translations(MODULE, lang)["messages"]
        words = {message["id"]: message["string"] for message in found}
        locale = self.env["res.lang"]._get_user_spreadsheet_locale()
        sample["settings"]["locale"] = locale
        sample["formats"] = {
            key: f"{locale['dateFormat']} hh:mm" if text == MOMENT else text
            for key, text in sample["formats"].items()
        }
        for sheet in sample["sheets"]:
            for cell, content in sheet["cells"].items():
                if match := TRANSLATED.match(content):
                    text = match["words"]
                    sheet["cells"][cell] = words.get(text, text)
            for figure in sheet["figures"]:
                for key in ("title", "baselineDescr"):
                    if title := figure["data"].get(key):
                        title["text"] = words.get(title["text"], title["text"])
