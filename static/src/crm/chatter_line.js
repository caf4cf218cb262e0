import { Message } from "@mail/core/common/message";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";

/** The play button of a call in the chatter, see `mango.chatter.line` on the server. */
patch(Message.prototype, {
    async onClick(ev) {
        const button = ev.target.closest("a.o_mango_play");
        if (!button) {
            return super.onClick(...arguments);
        }
        ev.preventDefault();
        const callId = Number(button.dataset.oeId);
        const title = this.props.message.thread?.displayName || "";
        const services = this.env.services;
        const isPlayed = await services["mango_office.player"].playCall(callId, title);
        if (!isPlayed) {
            services.notification.add(_t("There is nothing that you can listen to."), {
                type: "warning",
            });
        }
    },
});
