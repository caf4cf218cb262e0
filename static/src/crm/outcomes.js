import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { CallService } from "../screen/call_service/call_service";

patch(CallService.prototype, {
    /** Say what the call of a card has come to, or take that back. */
    async chooseOutcome(card, outcomeId) {
        await this.onServer(card, "choose_outcome", outcomeId);
        return this.refresh(card.call_id);
    },

    /** Ask why the client's number is to be blocked, and block it. */
    async blockNumber(card) {
        const action = await this.onServer(card, "action_block_number");
        if (action) {
            await this.action.doAction(action);
        }
    },

    /** A card stays until the outcome is chosen, if that is required. */
    close(card) {
        if (!card.needs_outcome) {
            return super.close(card);
        }
        this.notification.add(_t("%s: choose the outcome of the call first.", card.name), {
            type: "warning",
        });
    },
});
