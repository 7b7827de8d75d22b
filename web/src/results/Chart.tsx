import { type PointerEvent, useState } from "react";
import type { Chart as ChartData } from "../api/pictures";
import "./chart.css";
import { axisOf, positionOf, tickText, ticksOf } from "./scale";

const WIDTH = 290;
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 22;
const TOP = 8;
const INNER = { width: WIDTH - LEFT - 8, height: HEIGHT - TOP - BOTTOM };

/** A curve with its axes; the values are read by hovering, or as a table. */
export function Chart({ chart }: { readonly chart: ChartData }) {
  const { title, y, x_title, y_title } = chart;
  const x = chart.x ?? y.map((_, index) => index);
  const [isLog, setLog] = useState(false);
  const [at, setAt] = useState<number | null>(null);
  const across = axisOf(x, false);
  const up = axisOf(y, isLog);
  const points = x.map((value, index) => {
    const right = positionOf(value, across);
    const high = positionOf(y[index] ?? NaN, up);
    return right === null || high === null
      ? null
      : { x: LEFT + right * INNER.width, y: TOP + (1 - high) * INNER.height };
  });
  const line = points.reduce(
    (path, point, index) =>
      point ? `${path}${points[index - 1] ? "L" : "M"}${point.x.toFixed(1)} ${point.y.toFixed(1)}` : path,
    "",
  );
  const hover = (event: PointerEvent<SVGSVGElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const wanted = ((event.clientX - left) / width) * WIDTH;
    const distance = (index: number) => Math.abs((points[index]?.x ?? Infinity) - wanted);
    setAt(points.reduce((best, _, index) => (distance(index) < distance(best) ? index : best), 0));
  };
  const mark = at === null ? null : points[at];
  return (
    <figure className="chart">
      <figcaption>
        {title}
        <label>
          <input type="checkbox" checked={isLog} onChange={(event) => setLog(event.target.checked)} /> log
        </label>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${title}: ${y.length} values of ${y_title || "y"} over ${x_title || "x"}`}
        onPointerMove={hover}
        onPointerLeave={() => setAt(null)}
      >
        {ticksOf(up).map((each) => {
          const height = TOP + (1 - (positionOf(each, up) ?? 0)) * INNER.height;
          return (
            <g key={each}>
              <line className="chart-grid" x1={LEFT} x2={WIDTH - 8} y1={height} y2={height} />
              <text x={LEFT - 5} y={height + 3} textAnchor="end">
                {tickText(each)}
              </text>
            </g>
          );
        })}
        {ticksOf(across).map((each) => (
          <text key={each} x={LEFT + (positionOf(each, across) ?? 0) * INNER.width} y={HEIGHT - 8} textAnchor="middle">
            {tickText(each)}
          </text>
        ))}
        <path className="chart-line" d={line} />
        {mark && <circle className="chart-mark" cx={mark.x} cy={mark.y} r={3.5} />}
      </svg>
      <p className="chart-value">
        {at === null ? [x_title, y_title].filter(Boolean).join(" → ") : `${tickText(x[at] ?? 0)} → ${y[at]}`}
      </p>
      <details>
        <summary>Values</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{x_title || "x"}</th>
              <th scope="col">{y_title || "y"}</th>
            </tr>
          </thead>
          <tbody>
            {y.map((value, index) => (
              <tr key={index}>
                <td>{x[index]}</td>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
