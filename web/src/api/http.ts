// Requests to the server.
import type { Defect } from "./types";

export const API = "/api/v1";

/** An answer that tells an error, or none at all. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
    readonly defects: readonly Defect[] = [],
  ) {
    super(message);
  }
}

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

interface Options {
  readonly query?: Query;
  readonly json?: unknown;
  readonly body?: Blob;
  readonly signal?: AbortSignal;
}

export function url(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((each: string) => search.append(name, each));
    else if (value !== null && value !== undefined) search.set(name, String(value));
  }
  return `${API}${path}${search.size > 0 ? `?${search}` : ""}`;
}

/** The server's answer as a document. Raises ApiError. */
export async function request<Answer>(method: string, path: string, options: Options = {}): Promise<Answer> {
  const { query, json, body, signal } = options;
  const init: RequestInit = { method };
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers = { "Content-Type": "application/json" };
  } else if (body) init.body = body;
  if (signal) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(url(path, query), init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("the server does not answer; is it running?", "unreachable", 0);
  }
  if (response.ok) return (await response.json()) as Answer;
  const told = (await response.json().catch(() => null)) as {
    error?: string;
    code?: string;
    defects?: Defect[];
  } | null;
  const text = told?.error ?? `the server answered ${response.status}`;
  throw new ApiError(text, told?.code ?? "unknown", response.status, told?.defects);
}

/** Parts of a path, quoted; a name with folders is one part. */
export function path(...parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${encodeURIComponent(String(part))}`).join("");
}
