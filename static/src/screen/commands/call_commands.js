import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { session } from "@web/session";
import { mostUrgent } from "../call_card/call_words";

/** Shortcuts, which are also in Odoo's command palette. */
export const callCommandsService = {
    dependencies: ["command", "mango_office.call"],

    start(_env, { command, "mango_office.call": calls }) {
        if (!session.mango_office) {
            return;
        }
        const current = () => mostUrgent(calls.state.cards);
        // Also while a dialog is open.
        const options = { category: "mango_office", global: true };
        command.add(_t("Dial a number"), () => calls.bus.trigger("dial"), {
            ...options,
            hotkey: "alt+shift+p",
            isAvailable: () => Boolean(calls.state.extension),
        });
        command.add(_t("Hang up"), () => calls.hangUp(current()), {
            ...options,
            hotkey: "alt+shift+e",
            isAvailable: () => Boolean(current()?.can_hang_up),
        });
        command.add(_t("Write a note about the call"), () => calls.bus.trigger("note"), {
            ...options,
            hotkey: "alt+shift+w",
            hotkeyOptions: { bypassEditableProtection: true },
            isAvailable: () => Boolean(current()?.call_id),
        });
    },
};

registry.category("services").add("mango_office.call_commands", callCommandsService);
registry.category("command_categories").add("mango_office", {}, { sequence: 40 });

/**
 * "call ivan" in the command palette searches like the dial pad.
 *
 * @param {import("@web/env").OdooEnv} env
 * @param {{ searchValue?: string }} options
 * @returns {Promise<Object[]>} commands
 */
async function provideCalls(env, { searchValue = "" }) {
    const calls = env.services["mango_office.call"];
    const [word, ...rest] = searchValue.trim().split(/\s+/);
    const term = rest.join(" ");
    if (!term || !calls.state.extension || word.toLowerCase() !== _t("call").toString()) {
        return [];
    }
    const found = await env.services.orm.silent.call("res.users", "mango_search", [
        [user.userId],
        term,
    ]);
    return found.map(({ name, number, dial, res_model, res_id }) => ({
        name: _t("Call %(name)s, %(number)s", { name, number }),
        category: "mango_office",
        action: () => calls.call(dial, { resModel: res_model, resId: res_id }),
    }));
}

registry.category("command_provider").add("mango_office.call", { provide: provideCalls });
