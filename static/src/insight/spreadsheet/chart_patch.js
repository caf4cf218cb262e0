import { ChartDataSource } from "@spreadsheet/chart/data_source/chart_data_source";
import { OdooChart } from "@spreadsheet/chart/odoo_chart/odoo_chart";
import { patch } from "@web/core/utils/patch";

// Odoo assigns the colors of a chart to its series in the order of the data. If the `metaData` of a
// chart have `colors`, each value of its last group gets its own color instead, and the bars are
// stacked in the order of `colors`.

/** The value of the last group that a series stands for, as text; its bars' domains contain it. */
const valueOf = ({ domains }, field) => {
    const isValue = (term) => Array.isArray(term) && term[0] === field && term[1] === "=";
    return String(domains.flat().find(isValue)?.[2]);
};

patch(ChartDataSource.prototype, {
    async _load() {
        await super._load();
        const { colors, groupBy } = this._metaData;
        if (colors) {
            const values = Object.keys(colors);
            const place = (series) => values.indexOf(valueOf(series, groupBy.at(-1)));
            this._model.data.datasets.sort((a, b) => place(a) - place(b));
        }
    },
});

patch(OdooChart.prototype, {
    get dataSets() {
        const { colors, groupBy } = this.metaData;
        if (!colors || !this.dataSource?.isReady()) {
            return super.dataSets;
        }
        const { datasets } = this.dataSource.getData();
        return super.dataSets.map((dataSet, index) => ({
            ...dataSet,
            backgroundColor: colors[valueOf(datasets[index], groupBy.at(-1))],
        }));
    },
});
