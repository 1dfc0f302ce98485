import { defineConfig } from "vite";

/** The package for npm: the client, and what moves models of three.js, which the page that uses it has itself. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "dist",
    emptyOutDir: false, // the types are there already
    target: "es2022",
    minify: false,
    lib: { entry: { client: "src/client/client.ts", three: "src/figures/motiongen-character.ts" }, formats: ["es"] },
    rollupOptions: { external: [/^three(\/|$)/, /^@pixiv\/three-vrm/] },
  },
});
