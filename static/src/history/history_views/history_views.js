import { onMounted, onWillDestroy, useComponent } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { useLiveReload } from "../../screen/call_service/live_reload";

/**
 * Keep a controller's records up to date while the user's imports are running.
 *
 * @param {(controller: Object, id: number) => boolean} concerns whether it shows an import
 */
function useLiveFetches(concerns) {
    const controller = useComponent();
    const bus = useService("bus_service");
    const reloadSoon = useLiveReload(() => controller.model.load());
    const onProgress = ({ id }) => {
        if (concerns(controller, id)) {
            reloadSoon();
        }
    };
    bus.subscribe("mango_office/history", onProgress);
    onWillDestroy(() => bus.unsubscribe("mango_office/history", onProgress));
}

export class HistoryFormController extends FormController {
    setup() {
        super.setup();
        useLiveFetches((controller, id) => controller.model.root.resId === id);
    }
}

export class HistoryListController extends ListController {
    setup() {
        super.setup();
        useLiveFetches((controller) => !controller.model.root.selection?.length);
    }
}

/** Focuses the button, because the calendar of a focused date would cover the dialog. */
export class HistoryStartController extends FormController {
    setup() {
        super.setup();
        onMounted(() => {
            const dialog = this.rootRef.el?.closest(".modal");
            dialog?.querySelector(".modal-footer .btn-primary")?.focus();
        });
    }
}

const views = registry.category("views");
views.add("mango_statistics_import_form", { ...formView, Controller: HistoryFormController });
views.add("mango_statistics_import_list", { ...listView, Controller: HistoryListController });
views.add("mango_history_start_form", { ...formView, Controller: HistoryStartController });
