import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";
import { CallCard } from "../screen/call_card/call_card";
import { CallService } from "../screen/call_service/call_service";

patch(CallService.prototype, {
    /** Schedule a meeting with the client in a dialog. */
    async createMeeting(card) {
        const context = await this.onServer(card, "get_meeting_defaults");
        if (context) {
            this.activateCompany(card);
            this.dialog.add(FormViewDialog, {
                title: _t("New Meeting"),
                resModel: "calendar.event",
                context,
            });
        }
    },

    /** Open a new quotation for the client; too large for a dialog. */
    async createQuotation(card) {
        const context = await this.onServer(card, "get_quotation_defaults");
        if (context) {
            this.activateCompany(card);
            await this.action.doAction({
                type: "ir.actions.act_window",
                name: _t("New Quotation"),
                res_model: "sale.order",
                views: [[false, "form"]],
                context,
            });
        }
    },

    openOrder(card, orderId) {
        this.activateCompany(card);
        return this.openForm("sale.order", orderId);
    },

    openOverdue(card) {
        return this.openFromServer(card, "action_view_overdue");
    },

    /** Open today's other calls with the client. */
    openToday(card) {
        return this.openFromServer(card, "action_view_today");
    },

    async openFromServer(card, method) {
        const action = await this.onServer(card, method);
        if (action) {
            this.activateCompany(card);
            await this.action.doAction(action);
        }
    },
});

patch(CallCard.prototype, {
    /** What the client has bought: label, text and record id each. */
    get orders() {
        const { order, quotation } = this.card.business || {};
        return [
            { label: _t("Last order"), ...order },
            { label: _t("Quotation"), ...quotation },
        ].filter(({ id }) => id);
    },

    get overdueWords() {
        const { amount, count } = this.card.business.overdue;
        return count > 1
            ? _t("Overdue: %(amount)s, invoices: %(count)s", { amount, count })
            : _t("Overdue: %s", amount);
    },

    get todayWords() {
        const { count, missed } = this.card.today;
        return missed
            ? _t("Other calls today: %(count)s, missed: %(missed)s", { count, missed })
            : _t("Other calls today: %s", count);
    },
});
