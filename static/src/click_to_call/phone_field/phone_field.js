import { useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { formPhoneField, PhoneField, phoneField } from "@web/views/fields/phone/phone_field";
import { session } from "@web/session";

/** For users with an extension, Odoo's phone field calls through the PBX. */
patch(PhoneField, {
    props: {
        ...PhoneField.props,
        mangoCall: { type: Boolean, optional: true },
    },
    defaultProps: {
        ...PhoneField.defaultProps,
        mangoCall: true,
    },
});

patch(PhoneField.prototype, {
    setup() {
        super.setup();
        this.mangoInput = useRef("input");
        this.mangoService =
            session.mango_office?.extension && this.env.services["mango_office.call"];
    },
    get mangoNumber() {
        return this.props.record.data[this.props.name] || "";
    },
    get canMangoCall() {
        return Boolean(this.mangoService && this.props.mangoCall && this.mangoNumber);
    },
    get mangoTitle() {
        return _t("Call %s", this.mangoNumber);
    },
    /** @param {MouseEvent} ev on our button, or on Odoo's `tel:` link */
    onMangoCall(ev) {
        if (!this.canMangoCall) {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
        const { record } = this.props;
        // Call the number shown, even if it has not been saved yet.
        const number = this.mangoInput.el?.value || this.mangoNumber;
        this.mangoService.call(number, {
            resModel: record.resModel,
            resId: record.resId || undefined,
        });
    },
    /** Prevent lists from opening the record on Enter. */
    onMangoKeydown(ev) {
        if (["Enter", " "].includes(ev.key)) {
            ev.stopPropagation();
        }
    },
});

const extendDescription = (field) => ({
    extractProps({ options }) {
        return { ...super.extractProps(...arguments), mangoCall: options.mango_call };
    },
    supportedOptions: [
        ...field.supportedOptions,
        {
            label: _t("Call through the PBX"),
            name: "mango_call",
            type: "boolean",
            default: true,
        },
    ],
});

patch(phoneField, extendDescription(phoneField));
patch(formPhoneField, extendDescription(formPhoneField));
