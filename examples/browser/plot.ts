/// <reference lib="dom" />
/**
 * A line plot of the last minute, in SVG.
 */
import { draw, make } from "./dom.ts";

/** Units of the drawing are pixels; it is as wide as its place. */
const HEIGHT = 144;
const LEFT = 64;
const TOP = 8;
const BOTTOM = 20;

/** What a plot shows. */
export interface PlotOptions {
  /** For those who do not see it. */
  readonly title: string;
  /** One line each. */
  readonly lines: readonly string[];
  /** Points from the left to the right edge. */
  readonly points: number;
  /** What the left edge is. */
  readonly since: string;
  readonly text: (value: number) => string;
}

/** 1, 2 or 5 times a power of ten, at least `value`. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((step) => step * power >= value) ?? 10;
  return factor * power;
}

const GRID: readonly number[] = [0, 0.5, 1];
const CLASSES: readonly string[] = ["first", "second"];

/** 0 is the bottom, 1 the top. */
function heightOf(part: number): number {
  return TOP + (1 - part) * (HEIGHT - TOP - BOTTOM);
}

/** Lines that move to the left with every sample. */
export class Plot {
  readonly #options: PlotOptions;
  readonly #series: (number | undefined)[][];
  readonly #values: HTMLElement[];
  readonly #svg = draw("svg", { role: "img", height: HEIGHT });
  #width = 0;

  constructor(place: HTMLElement, options: PlotOptions) {
    this.#options = options;
    this.#series = options.lines.map(() => []);
    this.#values = options.lines.map(() => make("span"));
    const legend = this.#values.map((value, index) =>
      make("span", { class: CLASSES[index] ?? "" }, `${options.lines[index]} `, value)
    );
    place.replaceChildren(make("div", { class: "legend" }, ...legend), this.#svg);
    new ResizeObserver(() => {
      this.#width = this.#svg.clientWidth;
      this.#draw();
    }).observe(place);
  }

  /** The next sample of every line; undefined is left out. */
  add(...values: readonly (number | undefined)[]): void {
    for (const [index, line] of this.#series.entries()) {
      line.push(values[index]);
      if (line.length > this.#options.points) line.shift();
    }
    this.#draw();
  }

  clear(): void {
    for (const line of this.#series) line.length = 0;
    this.#draw();
  }

  #draw(): void {
    const width = Math.max(this.#width, 2 * LEFT);
    const { text, title, lines, since } = this.#options;
    const all = this.#series.flat().filter((value) => value !== undefined);
    const top = roundUp(Math.max(...all, 1e-3) * 1.05);
    const grid = GRID.flatMap((part) => {
      const y = heightOf(part);
      const label = all.length === 0 ? "" : part === 0 ? "0" : text(top * part);
      return [
        draw("line", { class: "grid", x1: LEFT, x2: width, y1: y, y2: y }),
        draw("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, label),
      ];
    });
    const said = this.#series.map((series, index) => {
      const last = series.findLast((value) => value !== undefined);
      const shown = last === undefined ? "–" : text(last);
      this.#values[index]?.replaceChildren(shown);
      return `${lines[index]} ${shown}`;
    });
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.#svg.setAttribute("aria-label", `${title}: ${said.join(", ")}`);
    this.#svg.replaceChildren(
      ...grid,
      draw("text", { x: LEFT, y: HEIGHT - 4 }, since),
      draw("text", { x: width, y: HEIGHT - 4, "text-anchor": "end" }, "now"),
      ...this.#series.map((series, index) => this.#line(series, index, width, top)),
    );
  }

  #line(
    series: readonly (number | undefined)[],
    index: number,
    width: number,
    top: number,
  ): SVGElement {
    const step = (width - LEFT) / (this.#options.points - 1);
    const first = width - (series.length - 1) * step;
    const places: string[] = [];
    for (const [at, value] of series.entries()) {
      if (value === undefined) continue;
      places.push(`${(first + at * step).toFixed(1)},${heightOf(value / top).toFixed(1)}`);
    }
    return draw("polyline", { class: CLASSES[index] ?? "", points: places.join(" ") });
  }
}
