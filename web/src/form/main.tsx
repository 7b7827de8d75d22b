import { createRoot } from "react-dom/client";
import "../theme/theme.css";
import { RunPage } from "./RunPage";

const root = document.getElementById("root");
if (root) createRoot(root).render(<RunPage name={decodeURIComponent(location.pathname.replace(/^\/run\//, ""))} />);
