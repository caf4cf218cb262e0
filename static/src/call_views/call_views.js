import { onWillUnmount, useComponent } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";

/** A call changes several times within a second; the log is read again once. */
const RELOAD_DELAY = 200; // milliseconds

/**
 * Keep a controller's records up to date while calls go on that the user may see.
 *
 * The views have no sample data: a view that began with some keeps looking empty.
 */
function useLiveCalls() {
    const controller = useComponent();
    const calls = useService("mango_office.call");
    const reload = useDebounced(() => {
        // Reading again would drop what the user has selected.
        if (!controller.model.root.selection?.length) {
            return controller.model.load();
        }
    }, RELOAD_DELAY);
    useBus(calls.bus, "changed", reload);
    if (calls.isSupervisor) {
        // Colleagues' calls, too.
        onWillUnmount(calls.watchAll(reload));
    }
}

export class CallListController extends ListController {
    setup() {
        super.setup();
        useLiveCalls();
    }
}

export class CallKanbanController extends KanbanController {
    setup() {
        super.setup();
        useLiveCalls();
    }
}

registry.category("views").add("mango_call_list", { ...listView, Controller: CallListController });
registry
    .category("views")
    .add("mango_call_kanban", { ...kanbanView, Controller: CallKanbanController });
