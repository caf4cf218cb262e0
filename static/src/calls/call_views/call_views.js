import { useComponent } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useDebounced } from "@web/core/utils/timing";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { LabelledListRenderer } from "../labelled_list/labelled_list";
import { useCallChanges } from "../../screen/call_service/call_changes";

/** A call changes several times within a second; the log is read again once. */
const RELOAD_DELAY = 200; // milliseconds

/** Rows are calls or their recordings. */
function callIdOf({ data, resId, resModel }) {
    return resModel === "mango.call" ? resId : data.call_id.id;
}

/**
 * Keep a controller's records up to date while calls go on that the user may see.
 *
 * The views have no sample data: a view that began with some keeps looking empty.
 */
function useLiveCalls() {
    const controller = useComponent();
    const changed = new Set();
    const reload = useDebounced(() => {
        const { root } = controller.model;
        const records = root.records.filter((record) => changed.has(callIdOf(record)));
        changed.clear();
        if (!root.selection?.length) {
            return controller.model.load();
        }
        // Reading all again would drop what the user has selected.
        return Promise.all(records.map((record) => record.load()));
    }, RELOAD_DELAY);
    useCallChanges((callId) => {
        changed.add(callId);
        reload();
    });
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

const views = registry.category("views");
views.add("mango_call_list", {
    ...listView,
    Controller: CallListController,
    Renderer: LabelledListRenderer,
});
views.add("mango_call_kanban", { ...kanbanView, Controller: CallKanbanController });
