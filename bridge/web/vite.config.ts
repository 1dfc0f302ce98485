import { defineConfig } from "vite";

/** Where `npm run dev` finds a server: `motiongen serve`, or MOTIONGEN_SERVER. */
const server = process.env["MOTIONGEN_SERVER"] ?? "http://127.0.0.1:8787";

export default defineConfig({
  base: "./", // the page works under any prefix
  build: {
    outDir: "../motiongen_bridge/viewer",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy lets nothing come from data: but pictures
    chunkSizeWarningLimit: 1000,
    license: { fileName: "licences.md" }, // of what is bundled
  },
  server: {
    fs: { allow: ["../.."] }, // the mannequin is in assets/
    proxy: { "/ws": { target: server, ws: true, changeOrigin: true }, "/healthz": server, "/motion": server, "/avatars": server },
  },
});
