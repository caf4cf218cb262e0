import { describe, expect, test } from "@odoo/hoot";
import { createSpreadsheetWithChart } from "@spreadsheet/../tests/helpers/chart";
import { defineSpreadsheetModels, Partner } from "@spreadsheet/../tests/helpers/data";
import { waitForDataLoaded } from "@spreadsheet/helpers/model";

describe.current.tags("headless");
defineSpreadsheetModels();

const GREEN = "#00FF00";
const RED = "#FF0000";
/** By the value of `bar`. */
const COLORS = { true: GREEN, false: RED };

/** The colours of the series, in their order. */
async function colorsOf(records, metaData) {
    Partner._records = records.map(([product_id, bar], index) => ({
        id: index + 1,
        product_id,
        bar,
    }));
    const definition = {
        metaData: {
            groupBy: ["product_id", "bar"],
            measure: "__count",
            order: null,
            resModel: "partner",
            ...metaData,
        },
    };
    const { model } = await createSpreadsheetWithChart({ type: "odoo_bar", definition });
    const [chartId] = model.getters.getChartIds(model.getters.getActiveSheetId());
    // The first question makes the data be loaded.
    model.getters.getChartRuntime(chartId);
    await waitForDataLoaded(model);
    const { datasets } = model.getters.getChartRuntime(chartId).chartJsConfig.data;
    return datasets.map(({ backgroundColor }) => backgroundColor);
}

test("a colour means a value, whichever comes first", async () => {
    const falseFirst = [
        [37, false],
        [41, true],
    ];
    expect(await colorsOf(falseFirst, { colors: COLORS })).toEqual([GREEN, RED]);
});

test("a colour means a value, whichever is missing", async () => {
    expect(await colorsOf([[37, false]], { colors: COLORS })).toEqual([RED]);
});

test("other charts are as Odoo makes them", async () => {
    const colors = await colorsOf([[37, false]], {});
    expect(colors).toHaveLength(1);
    expect(colors).not.toInclude(RED);
});
