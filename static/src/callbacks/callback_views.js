import { onWillUnmount, useComponent } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { LabelledListRenderer } from "../calls/labelled_list/labelled_list";

/** An entry may change several times within a second; it is read again once. */
const RELOAD_DELAY = 200; // milliseconds

/** Follow the entries of clients who wait while they are shown. */
function useLiveCallbacks(reload) {
    const calls = useService("mango_office.call");
    const reloadSoon = useDebounced(reload, RELOAD_DELAY);
    useBus(calls.bus, "callback", reloadSoon);
    if (calls.isSupervisor) {
        onWillUnmount(calls.watchAll(reloadSoon));
    }
}

function useLiveRecords() {
    const controller = useComponent();
    useLiveCallbacks(() => {
        const { root } = controller.model;
        // Reading all again would drop what the user has selected.
        return root.selection?.length
            ? Promise.all(root.records.map((record) => record.load()))
            : controller.model.load();
    });
}

export class CallbackListController extends ListController {
    setup() {
        super.setup();
        useLiveRecords();
    }
}

export class CallbackKanbanController extends KanbanController {
    setup() {
        super.setup();
        useLiveRecords();
    }
}

export class CallbackFormController extends FormController {
    setup() {
        super.setup();
        useLiveCallbacks(async () => {
            const { root } = this.model;
            // What is being typed stays.
            if (root.resId && !(await root.isDirty())) {
                await root.load();
            }
        });
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
