import { useState } from "react";
import { type Glimpse, valueUrl } from "../api/pictures";
import { Chart } from "./Chart";
import { viewValue } from "./viewing";

interface Props {
  readonly resultKey: string;
  readonly node: string;
  readonly output: string;
  readonly glimpse: Glimpse;
}

/** What is told of a value: a line, pictures, numbers, charts, or the value itself. */
export function GlimpseView({ resultKey, node, output, glimpse }: Props) {
  const [item, setItem] = useState(0);
  const { pictures, numbers, charts, value } = glimpse;
  const at = Math.min(item, Math.max(0, pictures - 1));
  return (
    <article className="glimpse">
      <h4>
        {output} <span className="hint">{glimpse.type}</span>
      </h4>
      <p className="glimpse-text">{glimpse.text}</p>
      {pictures > 0 && (
        <button
          type="button"
          className="glimpse-picture"
          aria-label={`Show ${output}`}
          onClick={() => viewValue(resultKey, output, node, pictures, at)}
        >
          <img src={valueUrl(resultKey, output, at, 512)} alt={`${output}, item ${at + 1}`} />
        </button>
      )}
      {pictures > 1 && (
        <div className="glimpse-pages">
          <button type="button" disabled={at === 0} onClick={() => setItem(at - 1)}>
            Previous
          </button>
          <span>{`${at + 1} of ${pictures}`}</span>
          <button type="button" disabled={at === pictures - 1} onClick={() => setItem(at + 1)}>
            Next
          </button>
        </div>
      )}
      {Object.keys(numbers).length > 0 && (
        <table>
          <tbody>
            {Object.entries(numbers).map(([name, number]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{typeof number === "number" ? Number(number.toPrecision(6)) : number}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {charts.map((each) => (
        <Chart key={each.title} chart={each} />
      ))}
      {value !== null && (
        <pre className="glimpse-value">{typeof value === "string" ? value : JSON.stringify(value, null, 1)}</pre>
      )}
    </article>
  );
}
