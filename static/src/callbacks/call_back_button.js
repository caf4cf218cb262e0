import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

/**
 * @param {{ calling: string, is_calling_me: boolean, is_talking: boolean }} entry
 * @returns {string} who is calling or talking to the client of an entry
 */
export function callingWords({ calling, is_calling_me, is_talking }) {
    if (is_talking) {
        return is_calling_me ? _t("You are talking to them") : _t("%s is talking to them", calling);
    }
    return is_calling_me ? _t("You are calling them") : _t("%s is calling them", calling);
}

/** Button to call a client back; shows who is already calling or talking to them. */
export class CallBackButton extends Component {
    static template = "mango_office.CallBackButton";
    static props = {
        number: String,
        calling: { type: [String, Boolean] },
        isCallingMe: { type: Boolean },
        isTalking: { type: Boolean },
        callBack: Function,
    };

    setup() {
        this.calls = useService("mango_office.call");
    }

    get words() {
        const { calling, isCallingMe, isTalking } = this.props;
        return callingWords({ calling, is_calling_me: isCallingMe, is_talking: isTalking });
    }

    get title() {
        return _t("Call %s", this.props.number);
    }
}
