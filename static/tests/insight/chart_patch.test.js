import { describe, expect, test } from "@odoo/hoot";
import { createSpreadsheetWithChart } from "@spreadsheet/../tests/helpers/chart";
import { defineSpreadsheetModels, Partner } from "@spreadsheet/../tests/helpers/data";
import { waitForDataLoaded } from "@spreadsheet/helpers/model";
import { fields } from "@web/../tests/web_test_helpers";

describe.current.tags("headless");
defineSpreadsheetModels();

const COLORS = { answered: "#00FF00", missed: "#FF0000", busy: "#0000FF" };

/** The series of a chart by result, with their colours. */
async function seriesOf(records, metaData) {
    Partner._fields.result = fields.Selection({
        selection: [
            ["answered", "Answered"],
            ["busy", "Busy"],
            ["missed", "Missed"],
        ],
    });
    Partner._records = records.map(([name, result], index) => ({ id: index + 1, name, result }));
    const definition = {
        metaData: {
            groupBy: ["name", "result"],
            measure: "__count",
            order: null,
            resModel: "partner",
            ...metaData,
        },
    };
    const { model } = await createSpreadsheetWithChart({ type: "odoo_bar", definition });
    const sheetId = model.getters.getActiveSheetId();
    const [chartId] = model.getters.getChartIds(sheetId);
    await waitForDataLoaded(model);
    return model.getters
        .getChartRuntime(chartId)
        .chartJsConfig.data.datasets.map(({ label, backgroundColor }) => [label, backgroundColor]);
}

test("a colour means a value, whichever comes first and whichever is missing", async () => {
    const missedFirst = [
        ["1", "missed"],
        ["2", "answered"],
    ];
    expect(await seriesOf(missedFirst, { colors: COLORS })).toEqual([
        ["Answered", "#00FF00"],
        ["Missed", "#FF0000"],
    ]);
});

test("a series that began later than the first bar", async () => {
    const busyLast = [
        ["1", "answered"],
        ["2", "busy"],
        ["2", "missed"],
    ];
    expect(await seriesOf(busyLast, { colors: COLORS })).toEqual([
        ["Answered", "#00FF00"],
        ["Missed", "#FF0000"],
        ["Busy", "#0000FF"],
    ]);
});

test("other charts are as Odoo makes them", async () => {
    const missedFirst = [
        ["1", "missed"],
        ["2", "answered"],
    ];
    const series = await seriesOf(missedFirst, {});
    expect(series.map(([label]) => label)).toEqual(["Missed", "Answered"]);
    expect(series.map(([, color]) => color)).not.toInclude("#FF0000");
});
