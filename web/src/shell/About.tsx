import { request } from "../api/http";
import type { Schemas } from "../api/types";
import { useLoaded } from "../files/useLoaded";
import { useDefinitions } from "../store/definitions";
import "./about.css";

type System = Schemas["System"];

const GIGABYTE = 2 ** 30;
const load = () => request<System>("GET", "/system");

/** What runs the graphs: the machine, its room, and the packs that bring nodes. */
export function About() {
  const { value: system, problem } = useLoaded(load);
  const packs = useDefinitions((state) => state.packs);
  if (!system) return <p role={problem ? "alert" : undefined}>{problem || "Asking the server…"}</p>;
  const { device, memory, output, workers } = system;
  return (
    <div className="about">
      <dl>
        <dt>Version</dt>
        <dd>{system.version}</dd>
        <dt>Computes on</dt>
        <dd>
          {device.name} ({device.kind}), {device.precision}, {count(device.threads, "thread")},{" "}
          {count(workers, "worker")}
        </dd>
        {memory && <dt>Memory</dt>}
        {memory && <dd>{room(memory)}</dd>}
        {output && <dt>Room for pictures</dt>}
        {output && <dd>{room(output)}</dd>}
        <dt>Runs since</dt>
        <dd>{new Date(system.started).toLocaleString("en")}</dd>
      </dl>
      <h3>Node packs</h3>
      <ul>
        {packs.map((pack) => (
          <li key={pack.name}>
            <strong>{pack.name}</strong> {count(pack.nodes, "node")}
            {pack.error && <p role="alert">{pack.error}</p>}
          </li>
        ))}
      </ul>
      <p>
        <a href="/api/docs" target="_blank" rel="noreferrer">
          The server’s API
        </a>
      </p>
    </div>
  );
}

function room({ free, total }: System["memory"] & object): string {
  return `${(free / GIGABYTE).toFixed(1)} of ${(total / GIGABYTE).toFixed(1)} GB free`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
