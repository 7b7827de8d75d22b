import "../shell/plainHttp";
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "../api/http";
import { Login, isAsked, signInByLink } from "../shell/Login";
import "../theme/theme.css";
import { RunPage } from "./RunPage";

async function start(): Promise<ReactNode> {
  await signInByLink();
  if (await isAsked()) return <Login />;
  return <RunPage name={decodeURIComponent(location.pathname.replace(/^\/run\//, ""))} />;
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
