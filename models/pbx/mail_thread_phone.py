from odoo import api, models

from ...vpbx import numbers


class MailThreadPhone(models.AbstractModel):
    _inherit = "mail.thread.phone"

    @api.model
    def _mango_phone_regions(self, companies):
        """Return the regions to try for a number without a country code.

        :param res.company companies: whose countries come first.
        :return: ISO codes, Russia last.
        :rtype: tuple[str, ...]
        """
        codes = [code for code in companies.country_id.mapped("code") if code != "RU"]
        return (*codes, "RU")

    def _mango_own_regions(self):
        company = "company_id" in self and self.company_id
        return self._mango_phone_regions(company or self.env.company)

    def _compute_phone_sanitized(self):
        """Parse numbers that Odoo cannot, so that their owners are found by index.

        Odoo only tries the record's or the company's country, fails on a second number
        in the same field, and takes ``8 (495) …`` of a foreign contact for a Vietnamese
        number. A caller is looked up by ``phone_sanitized`` only, so such a contact
        would never be recognised.
        """
        result = super()._compute_phone_sanitized()
        for record in self:
            for field_name in self._phone_get_number_fields():
                text = record[field_name] or ""
                is_russian = numbers.is_whole_russian(text)
                if record.phone_sanitized and not is_russian:
                    continue
                # The owner's country is only read if it matters.
                regions = () if is_russian else record._mango_own_regions()
                if number := numbers.e164(text, regions):
                    record.phone_sanitized = number
                    break
        return result
