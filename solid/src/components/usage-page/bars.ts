import uPlot from "uplot";

/** What a chart of bars shows. The series are drawn in their order, each over the one before. */
export interface Bars {
  /** The height of each bar, by series. */
  readonly values: readonly (readonly number[])[];
  /** What stands under a bar. */
  readonly name: (index: number) => string;
  /** What stands beside a line of the grid. */
  readonly scale: (value: number) => string;
}

/** The colours of a chart, asked for at every drawing: the page's theme may have changed. */
export interface Colors {
  readonly series: readonly string[];
  readonly text: string;
  readonly line: string;
}

export interface BarsChart {
  show(bars: Bars): void;
  resize(width: number, height: number): void;
  /** Marks a bar, or none. */
  mark(index: number | undefined): void;
  redraw(): void;
  destroy(): void;
}

const FONT = "12px system-ui, sans-serif";

/** Draws bars into an element. `onHover` hears which bar the pointer is at. */
export function drawBars(target: HTMLElement, first: Bars, colors: () => Colors, onHover: (index: number | undefined) => void): BarsChart {
  let bars = first;
  const fill = (index: number) => () => colors().series[index] ?? "";
  const axis: uPlot.Axis = { font: FONT, stroke: () => colors().text };
  const paths = uPlot.paths.bars?.({ size: [0.72, 44], radius: 0.12 });
  const plot = new uPlot(
    {
      width: Math.max(1, target.clientWidth),
      height: Math.max(1, target.clientHeight),
      padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: () => [-0.5, Math.max(0.5, count(bars) - 0.5)] },
        y: { range: (_, __, max) => [0, max > 0 ? max * 1.05 : 1] },
      },
      series: [{}, ...first.values.map((_, index): uPlot.Series => ({ fill: fill(index), width: 0, points: { show: false }, ...(paths ? { paths } : {}) }))],
      axes: [
        {
          ...axis,
          grid: { show: false },
          ticks: { show: false },
          size: 26,
          gap: 4,
          space: 64,
          incrs: [1, 2, 3, 4, 6, 7, 10, 14],
          values: (_, splits) => splits.map((at) => (Number.isInteger(at) && at >= 0 && at < count(bars) ? bars.name(at) : "")),
        },
        {
          ...axis,
          grid: { stroke: () => colors().line, width: 1 },
          ticks: { show: false },
          size: (_, values) => 14 + Math.max(0, ...(values ?? []).map((text) => text.length)) * 6.5,
          gap: 6,
          space: 36,
          values: (_, splits) => splits.map((value) => bars.scale(value)),
        },
      ],
      hooks: { setCursor: [(self) => onHover(self.cursor.idx ?? undefined)] },
    },
    data(first),
    target,
  );
  return {
    show(next) {
      bars = next;
      plot.setData(data(next));
    },
    resize: (width, height) => plot.setSize({ width: Math.max(1, width), height: Math.max(1, height) }),
    mark: (index) => plot.setCursor(index === undefined ? { left: -10, top: -10 } : { left: plot.valToPos(index, "x"), top: 10 }, false),
    redraw: () => plot.redraw(false, true),
    destroy: () => plot.destroy(),
  };
}

function count(bars: Bars): number {
  return bars.values[0]?.length ?? 0;
}

function data(bars: Bars): uPlot.AlignedData {
  return [Array.from({ length: count(bars) }, (_, index) => index), ...bars.values.map((values) => [...values])];
}
