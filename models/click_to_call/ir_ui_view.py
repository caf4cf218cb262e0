from odoo import models

OPTIONS = "{'enable_sms': False}"


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    def _postprocess_tag_field(self, node, name_manager, node_info):
        """Make every number that a view shows callable, not only phone fields.

        Odoo shows some numbers as plain text, with nothing to click on.
        """
        result = super()._postprocess_tag_field(node, name_manager, node_info)
        is_on_screen = node_info["view_type"] in ("form", "list", "kanban")
        if is_on_screen and self._mango_is_plain_number(node, name_manager.model):
            node.set("widget", "phone")
            node.set("options", node.get("options", OPTIONS))
        return result

    def _mango_is_plain_number(self, node, model):
        field = model._fields.get(node.get("name"))
        return (
            field is not None
            and field.type == "char"
            and not node.get("widget")
            and field.name in model._phone_get_number_fields()
        )
