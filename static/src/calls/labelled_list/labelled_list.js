import { registry } from "@web/core/registry";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";

/** A list that labels the totals in its footer as sum or average. */
export class LabelledListRenderer extends ListRenderer {
    static template = "mango_office.LabelledListRenderer";
}

registry.category("views").add("mango_list", { ...listView, Renderer: LabelledListRenderer });
