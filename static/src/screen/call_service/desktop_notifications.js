import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";

const CALLING_PHASES = ["greeting", "ringing"];

/**
 * Desktop notifications of incoming calls while the page is hidden.
 *
 * Chrome on Android requires a service worker; without one, there is only the card.
 */
export class DesktopNotifications {
    constructor() {
        /** @type {Map<string, { close: Function }>} by the card's key */
        this.shown = new Map();
    }

    /** Whether the user can still be asked for the permission. */
    get canAsk() {
        return browser.Notification?.permission === "default";
    }

    /** Ask for the permission; browsers require a click for it. */
    async ask() {
        await browser.Notification.requestPermission();
    }

    /**
     * @param {Object} card the new state
     * @param {Object} [before] the previous state
     */
    follow(card, before) {
        const isCalling = CALLING_PHASES.includes(card.phase) && !card.leaves;
        if (!isCalling) {
            this.close(card.key);
        } else if (!before && document.hidden && browser.Notification?.permission === "granted") {
            this.show(card);
        }
    }

    show(card) {
        const details = [card.number !== card.name && card.number, card.lead && card.lead.name];
        const isAsked = card.about === "asked";
        const title = isAsked ? card.message : _t("%s is calling", card.name);
        const body = isAsked ? [card.name, ...details] : details;
        const options = {
            body: body.filter(Boolean).join(" · "),
            icon: (card.partner && card.partner.avatar) || undefined,
            // One notification for all tabs.
            tag: `mango-office-${card.key}`,
        };
        try {
            this.shown.set(card.key, this.showByPage(title, options));
        } catch {
            this.shown.set(card.key, this.showByWorker(title, options));
        }
    }

    showByPage(title, options) {
        const notification = new browser.Notification(title, options);
        notification.addEventListener("click", () => {
            window.focus();
            notification.close();
        });
        return notification;
    }

    showByWorker(title, options) {
        const notifications = tellByWorker(title, options).catch(() => []);
        return {
            async close() {
                (await notifications).forEach((notification) => notification.close());
            },
        };
    }

    close(key) {
        this.shown.get(key)?.close();
        this.shown.delete(key);
    }
}

/**
 * @returns {Promise<Notification[]>} empty without a service worker
 */
async function tellByWorker(title, options) {
    const registration = await browser.navigator.serviceWorker?.getRegistration();
    if (!registration) {
        return [];
    }
    await registration.showNotification(title, options);
    return registration.getNotifications({ tag: options.tag });
}
