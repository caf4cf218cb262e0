from odoo import api, models

from ..vpbx import numbers


class MailThreadPhone(models.AbstractModel):
    _inherit = "mail.thread.phone"

    @api.model
    def _mango_phone_regions(self, companies):
        """Return the regions that a number without a country code may be from.

        :param res.company companies: whose countries come first.
        :return: ISO codes, Russia last.
        :rtype: tuple[str, ...]
        """
        codes = [code for code in companies.country_id.mapped("code") if code != "RU"]
        return (*codes, "RU")

    def _compute_phone_sanitized(self):
        """Read the numbers that Odoo cannot, so that their owners are found by index.

        Odoo reads a number only by the record's or the company's country, and gives
        up on a second number in the same field. A caller is looked up by
        ``phone_sanitized`` alone, so such a contact would never be recognised.
        """
        super()._compute_phone_sanitized()
        for record in self:
            if record.phone_sanitized:
                continue
            company = record["company_id"] if "company_id" in record else None
            regions = self._mango_phone_regions(company or self.env.company)
            for field_name in self._phone_get_number_fields():
                if number := numbers.e164(record[field_name] or "", regions):
                    record.phone_sanitized = number
                    break
