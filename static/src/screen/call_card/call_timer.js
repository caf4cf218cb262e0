import { Component, onWillDestroy, onWillUpdateProps, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { formatDuration } from "../../calls/duration_field/duration_field";

/** No call takes longer; its end was not reported. */
const DAY = 24 * 60 * 60; // seconds

/**
 * Counts on from the number of seconds given by the server, so that the clocks of browser
 * and server need not agree. Empty after a day.
 */
export class CallTimer extends Component {
    static template = "mango_office.CallTimer";
    static props = { seconds: Number };

    setup() {
        this.state = useState({ now: Date.now() });
        this.begin(this.props.seconds);
        onWillUpdateProps(({ seconds }) => {
            // The server's value wins, for instance after the computer slept.
            if (seconds !== this.props.seconds) {
                this.begin(seconds);
            }
        });
        const interval = browser.setInterval(() => (this.state.now = Date.now()), 1000);
        onWillDestroy(() => browser.clearInterval(interval));
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
