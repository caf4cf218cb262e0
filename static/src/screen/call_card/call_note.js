import {
    Component,
    onWillUnmount,
    onWillUpdateProps,
    useExternalListener,
    useState,
} from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";

const SAVE_DELAY = 400; // milliseconds after the last key
const RETRY_DELAY = 5000;

/**
 * The note of a call, saved while the user is typing.
 *
 * Until the server has confirmed it, it is also kept in the browser, so that it survives
 * a crash or a lost connection. The server merges what others write meanwhile; for that,
 * it also gets the text that the user started from.
 */
export class CallNote extends Component {
    static template = "mango_office.CallNote";
    static props = {
        callId: Number,
        note: String,
        save: Function, // (note, base) -> Promise of the stored note
    };

    setup() {
        const draft = this.readDraft();
        this.base = draft ? draft.base : this.props.note;
        this.isDirty = Boolean(draft);
        this.saving = null;
        this.state = useState({ text: draft ? draft.text : this.props.note, status: "" });
        if (draft) {
            this.saveSoon(0);
        }
        onWillUpdateProps(({ note }) => this.take(note));
        onWillUnmount(() => this.flush());
        useExternalListener(window, "pagehide", () => this.flush());
    }

    // -- changes by others --------------------------------------------------------

    take(note) {
        if (!this.isDirty && !this.saving) {
            this.base = note;
            this.state.text = note;
        }
    }

    // -- typing and saving ----------------------------------------------------------

    onInput(ev) {
        this.state.text = ev.target.value;
        this.isDirty = true;
        this.state.status = "saving";
        this.keepDraft();
        this.saveSoon(SAVE_DELAY);
    }

    saveSoon(delay) {
        browser.clearTimeout(this.timer);
        this.timer = browser.setTimeout(() => this.flush(), delay);
    }

    /** Save the unsaved text, one request at a time. */
    async flush() {
        browser.clearTimeout(this.timer);
        if (!this.isDirty || this.saving) {
            return;
        }
        this.saving = this.save(this.state.text);
        await this.saving;
        this.saving = null;
        if (this.isDirty && this.state.status !== "failed") {
            this.flush();
        }
    }

    async save(text) {
        this.state.status = "saving";
        let stored;
        try {
            stored = await this.props.save(text, this.base);
        } catch {
            this.state.status = "failed";
            this.saveSoon(RETRY_DELAY);
            return;
        }
        if (this.state.text !== text) {
            // Changed meanwhile: the next request saves the rest.
            this.base = text;
            return;
        }
        this.base = stored;
        this.state.text = stored;
        this.isDirty = false;
        this.state.status = "saved";
        browser.localStorage.removeItem(this.draftKey);
    }

    get statusText() {
        return {
            "": "",
            saving: _t("Saving…"),
            saved: _t("Saved"),
            failed: _t("Not saved yet; kept in this browser"),
        }[this.state.status];
    }

    // -- the copy in the browser -------------------------------------------------------

    get draftKey() {
        return `mango_office.note.${user.userId}.${this.props.callId}`;
    }

    keepDraft() {
        const draft = { text: this.state.text, base: this.base };
        browser.localStorage.setItem(this.draftKey, JSON.stringify(draft));
    }

    readDraft() {
        try {
            return JSON.parse(browser.localStorage.getItem(this.draftKey));
        } catch {
            return null;
        }
    }
}
