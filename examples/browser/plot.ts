/// <reference lib="dom" />
/**
 * A line plot of the last minute, in SVG.
 */
import { draw, make } from "./dom.ts";

const WIDTH = 400;
const HEIGHT = 144;
const LEFT = 52;
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

/** Lines that move to the left with every sample. */
export class Plot {
  readonly #options: PlotOptions;
  readonly #series: (number | undefined)[][];
  readonly #lines: SVGElement[];
  readonly #values: HTMLElement[];
  readonly #labels: SVGElement[];
  readonly #svg: SVGElement;

  constructor(place: HTMLElement, options: PlotOptions) {
    this.#options = options;
    this.#series = options.lines.map(() => []);
    const classes = ["first", "second"];
    this.#lines = options.lines.map((_, index) =>
      draw("polyline", { class: classes[index] ?? "" })
    );
    this.#values = options.lines.map(() => make("span", {}, "–"));
    this.#labels = [0, 0.5, 1].map((part) =>
      draw("text", { x: LEFT - 6, y: this.#y(part) + 4, "text-anchor": "end" })
    );
    const grid = [0, 0.5, 1].map((part) =>
      draw("line", { class: "grid", x1: LEFT, x2: WIDTH, y1: this.#y(part), y2: this.#y(part) })
    );
    this.#svg = draw(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": options.title },
      ...grid,
      ...this.#labels,
      draw("text", { x: LEFT, y: HEIGHT - 4 }, options.since),
      draw("text", { x: WIDTH, y: HEIGHT - 4, "text-anchor": "end" }, "now"),
      ...this.#lines,
    );
    const legend = options.lines.map((name, index) =>
      make("span", { class: classes[index] ?? "" }, name, " ", this.#values[index] as HTMLElement)
    );
    place.replaceChildren(make("div", { class: "legend" }, ...legend), this.#svg);
    this.#draw();
  }

  /** The next sample of every line; undefined leaves a gap at its end. */
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

  /** 0 is the bottom, 1 the top. */
  #y(part: number): number {
    return TOP + (1 - part) * (HEIGHT - TOP - BOTTOM);
  }

  #draw(): void {
    const { points, text, title, lines } = this.#options;
    const all = this.#series.flat().filter((value) => value !== undefined);
    const top = roundUp(Math.max(...all, 1e-3) * 1.05);
    for (const [index, part] of [0, 0.5, 1].entries()) {
      const label = this.#labels[index];
      if (label !== undefined) label.textContent = all.length === 0 ? "" : text(top * part);
    }
    const said: string[] = [];
    for (const [index, series] of this.#series.entries()) {
      const step = (WIDTH - LEFT) / (points - 1);
      const first = WIDTH - (series.length - 1) * step;
      const places = series.map((value, at) =>
        value === undefined
          ? ""
          : `${(first + at * step).toFixed(1)},${this.#y(value / top).toFixed(1)}`
      );
      this.#lines[index]?.setAttribute("points", places.filter((place) => place !== "").join(" "));
      const last = series.findLast((value) => value !== undefined);
      const shown = last === undefined ? "–" : text(last);
      const value = this.#values[index];
      if (value !== undefined) value.textContent = shown;
      said.push(`${lines[index]} ${shown}`);
    }
    this.#svg.setAttribute("aria-label", `${title}: ${said.join(", ")}`);
  }
}
