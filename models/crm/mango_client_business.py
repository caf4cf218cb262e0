from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import format_amount, format_date


class MangoClientBusiness(models.AbstractModel):
    """The orders and debts of a client, with the rights of the user.

    The apps Sales and Invoicing need not be installed. Each figure takes one query, or
    none if its app is missing or the user may not read it.
    """

    _name = "mango.client.business"
    _description = "Business with a Client"

    @api.model
    def _business_with(self, partner, company):
        """Return the business with a client, and with everybody else of its company.

        Amounts and dates are formatted for the user's language.

        :param res.partner partner: the client; may be empty.
        :param res.company company: our company that was called.
        :return: the last ``order`` and the last open ``quotation`` (``id``, ``name``,
            ``amount``, ``date``), and the ``overdue`` invoices (``amount``, ``count``);
            False for each that does not exist.
        :rtype: dict
        """
        if not partner:
            return self._nothing()
        return {
            **self._nothing(),
            **self._sold(partner, company),
            **self._owed(partner, company),
        }

    @api.model
    def _nothing(self):
        return {"order": False, "quotation": False, "overdue": False}

    @api.model
    def _readable(self, model):
        """Return a model, if its app is installed and the user may read it.

        :param str model: the name of the model.
        :return: None if it is missing or forbidden.
        :rtype: models.BaseModel | None
        """
        if model in self.env and self.env[model].has_access("read"):
            return self.env[model]
        return None

    # ------------------------------------------------------------
    # Sales
    # ------------------------------------------------------------

    def _sold(self, partner, company):
        orders = self._readable("sale.order")
        if orders is None:
            return {}
        is_of_client = Domain(
            "partner_id.commercial_partner_id", "=", partner.commercial_partner_id.id
        ) & Domain("company_id", "=", company.id)
        is_order = Domain("state", "=", "sale")
        has_expired = Domain("validity_date", "<", fields.Date.context_today(self))
        is_open = Domain("state", "in", ("draft", "sent")) & ~has_expired
        return {
            "order": self._last(orders, is_of_client & is_order),
            "quotation": self._last(orders, is_of_client & is_open),
        }

    def _last(self, orders, domain):
        order = orders.search_fetch(
            domain,
            ["name", "date_order", "amount_total", "currency_id"],
            order="date_order desc, id desc",
            limit=1,
        )
        if not order:
            return False
        moment = fields.Datetime.context_timestamp(self, order.date_order)
        return {
            "id": order.id,
            "name": order.name,
            "amount": format_amount(self.env, order.amount_total, order.currency_id),
            "date": format_date(self.env, moment.date()),
        }

    # ------------------------------------------------------------
    # Invoicing
    # ------------------------------------------------------------

    @api.model
    def _is_overdue(self, partner, company):
        """Return the domain of a client's overdue invoices.

        :rtype: Domain
        """
        return (
            Domain("commercial_partner_id", "=", partner.commercial_partner_id.id)
            & Domain("company_id", "=", company.id)
            & Domain("move_type", "in", ("out_invoice", "out_receipt"))
            & Domain("state", "=", "posted")
            & Domain("payment_state", "in", ("not_paid", "partial"))
            & Domain("invoice_date_due", "<", fields.Date.context_today(self))
        )

    def _owed(self, partner, company):
        invoices = self._readable("account.move")
        if invoices is None:
            return {}
        [(amount, count)] = invoices._read_group(
            self._is_overdue(partner, company),
            aggregates=["amount_residual_signed:sum", "__count"],
        )
        if not count:
            return {}
        words = format_amount(self.env, amount, company.currency_id)
        return {"overdue": {"amount": words, "count": count}}
