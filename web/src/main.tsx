import "@xyflow/react/dist/style.css";
import { createRoot } from "react-dom/client";
import { App } from "./shell/App";
import "./theme/theme.css";

const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
