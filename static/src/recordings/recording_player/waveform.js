import { browser } from "@web/core/browser/browser";

/** Decoding needs memory and time for the whole recording, so large ones are skipped. */
const LARGEST_SIZE = 4 * 1024 * 1024; // bytes
const LONGEST_DURATION = 15 * 60; // seconds
const SAMPLE_RATE = 8000; // of telephony, and the lowest that all browsers support
const BARS = 160;

/** @param {import("./recording_service").Recording} recording */
export function canDraw({ size, duration }) {
    const isKnown = size > 0 && duration > 0;
    return isKnown && size <= LARGEST_SIZE && duration <= LONGEST_DURATION;
}

/**
 * Compute the waveform of a recording.
 *
 * @param {string} url of the audio
 * @returns {Promise<number[]>} from 0 to 1; empty if it cannot be read
 */
export async function readPeaks(url) {
    try {
        const answer = await browser.fetch(url);
        if (!answer.ok) {
            return [];
        }
        const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
        const audio = await context.decodeAudioData(await answer.arrayBuffer());
        return findPeaks(audio.getChannelData(0), BARS);
    } catch {
        return []; // The progress bar does not need it.
    }
}

/**
 * @param {Float32Array} samples from -1 to 1
 * @param {number} count number of peaks
 * @returns {number[]} the maximum of each part, relative to the overall maximum
 */
export function findPeaks(samples, count) {
    const length = Math.max(Math.ceil(samples.length / count), 1);
    const peaks = [];
    for (let start = 0; start < samples.length; start += length) {
        let peak = 0;
        for (let at = start; at < Math.min(start + length, samples.length); at++) {
            peak = Math.max(peak, Math.abs(samples[at]));
        }
        peaks.push(peak);
    }
    const loudest = Math.max(...peaks, 0);
    return loudest ? peaks.map((peak) => peak / loudest) : [];
}

/**
 * @param {number[]} peaks
 * @returns {string} SVG path of height 2 with a bar for each peak
 */
export function drawPeaks(peaks) {
    return peaks
        .map((peak, at) => {
            const half = Math.max(peak, 0.04); // so that silence is visible
            return `M${at + 0.5},${(1 - half).toFixed(3)}V${(1 + half).toFixed(3)}`;
        })
        .join("");
}
