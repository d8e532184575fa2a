// PNG files in few colours: a page has hundreds, most of them shades at the edges of letters, and 256 of them do.

import { decode, encode } from "fast-png";

/** The first bits of each channel by which colours are told apart; what is left out, at most 7 of 255, cannot be seen. */
const BITS = 5;
const COLOURS = 256;

/** A picture of RGBA: `{ width, height, data }`. */
export function readPng(bytes) {
  const { width, height, channels, palette, data } = decode(bytes);
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    if (palette !== undefined) rgba.set(palette[data[pixel]].slice(0, 3), pixel * 4);
    else rgba.set(data.subarray(pixel * channels, pixel * channels + 3), pixel * 4);
  }
  return { width, height, data: rgba };
}

/** Each colour becomes the one that is the most frequent of those with the same first bits, or is nearest to it. */
export function writePng({ width, height, data }) {
  const counts = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const colour = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const palette = new Map();
  const places = new Map();
  for (const [colour] of [...counts].toSorted(([a, x], [b, y]) => y - x || a - b)) {
    const key = channels(colour).reduce((sum, value) => (sum << BITS) | (value >> (8 - BITS)), 0);
    if (!palette.has(key) && palette.size < COLOURS) palette.set(key, { place: palette.size, colour });
    places.set(colour, palette.get(key)?.place ?? nearest(palette, colour));
  }
  const indices = new Uint8Array(width * height);
  for (let at = 0; at < data.length; at += 4) indices[at / 4] = places.get((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
  return encode({ width, height, data: indices, depth: 8, channels: 1, palette: [...palette.values()].map(({ colour }) => channels(colour)) }, { zlib: { level: 9 } });
}

const channels = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];

function nearest(palette, colour) {
  const to = channels(colour);
  const distance = (other) => channels(other.colour).reduce((sum, value, at) => sum + (value - to[at]) ** 2, 0);
  return [...palette.values()].reduce((best, other) => (distance(other) < distance(best) ? other : best)).place;
}
