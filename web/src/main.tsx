import "./shell/plainHttp";
import "@xyflow/react/dist/style.css";
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/http";
import { restoreSession } from "./files/drafts";
import { App } from "./shell/App";
import { Login, isAsked, signInByLink } from "./shell/Login";
import "./theme/theme.css";

async function start(): Promise<ReactNode> {
  await signInByLink();
  if (await isAsked()) return <Login />;
  await restoreSession();
  return <App />;
}

const root = document.getElementById("root");
if (root) {
  start().then(
    (page) => createRoot(root).render(<StrictMode>{page}</StrictMode>),
    (error: unknown) => {
      root.textContent = error instanceof ApiError ? error.message : `The page could not start: ${String(error)}`;
    },
  );
}
