import { useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";
import { formPhoneField, PhoneField, phoneField } from "@web/views/fields/phone/phone_field";
import { session } from "@web/session";

/** Odoo's phone field calls through the PBX for whoever has an extension. */
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
    /** @param {MouseEvent} ev on our button, or on the number that Odoo links to `tel:` */
    onMangoCall(ev) {
        if (!this.canMangoCall) {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
        const { record } = this.props;
        // What is shown is called, even if it is still being typed.
        const number = this.mangoInput.el?.value || this.mangoNumber;
        this.mangoService.call(number, {
            resModel: record.resModel,
            resId: record.resId || undefined,
        });
    },
    /** A list opens the record on Enter, wherever in the row. */
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
