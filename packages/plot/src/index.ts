export { chartSvg } from './chart-svg.ts';
export type { Chart, ChartX, Series } from './chart.ts';
