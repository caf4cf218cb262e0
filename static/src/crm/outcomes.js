import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { CallService } from "../screen/call_service/call_service";

patch(CallService.prototype, {
    /** Set or clear the outcome of a call. */
    async chooseOutcome(card, outcomeId) {
        await this.onServer(card, "choose_outcome", outcomeId);
        return this.refresh(card.call_id);
    },

    /** Ask for the reason, and block the client's number. */
    async blockNumber(card) {
        const action = await this.onServer(card, "action_block_number");
        if (action) {
            this.activateCompany(card);
            await this.action.doAction(action);
        }
    },

    /** Whether the card must stay until an outcome is chosen. */
    close(card) {
        if (!card.needs_outcome) {
            return super.close(card);
        }
        this.notification.add(_t("%s: choose the outcome of the call first.", card.name), {
            type: "warning",
        });
    },
});
