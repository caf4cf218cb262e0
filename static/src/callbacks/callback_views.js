import { onWillDestroy } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { LabelledListRenderer } from "../calls/labelled_list/labelled_list";
import { useLiveRecord, useLiveRecords } from "../screen/call_service/live_reload";

/**
 * Call back on each change of an entry that the user may see.
 *
 * @param {(id: number | undefined) => void} onChange called without an id if the entry is unknown
 */
function useCallbackChanges(onChange) {
    const calls = useService("mango_office.call");
    useBus(calls.bus, "callback", ({ detail }) => onChange(detail.id));
    // One of the user's own calls may be with a client who waits.
    useBus(calls.bus, "changed", () => onChange());
    if (calls.isSupervisor) {
        onWillDestroy(calls.watchAll(() => onChange()));
    }
}

export class CallbackListController extends ListController {
    setup() {
        super.setup();
        useCallbackChanges(useLiveRecords());
    }
}

export class CallbackKanbanController extends KanbanController {
    setup() {
        super.setup();
        useCallbackChanges(useLiveRecords());
    }
}

export class CallbackFormController extends FormController {
    setup() {
        super.setup();
        useCallbackChanges(useLiveRecord());
    }
}

const views = registry.category("views");
views.add("mango_callback_list", {
    ...listView,
    Controller: CallbackListController,
    Renderer: LabelledListRenderer,
});
views.add("mango_callback_kanban", { ...kanbanView, Controller: CallbackKanbanController });
views.add("mango_callback_form", { ...formView, Controller: CallbackFormController });
