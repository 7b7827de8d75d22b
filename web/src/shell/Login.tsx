import { type FormEvent, useState } from "react";
import { ApiError, request } from "../api/http";

/** Asks for the server's token; a server that other machines can reach wants one. */
export function Login() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");

  const enter = (event: FormEvent) => {
    event.preventDefault();
    signIn(token.trim()).then(
      () => location.reload(),
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
  };

  return (
    <main className="login">
      <form onSubmit={enter}>
        <h1>nodegraph</h1>
        <p>This server wants to know who you are. It wrote its token when it was started.</p>
        <label>
          Token
          <input
            type="password"
            autoComplete="current-password"
            value={token}
            onChange={(e) => setToken(e.target.value)}
          />
        </label>
        {problem && <p role="alert">{problem}</p>}
        <button type="submit" className="primary" disabled={!token.trim()}>
          Enter
        </button>
      </form>
    </main>
  );
}

/** Trade a token for the session's cookie. Raises ApiError. */
async function signIn(token: string): Promise<void> {
  await request("POST", "/session", { json: { token } });
}

/** The token behind # in the link that the server printed is used and taken out of the address. */
export async function signInByLink(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  await signIn(token);
}

/** Whether the server wants a token and none was given yet. */
export async function isAsked(): Promise<boolean> {
  try {
    await request("GET", "/system");
    return false;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return true;
    throw error;
  }
}
