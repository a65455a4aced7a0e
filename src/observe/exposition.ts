/**
 * Metrics in the text format that Prometheus scrapes (version 0.0.4).
 *
 * @module
 */

/** What tells series of one metric apart. */
export type MetricLabels = Readonly<Record<string, string>>;

/** One series. */
export interface MetricSample {
  /** Behind the metric's name: `_bucket`, `_sum`, `_count` of histograms. */
  readonly suffix?: string;
  /** Their names are `[a-zA-Z_][a-zA-Z0-9_]*`. */
  readonly labels: MetricLabels;
  /** Any number. */
  readonly value: number;
}

/** One metric. */
export interface MetricFamily {
  /** `[a-zA-Z_:][a-zA-Z0-9_:]*` */
  readonly name: string;
  /** One line for people. */
  readonly help: string;
  /** What the numbers mean. */
  readonly type: "counter" | "gauge" | "histogram";
  /** Series, those of a histogram with their buckets in ascending order. */
  readonly samples: readonly MetricSample[];
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

/** The text; families without series are left out. */
export function expositionText(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, help, type, samples } of families) {
    if (samples.length === 0) continue;
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`);
    for (const { suffix = "", labels, value } of samples) {
      const pairs = Object.entries(labels).map(([label, text]) =>
        `${label}="${escapeValue(text)}"`
      );
      const braces = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
      lines.push(`${name}${suffix}${braces} ${numberText(value)}`);
    }
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
