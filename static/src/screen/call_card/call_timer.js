import { Component, onWillUnmount, onWillUpdateProps, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { formatDuration } from "../../calls/duration_field/duration_field";

/** No call is longer: its end was lost. */
const DAY = 24 * 60 * 60; // seconds

/**
 * Seconds that go on counting, from those that the server has counted. So the clocks of
 * the browser, of Odoo and of the PBX need not agree. Beyond a day it says nothing.
 */
export class CallTimer extends Component {
    static template = "mango_office.CallTimer";
    static props = { seconds: Number };

    setup() {
        this.state = useState({ now: Date.now() });
        this.begin(this.props.seconds);
        onWillUpdateProps(({ seconds }) => {
            // Told anew, which also mends a computer that has slept.
            if (seconds !== this.props.seconds) {
                this.begin(seconds);
            }
        });
        const interval = browser.setInterval(() => (this.state.now = Date.now()), 1000);
        onWillUnmount(() => browser.clearInterval(interval));
    }

    begin(seconds) {
        this.startedAt = Date.now() - seconds * 1000;
        this.state.now = Date.now();
    }

    get text() {
        const seconds = Math.floor((this.state.now - this.startedAt) / 1000);
        return seconds < DAY ? formatDuration(seconds) : "";
    }
}
