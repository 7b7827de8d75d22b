import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { notices } from "./notices";

const SERVER = process.env.NODEGRAPH_URL ?? "http://127.0.0.1:8420";

export default defineConfig({
  plugins: [react(), notices()],
  build: {
    outDir: "../nodegraph/server/editor",
    emptyOutDir: true,
    target: "es2022",
    rolldownOptions: { input: ["index.html", "run.html"] },
  },
  server: {
    host: "127.0.0.1",
    // the server refuses what comes from another origin, so requests are sent on as its own
    proxy: {
      "/api": {
        target: SERVER,
        changeOrigin: true,
        ws: true,
        configure: (proxy) => {
          proxy.on("proxyReq", (request) => request.setHeader("Origin", SERVER));
          proxy.on("proxyReqWs", (request) => request.setHeader("Origin", SERVER));
        },
      },
    },
  },
});
