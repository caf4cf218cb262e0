import { registry } from "@web/core/registry";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { LabelledListRenderer } from "../labelled_list/labelled_list";
import { useCallChanges } from "../../screen/call_service/call_changes";
import { useLiveRecord, useLiveRecords } from "../../screen/call_service/live_reload";

/** Return the call of a record, which is a call or a recording. */
function callIdOf({ data, resId, resModel }) {
    return resModel === "mango.call" ? resId : data.call_id.id;
}

/**
 * Keep a controller's records up to date during calls.
 *
 * The views have no sample data: a view that started with it would keep showing it.
 */
function useLiveCalls() {
    useCallChanges(useLiveRecords(callIdOf));
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

export class CallFormController extends FormController {
    setup() {
        super.setup();
        useCallChanges(useLiveRecord());
    }
}

const views = registry.category("views");
views.add("mango_call_form", { ...formView, Controller: CallFormController });
views.add("mango_call_list", {
    ...listView,
    Controller: CallListController,
    Renderer: LabelledListRenderer,
});
views.add("mango_call_kanban", { ...kanbanView, Controller: CallKanbanController });
