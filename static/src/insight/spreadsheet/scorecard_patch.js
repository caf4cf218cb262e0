import * as spreadsheet from "@odoo/o-spreadsheet";
import { SEE_RECORDS_PIVOT, SEE_RECORDS_PIVOT_VISIBLE } from "@spreadsheet/pivot/pivot_actions";
import { patch } from "@web/core/utils/patch";

// A scorecard without a menu opens the records it was computed from, with the dashboard's
// filters, like a cell with the same formula.
patch(spreadsheet.components.ScorecardChart.prototype, {
    /** @returns {Object | undefined} the cell of the figure, if it is computed from records */
    get recordsPosition() {
        const { getters } = this.env.model;
        const { keyValue } = getters.getChartDefinition(this.props.chartId);
        if (!keyValue || this.hasOdooMenu || !this.env.isDashboard()) {
            return undefined;
        }
        const { sheetId, zone } = getters.getRangeFromSheetXC(getters.getActiveSheetId(), keyValue);
        const position = { sheetId, col: zone.left, row: zone.top };
        return SEE_RECORDS_PIVOT_VISIBLE(position, getters) ? position : undefined;
    },
    async onClick() {
        const position = this.recordsPosition;
        if (!position) {
            return super.onClick();
        }
        await SEE_RECORDS_PIVOT(position, this.env, false);
    },
});
