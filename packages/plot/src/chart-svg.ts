import { line } from 'd3-shape';
import { xAxis, yAxis } from './axes.ts';
import type { Axis } from './axes.ts';
import type { Chart, Series } from './chart.ts';
import { element, escaped, text } from './svg.ts';

/** M. Okabe, K. Ito, "Color universal design", 2008, without the yellow, which is pale on white. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000'];
/** Lines beyond the seventh have a colour again, and are dashed. */
const DASHES = ['', '7 4', '2 3'];

const HEIGHT_MIN = 460;
const PAPER = 620;
const LEFT = 78;
const TOP = 64;
const BOTTOM = 62;
const LEGEND_ROW = 20;
const FONT = 12;
/** Of a character of a sans-serif font, as a part of its size: generous. */
const CHARACTER = 0.58;
/** Points that are so many are seen as a line. */
const DOTS_MAX = 40;

/** The chart as an SVG file. The same chart gives the same text. */
export function chartSvg(chart: Chart): string {
  const { title, subtitle, x, y, series, legend = '' } = chart;
  const names = series.length > 1 ? [legend, ...series.map(({ name }) => name)] : [];
  const legendWidth = names.length === 0 ? 24 : 60 + Math.max(...names.map(widthOf));
  const height = Math.max(HEIGHT_MIN, TOP + BOTTOM + names.length * LEGEND_ROW);
  const width = LEFT + PAPER + legendWidth;
  const bottom = height - BOTTOM;
  const across = xAxis(x, series, LEFT, LEFT + PAPER);
  const up = yAxis(series, bottom, TOP);
  const inner = [
    element('title', {}, escaped(title)),
    element('rect', { width, height, fill: '#ffffff' }),
    text(title, { x: LEFT, y: 26, 'font-size': 16, 'font-weight': 'bold' }),
    subtitle === undefined ? '' : text(subtitle, { x: LEFT, y: 46, 'font-size': 11, fill: '#555555' }),
    ...gridOf(up, across, bottom),
    text(x.label, { x: LEFT + PAPER / 2, y: height - 16, 'text-anchor': 'middle', 'font-size': FONT + 1 }),
    text(y.label, {
      transform: `translate(20 ${(TOP + bottom) / 2}) rotate(-90)`,
      'text-anchor': 'middle',
      'font-size': FONT + 1,
    }),
    ...series.flatMap((each, i) => lineOf(each, i, across, up)),
    ...legendOf(names, LEFT + PAPER + 20),
  ];
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'font-family': 'Helvetica, Arial, "DejaVu Sans", sans-serif',
    'font-size': FONT,
    fill: '#222222',
  };
  return `${element('svg', attributes, ...inner)}\n`;
}

const widthOf = (name: string): number => Math.ceil(name.length * FONT * CHARACTER);

function gridOf(up: Axis, across: Axis, bottom: number): string[] {
  const right = LEFT + PAPER;
  return [
    ...up.ticks.flatMap((tick) => [
      element('line', { x1: LEFT, x2: right, y1: tick.at, y2: tick.at, stroke: '#e2e2e2' }),
      text(tick.text, { x: LEFT - 8, y: tick.at + 4, 'text-anchor': 'end' }),
    ]),
    ...across.ticks.flatMap((tick) => [
      element('line', { x1: tick.at, x2: tick.at, y1: bottom, y2: bottom + 5, stroke: '#222222' }),
      text(tick.text, { x: tick.at, y: bottom + 20, 'text-anchor': 'middle' }),
    ]),
    element('line', { x1: LEFT, x2: right, y1: bottom, y2: bottom, stroke: '#222222' }),
    element('line', { x1: LEFT, x2: LEFT, y1: TOP, y2: bottom, stroke: '#222222' }),
  ];
}

const colourOf = (index: number): string => COLOURS[index % COLOURS.length] as string;
const dashOf = (index: number): string =>
  DASHES[Math.floor(index / COLOURS.length) % DASHES.length] as string;

function lineOf({ points }: Series, index: number, across: Axis, up: Axis): string[] {
  const path = line<Series['points'][number]>(
    (point) => across.place(point.x),
    (point) => up.place(point.y),
  ).digits(2)(points as Series['points'][number][]);
  const stroke = colourOf(index);
  const dots = points.length > DOTS_MAX ? [] : points;
  return [
    element('path', {
      d: path ?? '',
      fill: 'none',
      stroke,
      'stroke-width': 2,
      'stroke-dasharray': dashOf(index),
    }),
    ...dots.map((point) =>
      element('circle', { cx: across.place(point.x), cy: up.place(point.y), r: 3.2, fill: stroke }),
    ),
  ];
}

/** The first name is what the others are values of. */
function legendOf([head, ...names]: readonly string[], left: number): string[] {
  if (head === undefined) return [];
  return [
    text(head, { x: left, y: TOP + 4, 'font-weight': 'bold' }),
    ...names.flatMap((name, i) => {
      const y = TOP + 4 + (i + 1) * LEGEND_ROW;
      const stroke = colourOf(i);
      const sample = { x1: left, x2: left + 24, y1: y - 4, y2: y - 4, stroke, 'stroke-width': 2 };
      return [element('line', { ...sample, 'stroke-dasharray': dashOf(i) }), text(name, { x: left + 32, y })];
    }),
  ];
}
