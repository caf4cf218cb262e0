import { registry } from "@web/core/registry";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";

/** A list that says of the figures below it whether they are a sum or an average. */
export class LabelledListRenderer extends ListRenderer {
    static template = "mango_office.LabelledListRenderer";
}

registry.category("views").add("mango_list", { ...listView, Renderer: LabelledListRenderer });
